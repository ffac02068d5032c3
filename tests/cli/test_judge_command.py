"""``trtmatrix judge`` and ``bisect`` from a shell's side, on bundles written here (composed times)."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from harness.cli import bisect, judge
from harness.errors import TrtmatrixError
from harness.matrix.cell import Cell, Treatment
from harness.store.bundle import Bundle

NOISE = (1.0, 1.004, 0.996)


def bundle(root: Path, latencies: dict[str, float], builds: Sequence[float] = NOISE) -> Path:
    """A run of one network with a cell a version; the latency of each build is composed."""
    made = Bundle.create(root, {"run": root.name, "state": "finished"})
    for version, latency in latencies.items():
        cell = Cell("mobilenet_v2", Treatment(), "openvino", version, "venv")
        made.set_cell(cell, "measured")
        for number, factor in enumerate(builds):
            files = made.root / f"incoming-{number}"
            (files / "evidence").mkdir(parents=True)
            (files / "result.json").write_text('{"facts": {}}', encoding="utf-8")
            window = {"pass": "latency", "window": 0, "clock": "host", "latency_ms": [latency * factor] * 5}
            (files / "samples.json").write_text(json.dumps({"windows": [window]}), encoding="utf-8")
            document = {"status": "ok", "reason": "", "host": "host-a", "round": number}
            made.put_build(cell.id, number, files, document)
    made.save()
    return root


def call(command: str, *words: str) -> int:
    parser = argparse.ArgumentParser()
    commands = parser.add_subparsers()
    for module in (judge, bisect):
        module.add_parser(commands)
    arguments = parser.parse_args([command, *words])
    return int(arguments.func(arguments))


@pytest.fixture
def run(tmp_path: Path) -> str:
    return str(bundle(tmp_path / "run", {"2023.0.2": 4.0, "2024.0.0": 3.0, "2024.6.0": 3.6, "2025.0.0": 3.6}))


def test_prints_a_line_a_verdict_and_counts(run: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert call("judge", run) == 0
    lines = capsys.readouterr().out.splitlines()
    latency = [line for line in lines if line.startswith("latency of")]
    assert [line.split("): ")[1].split(":")[0] for line in latency] == ["reduced", "regressed", "unchanged"]
    assert "against 2024.0.0" in latency[1]
    assert "1 reduced, 1 regressed, 1 unchanged" in lines[-1]


def test_json_is_one_document(run: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert call("judge", run, "--json", "--baseline", "2023.0.2") == 0
    data = json.loads(capsys.readouterr().out)
    assert (data["schema"], data["baseline"]) == ("trtmatrix.verdicts/1", "2023.0.2")
    latency = {v["version"]: v for v in data["verdicts"] if v["bottleneck"] == "latency"}
    assert {v["verdict"] for v in latency.values()} == {"reduced"}
    assert latency["2024.0.0"]["effect"] == pytest.approx(0.75)


def test_the_policy_decides_the_exit_code(run: str, tmp_path: Path) -> None:
    assert call("judge", run, "--fail-on", "regressed,invalid") == 1
    assert call("judge", run, "--fail-on", "invalid") == 0
    accepted = tmp_path / "accepted.toml"
    accepted.write_text(
        '[[accepted]]\nverdict = "regressed"\nversion = "2024.6.0"\nreason = "known"\nexpires = 2999-01-01\n',
        encoding="utf-8",
    )
    assert call("judge", run, "--fail-on", "regressed", "--accepted", str(accepted)) == 0


def test_a_stored_run_as_baseline(run: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    monday = bundle(tmp_path / "monday", {"2025.0.0": 3.0})
    assert call("judge", run, "--baseline", str(monday), "--json") == 0
    data = json.loads(capsys.readouterr().out)
    assert data["baseline"] == "monday"
    (found,) = (v for v in data["verdicts"] if v["bottleneck"] == "latency")
    assert (found["version"], found["verdict"], found["against"]) == (
        "2025.0.0",
        "regressed",
        "2025.0.0 of monday",
    )


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--fail-on", "slower"], "'slower' is no verdict; known are removed"),
        (["--baseline", "1.0"], "baseline '1.0' is no version of these runs"),
        (["--accepted", "none.toml"], "none.toml: cannot be read"),
    ],
)
def test_a_mistake_is_one_line(run: str, words: list[str], said: str) -> None:
    with pytest.raises(TrtmatrixError, match=said):
        call("judge", run, *words)


def test_bisect_on_a_stored_run(run: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert call("bisect", run, "--versions", "2024.0.0,2024.6.0,2025.0.0") == 0
    assert "the change lies between 2024.0.0 and 2024.6.0" in capsys.readouterr().out
    assert call("bisect", run, "--json") == 0
    data = json.loads(capsys.readouterr().out)
    assert (data["before"], data["after"]) == ("2023.0.2", "2024.0.0")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--bottleneck", "colour"], "'colour' is unknown; known are pointwise"),
        (["--network", "vgg"], "'vgg' is not there; known are mobilenet_v2"),
        (["--versions", "1.0,2024.0.0"], "'1.0' is not there; known are 2023.0.2"),
        (["--versions", "2024.0.0"], "at least two versions"),
        (["--host", "host-b"], "at least two versions"),
    ],
)
def test_what_cannot_be_bisected_says_why(run: str, words: list[str], said: str) -> None:
    with pytest.raises(TrtmatrixError, match=said):
        call("bisect", run, *words)


def test_without_layer_times_bisect_cannot_tell(run: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert call("bisect", run, "--bottleneck", "depthwise") == 0
    assert "cannot tell from 2023.0.2 to 2025.0.0: no build has layer times" in capsys.readouterr().out


def test_a_matrix_needs_a_folder_for_its_runs(tmp_path: Path) -> None:
    matrix = tmp_path / "matrix.toml"
    matrix.write_text("", encoding="utf-8")
    with pytest.raises(TrtmatrixError, match="--out is needed"):
        call("bisect", str(matrix))
