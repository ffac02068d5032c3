"""Where commands write to, and what they do where that cannot be written to."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.composed_runs import bundle
from tests.cli.shell import trtmatrix, trtmatrix_here


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    bundle(tmp_path / "run", {"2023.1.0": 3.0, "2024.0.0": 4.0})
    return tmp_path


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("report", "run", "-o", "."), "-o .: expected a file, found a folder"),
        (("report", "run", "-o", ""), "-o .: expected a file, found a folder"),
        (("report", "run", "-o", "run/manifest.json"), "is a file of the run run"),
        (("report", "run", "-o", "run/manifest.json/x"), "run/manifest.json is no folder"),
        (("report", "run", "-o", "x" * 300), "File name too long"),
        (("report", "run", "-o", "a.html", "--markdown", "a.html"), "is the HTML file of -o"),
        (("report", "run", "-o", "/dev/full"), "/dev/full: No space left on device"),
    ],
)
def test_what_cannot_be_written_to_is_one_line(folder: Path, words: tuple[str, ...], message: str) -> None:
    found = trtmatrix_here(folder, *words)
    assert found.returncode == 2, found.stdout + found.stderr
    assert message in found.stderr
    assert found.stderr.count("\n") == 1
    assert trtmatrix_here(folder, "show", "run").returncode == 0


def test_a_page_can_go_to_a_pipe(folder: Path) -> None:
    found = trtmatrix(folder, "report", "run", "-o", "/dev/stdout")
    assert found.returncode == 0, found.stderr
    assert "</html>" in found.stdout
    assert Path("/dev/stdout").is_symlink()


def test_output_that_nobody_can_take_is_one_line(folder: Path) -> None:
    with Path("/dev/full").open("w") as full:
        command = [sys.executable, "-m", "harness.cli", "judge", "run"]
        found = subprocess.run(
            command, cwd=folder, stdout=full, stderr=subprocess.PIPE, text=True, check=False
        )
    assert (found.returncode, found.stderr) == (
        2,
        "trtmatrix: output: No space left on device [file-system]\n",
    )


def test_output_that_is_closed_or_knows_no_sign_is_no_error(folder: Path) -> None:
    closed = f"{sys.executable} -m harness.cli judge run >&-"
    found = subprocess.run(closed, shell=True, cwd=folder, capture_output=True, text=True, check=False)
    assert (found.returncode, found.stderr) == (0, "")
    ascii_only = {**os.environ, "PYTHONIOENCODING": "ascii"}
    found = trtmatrix(folder, "judge", "run", env=ascii_only)
    assert found.returncode == 0, found.stderr
    assert found.stdout.isascii()
    assert "openvino 2024.0.0 against 2023.1.0 * regressed" in found.stdout, "* measured one after the other"
    assert "\\u" not in found.stdout


def started(folder: Path) -> None:
    """Say of each build when it was made, as real ones do."""
    for number, path in enumerate(sorted(folder.glob("run/builds/*/*/build.json"))):
        document = json.loads(path.read_text(encoding="utf-8"))
        document["started"] = f"2026-01-{number + 1:02}T12:00:00+00:00"
        path.write_text(json.dumps(document), encoding="utf-8")


@pytest.mark.parametrize("again", ["run", "./run", "link", "copy"])
def test_the_same_run_twice_is_no_more_builds(folder: Path, again: str) -> None:
    started(folder)
    (folder / "link").symlink_to("run")
    shutil.copytree(folder / "run", folder / "copy")
    found = trtmatrix_here(folder, "judge", "run", again)
    assert found.returncode == 2
    assert "the same build as run/builds/" in found.stderr
    assert found.stderr.count("\n") == 1


def test_the_same_build_under_another_number_is_no_more_builds(folder: Path) -> None:
    started(folder)
    first = next((folder / "run/builds").iterdir()) / "0"
    shutil.copytree(first, first.parent / "9")
    found = trtmatrix_here(folder, "judge", "run")
    assert (found.returncode, found.stderr.count("\n")) == (2, 1)
    assert "/9: the same build as " in found.stderr


def test_a_measured_cell_without_its_builds_is_one_line(folder: Path) -> None:
    shutil.rmtree(folder / "run/builds")
    found = trtmatrix_here(folder, "judge", "run", "--fail-on", "invalid")
    assert (found.returncode, found.stderr.count("\n")) == (2, 1)
    assert "the cell was measured, and none of its builds is there" in found.stderr


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("build.json", '"round": 0', '"round": NaN'),
        ("samples.json", '"latency_ms": [', '"latency_ms": [null, '),
        ("samples.json", '"pass": "latency"', '"pass": {}'),
        ("samples.json", '"windows": [', '"windows": null, "others": ['),
        ("samples.json", '"window": 0', '"window": "x"'),
        ("samples.json", '"clock": "host"', '"clock": "host", "enqueue_ms": ["x", 1, 1, 1, 1]'),
        ("samples.json", '"clock": "host"', '"clock": "host", "start_ns": 5'),
        ("samples.json", '"latency_ms": [', f'"latency_ms": [{10**400}, '),
        ("build.json", '"status": "ok"', '"status": ["ok"]'),
        ("result.json", '{"facts": {}}', '{"facts": {}, "windows": "x"}'),
        ("result.json", '{"facts": {}}', '{"facts": 3}'),
    ],
)
def test_a_file_of_the_wrong_form_is_one_line(folder: Path, name: str, old: str, new: str) -> None:
    path = next((folder / "run/builds").iterdir()) / "0" / name
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    found = trtmatrix_here(folder, "judge", "run")
    assert found.returncode == 2, found.stdout + found.stderr
    assert found.stderr.startswith("trtmatrix: run/builds/")
    assert found.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"relu6": "clip"', '"relu6": 5'),
        ('"batch": 1', '"batch": "1"'),
        ('"status": "measured"', '"status": 5'),
        ('"digest": "unknown"', '"digest": []'),
        ('"seed": null', '"seed": "x"'),
    ],
)
def test_a_manifest_of_the_wrong_form_is_one_line(folder: Path, old: str, new: str) -> None:
    path = folder / "run/manifest.json"
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    found = trtmatrix_here(folder, "report", "run", "-o", "page.html")
    assert found.returncode == 2, found.stdout + found.stderr
    assert found.stderr.startswith("trtmatrix: run/manifest.json: ")
    assert found.stderr.count("\n") == 1


def test_half_a_surrogate_pair_is_shown_escaped(folder: Path) -> None:
    path = next((folder / "run/builds").iterdir()) / "0" / "result.json"
    path.write_text('{"facts": {"gpu": "\\ud800"}}', encoding="utf-8")
    found = trtmatrix_here(folder, "report", "run", "-o", "page.html")
    assert found.returncode == 0, found.stderr
    assert "\\ud800" in (folder / "page.html").read_text(encoding="utf-8")
