"""``trtmatrix compare``: versions set against each other by one line, measured for real."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import onnx
import pytest

from harness.cli import main
from harness.networks.mobilenet import MobileNetV2
from harness.networks.onnx_export import to_onnx
from harness.plugins import registry
from harness.store.bundle import Bundle
from tests.cli import several

TWO = ("onnxruntime==1.0", "onnxruntime==2.0")


@pytest.fixture
def _model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A small network as a user's file, and an environment that has any version."""
    small = MobileNetV2(width=0.25, resolution=32, classes=11, calibrated=False, name="small")
    onnx.save(to_onnx(small.graph(), 13), str(tmp_path / "small.onnx"))
    monkeypatch.chdir(tmp_path)
    registry.manager().register(several)
    try:
        yield
    finally:
        registry.manager().unregister(several)


@pytest.mark.usefixtures("_model")
def test_two_versions_and_a_file_end_in_a_sentence_a_report_and_a_bundle(
    capsys: pytest.CaptureFixture[str],
) -> None:
    words = ["compare", "onnxruntime==1.0", "onnxruntime==2.0", "small.onnx", "--environment", "several"]
    words += ["--builds", "2", "--minutes", "0.02", "--out", "run", "--report", "report.html"]
    assert main(words) == 0
    said = capsys.readouterr()
    assert said.out.startswith("onnxruntime 2.0 ")
    assert "1.0" in said.out.splitlines()[0]
    assert said.out.splitlines()[-2:] == ["report: report.html", "bundle in run"]
    assert ": cycle " not in said.err, "only a terminal has a place for it"
    bundle = Bundle.open(Path("run"))
    assert bundle.manifest.matrix.baseline == "1.0"
    assert {record.status for record in bundle.cells()} == {"measured"}
    assert len({build.document.block for build in bundle.builds()}) == 1
    assert "<html" in Path("report.html").read_text(encoding="utf-8")

    # Measured already: gone on with, nothing is measured again.
    before = {(b.cell_id, b.build): b.document.started for b in bundle.builds()}
    assert main([*words, "--resume"]) == 0
    assert {(b.cell_id, b.build): b.document.started for b in Bundle.open(Path("run")).builds()} == before


@pytest.mark.usefixtures("_model")
def test_wrong_outputs_are_said_and_fail_where_the_policy_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    words = ["compare", "onnxruntime==1.0", "onnxruntime==4.0", "small.onnx", "--environment", "several"]
    words += ["--builds", "2", "--minutes", "0.02", "--out", "run", "--fail-on", "invalid"]
    assert main(words) == 1
    assert "onnxruntime 4.0 beside 1.0: invalid: " in capsys.readouterr().out


@pytest.mark.usefixtures("_model")
@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (["onnxruntime==1.0", "small.onnx"], 2, "name at least two versions"),
        (["onnxruntime==1.0", "openvino==2.0"], 2, "versions of one runtime are compared"),
        (["keras==1.0", "keras==2.0"], 2, "'keras' is no runtime here; known are"),
        ([*TWO, "a", "b"], 2, "'a' and 'b': name one network"),
        ([*TWO, "vgg"], 2, "vgg"),
        ([*TWO, "none.onnx"], 2, "none.onnx"),
        ([*TWO, "--shape", "x=1x3"], 2, "--shape needs an ONNX file"),
        ([*TWO, "--batch", "0"], 2, "batch"),
        ([*TWO, "--within", "-1"], 2, "--within: expected a number above 0"),
        ([*TWO, "--minutes", "x"], 2, "--minutes: expected a number above 0"),
        ([*TWO, "--builds", "1"], 2, "--builds: expected a whole number"),
        ([*TWO, "--out", "."], 2, ".: the folder is not empty"),
        ([*TWO, "onnxruntime==9.0", "--environment", "several"], 3, "9.0 cannot run here: 9.0 is sold out"),
        ([*TWO, "--environment", "moon"], 2, "moon"),
    ],
)
def test_a_mistake_is_one_line_and_measures_nothing(
    words: list[str], code: int, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    before = set(Path.cwd().rglob("*"))
    assert main(["compare", *words]) == code
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("trtmatrix: ")
    assert message in line
    assert set(Path.cwd().rglob("*")) == before
