"""``trtmatrix judge`` from a shell's side, on bundles written here (composed times)."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from harness.cli import judge
from harness.errors import TrtmatrixError
from harness.matrix.cell import Cell, Treatment
from harness.store.bundle import Bundle
from harness.store.documents.manifest import Manifest
from tests.cli.composed_runs import bundle, call


@pytest.fixture
def run(tmp_path: Path) -> str:
    return str(bundle(tmp_path / "run", {"2023.0.2": 4.0, "2024.0.0": 3.0, "2024.6.0": 3.6, "2025.0.0": 3.6}))


def test_prints_a_line_a_verdict_and_counts(run: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert call(judge, run, "-v") == 0
    lines = capsys.readouterr().out.splitlines()
    latency = [line for line in lines if line.startswith("latency of")]
    assert [line.split("): ")[1].split(":")[0] for line in latency] == ["reduced", "regressed", "unchanged"]
    assert "against 2024.0.0" in latency[1]
    assert "1 reduced, 1 regressed, 1 unchanged" in lines[-1]


def test_json_is_one_document(run: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert call(judge, run, "--json", "--baseline", "2023.0.2") == 0
    data = json.loads(capsys.readouterr().out)
    assert (data["schema"], data["baseline"]) == ("trtmatrix.verdicts/1", "2023.0.2")
    latency = {v["version"]: v for v in data["verdicts"] if v["bottleneck"] == "latency"}
    assert {v["verdict"] for v in latency.values()} == {"reduced"}
    assert latency["2024.0.0"]["effect"] == pytest.approx(0.75)


def test_the_policy_decides_the_exit_code(run: str, tmp_path: Path) -> None:
    assert call(judge, run, "--fail-on", "regressed,invalid") == 1
    assert call(judge, run, "--fail-on", "invalid") == 0
    accepted = tmp_path / "accepted.toml"
    accepted.write_text(
        '[[accepted]]\nverdict = "regressed"\nversion = "2024.6.0"\nreason = "known"\nexpires = 2999-01-01\n',
        encoding="utf-8",
    )
    assert call(judge, run, "--fail-on", "regressed", "--accepted", str(accepted)) == 0


def test_a_stored_run_as_baseline(run: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    monday = bundle(tmp_path / "monday", {"2025.0.0": 3.0})
    assert call(judge, run, "--baseline", str(monday), "--json") == 0
    data = json.loads(capsys.readouterr().out)
    assert data["baseline"] == "monday"
    (found,) = (v for v in data["verdicts"] if v["bottleneck"] == "latency")
    assert (found["version"], found["verdict"], found["against"]) == (
        "2025.0.0",
        "regressed",
        "2025.0.0 of monday",
    )


def test_two_treatments_of_each_version(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    clip = bundle(tmp_path / "clip", {"2024.0.0": 3.0, "2024.6.0": 3.0})
    pieces = bundle(tmp_path / "pieces", {"2024.6.0": 4.0}, treatment=Treatment(relu6="relu_sub"))
    words = [str(pieces), "--treatments", "relu6=clip:relu_sub"]
    assert call(judge, str(clip), *words, "--json") == 0
    data = json.loads(capsys.readouterr().out)
    assert data["baseline"] == "relu6 clip"
    (found,) = (v for v in data["verdicts"] if v["bottleneck"] == "latency")
    assert (found["version"], found["verdict"], found["against"]) == ("2024.6.0", "regressed", "relu6 clip")
    assert found["effect"] == pytest.approx(4 / 3)
    assert call(judge, str(clip), *words, "--fail-on", "regressed") == 1


def test_another_pass_is_judged_in_place_of_the_latency(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    noisy = (0.8, 1.0, 1.25)
    monday = bundle(tmp_path / "monday", {"2024.0.0": 3.0, "2024.6.0": 2.7}, noisy, graph=0.5)
    assert call(judge, str(monday), "--pass", "cuda_graph", "-v") == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split("(")[0] for line in lines[:-2]] == [
        "cuda_graph latency of mobilenet_v2 fp32-b1-clip on openvino 2024.6.0 against 2024.0.0 "
    ]
    assert "reduced: 0.9000 times" in lines[0]
    assert call(judge, str(monday), "--json") == 0
    data = json.loads(capsys.readouterr().out)
    assert data["pass"] == "latency"
    assert {v["verdict"] for v in data["verdicts"] if v["bottleneck"] == "latency"} == {"indeterminate"}
    assert call(judge, str(monday), "--pass", "cuda_graph", "--baseline", str(monday), "--json") == 0
    data = json.loads(capsys.readouterr().out)
    assert (data["pass"], {v["bottleneck"] for v in data["verdicts"]}) == ("cuda_graph", {"latency"})
    assert {v["verdict"] for v in data["verdicts"]} == {"unchanged"}
    alone = bundle(tmp_path / "alone", {"2024.0.0": 3.0})
    with pytest.raises(TrtmatrixError, match="--pass cuda_graph: no build"):
        call(judge, str(monday), "--pass", "cuda_graph", "--baseline", str(alone))


def test_a_cell_that_could_not_run_has_one_line_for_all_its_bottlenecks(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    made = Bundle.create(tmp_path / "run", Manifest(run="run", state="complete"))
    for number in ("8.5.3.1", "8.6.0"):
        made.set_cell(Cell("mobilenet_v2", Treatment(), "tensorrt", number, "venv"), "unavailable", "no GPU")
    made.save()
    assert call(judge, str(made.root), "-v") == 0
    *lines, total = capsys.readouterr().out.splitlines()
    assert lines == [
        f"mobilenet_v2 fp32-b1-clip on tensorrt {number}: unsupported: no GPU"
        for number in ("8.5.3.1", "8.6.0")
    ]
    assert total.endswith(" unsupported")


def test_a_stored_run_with_nothing_in_common_is_no_baseline(run: str, tmp_path: Path) -> None:
    other = bundle(tmp_path / "other", {"2023.0.2": 3.0}, treatment=Treatment(relu6="relu_sub"))
    with pytest.raises(TrtmatrixError, match="baseline 'other': nothing of these runs' networks"):
        call(judge, run, "--baseline", str(other))


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--fail-on", "slower"], "'slower' is no verdict; known are removed"),
        (["--baseline", "1.0"], "baseline '1.0' is no version of these runs"),
        (["--accepted", "none.toml"], "none.toml: cannot be read"),
        (["--pass", "cuda_graph"], "--pass cuda_graph: no build of these runs has it; they have latency"),
        (["--treatments", "relu6"], "--treatments relu6: expected FIELD=OLD:NEW"),
        (["--treatments", "colour=a:b"], "a treatment has no 'colour'; it has precision"),
        (["--treatments", "label=a:b"], "a treatment has no 'label'; it has precision"),
        (["--treatments", "relu6=clip:clip"], "relu6: 'clip' and 'clip' are one treatment; name two values"),
        (["--treatments", "relu6=clip:relu_sub"], "no version of these runs has both"),
    ],
)
def test_a_mistake_is_one_line(run: str, words: list[str], said: str) -> None:
    with pytest.raises(TrtmatrixError, match=said):
        call(judge, run, *words)


def test_cells_without_builds_are_no_common_ground_and_against_no_policy(
    run: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Unmeasured cells are on no host: both runs have them, and nothing is compared by that."""
    other = Bundle.create(tmp_path / "other", Manifest(run="other", state="interrupted"))
    for number in ("2023.0.2", "2024.0.0"):
        cell = Cell("mobilenet_v2", Treatment(), "openvino", number, "venv")
        other.set_cell(cell, "interrupted", "the run ended before this cell was measured")
    other.save()
    with pytest.raises(TrtmatrixError, match="baseline 'other': nothing of these runs' networks"):
        call(judge, run, "--baseline", str(other.root))
    assert call(judge, str(other.root), "--fail-on", "indeterminate") == 0
    assert "2 cells have no verdict" in capsys.readouterr().out


def test_a_run_that_was_killed_is_read_as_one_that_was_interrupted(
    run: str, capsys: pytest.CaptureFixture[str]
) -> None:
    made = Bundle.open(Path(run))
    for record in made.cells():
        made.set_cell(record.cell, "pending")
    late = Cell("mobilenet_v2", Treatment(), "openvino", "2026.0.0", "venv")
    made.set_cell(late, "pending")
    made.save()
    assert call(judge, run) == 0
    out = capsys.readouterr().out
    assert "openvino 2024.0.0 against 2023.0.2" in out
    assert "1 cell has no verdict" in out


def test_two_runtimes_on_one_host(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Of bundles of two runtimes that were measured on the CPU."""
    slow = bundle(tmp_path / "slow", {"2.21.0": 4.0}, runtime="tensorflow")
    fast = bundle(tmp_path / "fast", {"1.32.0": 3.0}, runtime="onnxruntime")
    assert call(judge, str(slow), str(fast), "--runtimes", "tensorflow:onnxruntime") == 0
    out = capsys.readouterr().out
    assert "mobilenet_v2 fp32-b1-clip on host-a, against tensorflow" in out
    assert "1.333 (1.3" in out
    with pytest.raises(TrtmatrixError, match="expected OLD:NEW"):
        call(judge, str(slow), "--runtimes", "tensorflow")
