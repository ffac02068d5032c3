"""``trtmatrix reproduce``: a real run whose times are changed afterwards, its pieces measured for real."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import onnx
import pytest

from harness.cli import main
from harness.cli.judging import judged_runs
from harness.networks.mobilenet import MobileNetV2
from harness.networks.onnx_export import to_onnx
from harness.plugins import registry
from harness.store.bundle import Bundle
from harness.store.documents.base import read_document
from harness.store.documents.reproduction import Reproduction
from tests.cli import several

LAYER = "expanded_conv_1/expand/Conv2D"
OPTIONS = ("--network", "small.onnx", "--environment", "several", "--builds", "2", "--minutes", "0.02")


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with ``small.onnx`` and a run of it, in which version 2.0 takes half as long again as 1.0."""
    folder = tmp_path_factory.mktemp("reproduce")
    small = MobileNetV2(width=0.25, resolution=32, classes=11, calibrated=False, name="small")
    file = folder / "small.onnx"
    onnx.save(to_onnx(small.graph(), 13), str(file))
    words = ["compare", "onnxruntime==1.0", "onnxruntime==2.0", str(file), "--environment", "several"]
    registry.manager().register(several)
    try:
        assert main([*words, "--builds", "2", "--minutes", "0.02", "--out", str(folder / "run")]) == 0
    finally:
        registry.manager().unregister(several)
    for build in Bundle.open(folder / "run").builds():
        path = build.folder / "samples.json"
        data = json.loads(path.read_text(encoding="utf-8"))
        for one in data["slices"]:
            longer = 1.5 if build.cell_id.endswith("2.0") else 1.0
            one["latency_ms"] = [longer] * len(one["latency_ms"])
        path.write_text(json.dumps(data), encoding="utf-8")
    return folder


@pytest.fixture(autouse=True)
def _here(measured: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.chdir(measured)
    registry.manager().register(several)
    try:
        yield
    finally:
        registry.manager().unregister(several)


@pytest.fixture(scope="module")
def name(measured: Path) -> str:
    """The name of the change."""
    (found,) = (one for one in judged_runs([measured / "run"]).verdicts if one.can_be_reproduced)
    return found.name


def test_judge_shows_the_name_and_the_command(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["judge", "run", "--fail-on", ""]) == 0
    said = capsys.readouterr().out
    assert f"[{name}]" in said
    assert f"trtmatrix reproduce run {name} -o DIR\n" in said


def test_a_piece_is_cut_measured_and_written_and_resume_measures_nothing_again(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    words = ["reproduce", "run", name, "-o", str(out), "--layer", LAYER, *OPTIONS]
    assert main(words) == 0
    said = capsys.readouterr()
    found = read_document(out / "reproduction.json", Reproduction)
    assert found.state in ("shown", "not shown")
    assert LAYER in found.ops
    (piece,) = found.pieces
    assert piece.builds == (2, 2)
    assert [node.name for node in onnx.load(out / "piece.onnx").graph.node] == found.ops
    assert LAYER in said.err
    assert str(out / "bug-report.md") in said.out
    text = (out / "bug-report.md").read_text(encoding="utf-8")
    assert f"`{LAYER}`" in text
    for command in found.commands.values():
        assert command in text
        assert command in said.out

    runs = {path: path.stat().st_mtime_ns for path in (out / "measured").rglob("samples.json")}
    assert len(runs) == 4
    assert main([*words, "--resume", "--minutes", "0.001"]) == 0
    assert {p: p.stat().st_mtime_ns for p in (out / "measured").rglob("samples.json")} == runs
    assert read_document(out / "reproduction.json", Reproduction).pieces == found.pieces

    _run_as_the_report_says(out, found)


def _run_as_the_report_says(out: Path, found: Reproduction) -> None:
    """Run its command, by this interpreter in place of an environment made for it, in a folder of its own."""
    script, runtime, file = found.commands["old"].split()[1:]
    done = subprocess.run(
        [sys.executable, "-I", script, runtime, file, "0.05"],
        cwd=out,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.startswith("onnxruntime ")
    assert ": median " in done.stdout


def test_a_folder_of_another_verdict_is_not_gone_on_with(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    assert main(["reproduce", "run", name, "-o", str(out), *OPTIONS, "--no-measure"]) == 0
    assert "not measured here: it was not asked for" in capsys.readouterr().out
    data = json.loads((out / "reproduction.json").read_text(encoding="utf-8"))
    assert data["state"] == "not measured"
    assert not data["pieces"]
    (out / "reproduction.json").write_text(json.dumps({**data, "verdict": "latency-other"}), encoding="utf-8")
    assert main(["reproduce", "run", name, "-o", str(out), *OPTIONS, "--resume"]) == 2
    assert "holds latency-other of run " in capsys.readouterr().err


@pytest.mark.parametrize(
    ("verdict", "more", "message"),
    [
        ("NAMEx", OPTIONS, "no verdict of this run has that name; did you mean 'latency-"),
        ("", OPTIONS, "no verdict of this run has that name"),
        ("relu6", OPTIONS, "is no change between two versions of this run"),
        (None, (), "network 'small' is a file of its user's"),
        (
            None,
            (*OPTIONS, "--layer", "expanded_conv_1/expand/Conv2d"),
            "did you mean 'expanded_conv_1/expand/Conv2D'?",
        ),
        (None, (*OPTIONS, "--builds", "1"), "--builds: expected a whole number from 2"),
        (None, (*OPTIONS, "--minutes", "x"), "--minutes: expected a number above 0"),
        (None, (*OPTIONS, "--network", "none.onnx"), "none.onnx"),
        (None, (*OPTIONS, "-o", "."), "the folder is not empty"),
    ],
)
def test_a_mistake_is_one_line_and_writes_nothing(
    verdict: str | None,
    more: tuple[str, ...],
    message: str,
    name: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    asked = "NAME" if verdict is None else verdict
    words = ["reproduce", "run", asked.replace("NAME", name), "-o", str(tmp_path / "out"), *more]
    assert main(words) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("trtmatrix: ")
    assert message in line
    assert not (tmp_path / "out").exists()
