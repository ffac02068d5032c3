"""``trtmatrix bisect`` from a shell's side: on composed bundles, and measuring for real."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from harness.cli import bisect, main
from harness.errors import TrtmatrixError
from harness.plugins import registry
from harness.store.bundle import Bundle
from harness.store.documents.manifest import Manifest, Matrix
from tests.cli import several
from tests.cli.busy import worker_is_busy
from tests.cli.composed_runs import bundle, call
from tests.observations import composed

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def run(tmp_path: Path) -> str:
    return str(bundle(tmp_path / "run", {"2023.0.2": 4.0, "2024.0.0": 3.0, "2024.6.0": 3.6, "2025.0.0": 3.6}))


def test_bisect_on_a_stored_run(run: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert call(bisect, run, "--versions", "2024.0.0,2024.6.0,2025.0.0") == 0
    assert "the change lies between 2024.0.0 and 2024.6.0" in capsys.readouterr().out
    assert call(bisect, run, "--json") == 0
    data = json.loads(capsys.readouterr().out)
    assert (data["before"], data["after"]) == ("2023.0.2", "2024.0.0")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--bottleneck", "colour"], "'colour' is unknown; known are pointwise"),
        (["--network", "vgg"], "'vgg' is not there; known are mobilenet_v2"),
        (["--versions", "1.0,2024.0.0"], "'1.0' is not there; known are 2023.0.2"),
        (["--versions", "2024.0.0"], "at least two versions"),
        (["--versions", "2024.0.0,2025.0.0,2024.0.0"], "--versions: '2024.0.0' is named twice"),
        (["--host", "host-b"], "--host: 'host-b' is not there; known are host-a"),
        (["--out", "elsewhere"], "--out is for a matrix file"),
        (["--retry-failed"], "--retry-failed is for a matrix file"),
        (["--builds", "0"], "--builds is for a matrix file"),
        (["--executor", "local"], "--executor is for a matrix file"),
        (["m.toml"], "m.toml: name one matrix file, or stored runs, not both"),
    ],
)
def test_what_cannot_be_bisected_says_why(run: str, words: list[str], said: str) -> None:
    with pytest.raises(TrtmatrixError, match=said):
        call(bisect, run, *words)


def test_without_layer_times_bisect_cannot_tell(run: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert call(bisect, run, "--bottleneck", "depthwise") == 0
    assert "cannot tell from 2023.0.2 to 2025.0.0: no build has layer times" in capsys.readouterr().out


def test_runs_that_hold_the_same_cells_are_named(tmp_path: Path) -> None:
    older, newer = composed.CELL, replace(composed.CELL, version="1.23.0")
    made = [
        composed.bundle(tmp_path / f"{night}-{cell.version}", cell=cell, run=night, began=began)
        for night, began in (("monday", composed.NIGHT), ("tuesday", composed.NIGHT + timedelta(days=1)))
        for cell in (older, newer)
    ]
    said = "its builds are of run monday and run tuesday, which are not pooled: leave one out"
    with pytest.raises(TrtmatrixError, match=said):
        call(bisect, *map(str, made))


# measuring for real: see tests.cli.several


@pytest.fixture
def plugin() -> Iterator[None]:
    registry.manager().register(several)
    yield
    registry.manager().unregister(several)


@pytest.fixture
def matrix(tmp_path: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Path:
    """``m.toml`` in the current folder, which is the test's own."""
    request.getfixturevalue("plugin")
    monkeypatch.chdir(tmp_path)
    return several.write_matrix(tmp_path, ["1.0", "2.0", "3.0", "4.0", "5.0", "9.0"])


def answer(capsys: pytest.CaptureFixture[str]) -> tuple[Any, list[str]]:
    """Return the JSON answer on standard output, and the lines on standard error."""
    found = capsys.readouterr()
    return json.loads(found.out), found.err.splitlines()


def versions_of(lines: list[str]) -> list[str]:
    return [line.split("onnxruntime-")[1].split()[0] for line in lines if line.startswith("[")]


@pytest.mark.usefixtures("matrix")
def test_only_the_cells_it_needs_are_measured(capsys: pytest.CaptureFixture[str]) -> None:
    words = ["bisect", "m.toml", "--out", "run", "--json"]
    assert main(words) == 0
    data, said = answer(capsys)
    assert (data["before"], data["after"], data["verdict"]["verdict"]) == ("3.0", "4.0", "invalid")
    assert data["evaluated"] == ["1.0", "5.0", "3.0", "4.0"]
    assert data["cannot_run"] == {"9.0": "9.0 is sold out"}
    assert "9.0 is left out: 9.0 is sold out" in said
    assert any("5 versions, at most 4 of them measured, 2 builds each" in line for line in said)
    assert "with 3.0: the change lies between 3.0 and 5.0" in said
    # Both ends are measured side by side, and end in any order; the middle ones come after.
    measured = versions_of(said)
    assert sorted(measured[:4]) == ["1.0", "1.0", "5.0", "5.0"]
    assert measured[4:] == ["3.0", "3.0", "4.0", "4.0"]
    stored = Bundle.open(Path("run"))
    assert [(c.cell.version, c.status) for c in stored.cells()] == [
        ("1.0", "measured"),
        ("5.0", "invalid"),
        ("3.0", "measured"),
        ("4.0", "invalid"),
    ]
    assert (stored.manifest.state, stored.manifest.rounds) == ("complete", 2)
    before = {(b.cell_id, b.build): b.document.started for b in stored.builds()}

    # The bundle is one as any other: read by judge and report, and asked again without measuring.
    assert main(["judge", "run", "--fail-on", "invalid"]) == 1
    assert main(["report", "run", "-o", "r.html"]) == 0
    capsys.readouterr()
    assert main([*words, "--resume"]) == 0
    again, said = answer(capsys)
    assert again == data
    assert versions_of(said) == []
    assert main(["bisect", "run", "--json"]) == 0
    assert answer(capsys)[0]["after"] == "4.0"
    # More builds are measured of what was evaluated already, and kept beside what was there.
    assert main([*words, "--resume", "--builds", "3", "--versions", "3.0,4.0"]) == 0
    assert sorted(versions_of(answer(capsys)[1])) == ["3.0", "4.0"]
    after = {(b.cell_id, b.build): b.document.started for b in Bundle.open(Path("run")).builds()}
    assert before.items() <= after.items()
    assert len(after) == len(before) + 2


def test_a_version_that_breaks_when_it_is_prepared_is_named(
    matrix: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    several.write_matrix(matrix.parent, ["1.0", "7.0", "8.0"])
    assert main(["bisect", "m.toml", "--json"]) == 0
    data, said = answer(capsys)
    assert (data["before"], data["after"]) == ("1.0", "8.0")
    assert data["cannot_run"] == {"7.0": "the wheel of 7.0 is broken"}
    assert data["reason"] == "the change lies between 1.0 and 8.0; 7.0 cannot run here"
    assert said[-1].startswith("bundle in trtmatrix-runs")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["none.toml"], "none.toml: no such file"),
        (["m.toml", "--host", "h"], "--host is for stored runs"),
        (["m.toml", "m.toml"], "m.toml: name one matrix file, or stored runs, not both"),
        (["m.toml", "--builds", "1"], "--builds: expected 2 or more, found 1"),
        (["m.toml", "--builds", "9" * 12], "--builds: expected a whole number from 2 to 10000"),
        (["m.toml", "--executor", "nobody"], "--executor: no executor is called 'nobody'"),
        (["m.toml", "--resume"], "--resume needs --out"),
        (["m.toml", "--resume", "--out", "none"], "none: no such run"),
        (["m.toml", "--out", "."], ".: the folder is not empty"),
        (["m.toml", "--versions", "1.0"], "at least two versions"),
        (["m.toml", "--versions", "1.0,1.1"], "'1.1' is not there; did you mean '1.0'?"),
        (["m.toml", "--network", "vgg"], "--network: 'vgg' is not there; known are small"),
        (["one.toml"], "one.toml: one build of each cell shows no change"),
    ],
)
def test_a_mistake_is_one_line_and_measures_nothing(
    matrix: Path, words: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    text = matrix.read_text(encoding="utf-8")
    Path("one.toml").write_text(text.replace("builds = 2", "builds = 1"), encoding="utf-8")
    before = set(matrix.parent.rglob("*"))
    assert main(["bisect", *words]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("trtmatrix: ")
    assert message in line
    assert set(matrix.parent.rglob("*")) == before


@pytest.mark.usefixtures("matrix")
def test_another_matrix_is_not_resumed(capsys: pytest.CaptureFixture[str]) -> None:
    Bundle.create(Path("run"), Manifest(run="r", matrix=Matrix(text="another")))
    assert main(["bisect", "m.toml", "--out", "run", "--resume", "--versions", "1.0,5.0"]) == 2
    assert "run: was made from another matrix file" in capsys.readouterr().err


@pytest.mark.usefixtures("matrix")
def test_fewer_than_two_that_can_run_is_exit_code_3(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bisect", "m.toml", "--out", "run", "--versions", "1.0,9.0"]) == 3
    (line,) = capsys.readouterr().err.splitlines()
    assert (
        line
        == "trtmatrix: fewer than two of these versions can run here: 9.0: 9.0 is sold out [nothing-can-run]"
    )
    assert not Path("run").exists()


def test_an_interrupted_search_goes_on_where_it_was(tmp_path: Path) -> None:
    several.write_matrix(tmp_path, ["1.0", "2.0", "4.0"], seconds=0.8)
    command = [sys.executable, "-m", "tests.cli.several", "bisect", "m.toml", "--out", "run"]
    how: dict[str, Any] = {"cwd": tmp_path, "text": True, "env": {**os.environ, "PYTHONPATH": str(ROOT)}}
    # A session of its own: Ctrl-C at a terminal goes to the whole group, the worker included.
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True, **how
    )
    until = time.monotonic() + 180
    # Into the block of the version in the middle: the builds of the two ends are there and must stay.
    while time.monotonic() < until and process.poll() is None:
        if len(list(tmp_path.glob("run/builds/*/*/build.json"))) == 4 and worker_is_busy(process.pid):
            break
        time.sleep(0.02)
    os.killpg(process.pid, signal.SIGINT)
    said, _ = process.communicate(timeout=180)
    assert process.returncode == 130, said
    assert "what was measured is in run; go on with --out run --resume" in said
    kept = Bundle.open(tmp_path / "run")
    assert kept.manifest.state == "interrupted"
    builds = {(b.cell_id, b.build): b.document.started for b in kept.builds()}
    assert len(builds) == 4
    assert "Traceback" not in said

    found = subprocess.run([*command, "--resume"], capture_output=True, check=False, **how)
    assert found.returncode == 0, found.stderr
    assert "the change lies between 2.0 and 4.0" in found.stdout
    after = {(b.cell_id, b.build): b.document.started for b in Bundle.open(tmp_path / "run").builds()}
    assert builds.items() <= after.items()
    assert len(after) == 6
