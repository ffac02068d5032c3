"""``trtmatrix judge`` without ``-v``: tables, and in words what changed."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from harness.analysis.grid import grid_of
from harness.analysis.judge import judge as judge_run
from harness.cli import judge
from harness.cli.verdict_table import print_board
from harness.errors import TrtmatrixError
from harness.matrix.cell import Cell, Treatment
from harness.store.bundle import Bundle
from harness.store.documents.manifest import Manifest
from tests.analysis.test_pairs import run_of_blocks as gone_on_with
from tests.cli.composed_runs import bundle, call


@pytest.fixture
def run(tmp_path: Path) -> Path:
    return bundle(tmp_path / "run", {"2023.0.2": 4.0, "2024.0.0": 3.0, "2024.6.0": 3.6, "2025.0.0": 3.6})


def shown(capsys: pytest.CaptureFixture[str], *words: str) -> list[str]:
    assert call(judge, *words) == 0
    return [re.sub(" +", " ", line.rstrip()) for line in capsys.readouterr().out.splitlines()]


def test_a_row_a_version_with_sign_and_size_of_its_change(
    run: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = shown(capsys, str(run))
    assert lines[0] == "mobilenet_v2-fp32-b1-clip"
    assert lines[1].split()[0] == "latency"
    rows = {
        line.partition(" against ")[0]: line.partition(" against ")[2]
        for line in lines
        if " against " in line
    }
    assert rows["openvino 2024.0.0"].startswith("2023.0.2 * ▼ −25.0 %")
    assert rows["openvino 2024.6.0"].startswith("2024.0.0 * ▲ +20.0 %")
    assert rows["openvino 2025.0.0"].startswith("2024.6.0 * = +0.0 %")
    legend = next(line for line in lines if line.startswith("▼ reduced"))
    assert "= unchanged ▲ regressed" in legend
    assert "* measured one after the other" in lines


def test_builds_of_blocks_of_one_a_side_have_a_mark_of_their_own(capsys: pytest.CaptureFixture[str]) -> None:
    made = gone_on_with((1, 1, 1.0), (1, 1, 1.2), (1, 1, 0.9))
    grid = grid_of(made)
    print_board(judge_run(grid, rules={}), grid, [], [], None)
    lines = [re.sub(" +", " ", line.rstrip()) for line in capsys.readouterr().out.splitlines()]
    assert any(line.startswith("r 2.0 against 1.0 + ") for line in lines)
    assert "+ measured side by side, one build a side" in lines
    assert not any("one after the other" in line for line in lines)


def test_what_would_settle_stands_below_the_tables(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    noisy = bundle(tmp_path / "noisy", {"2024.0.0": 3.0, "2024.6.0": 2.7}, (0.95, 1.0, 1.04))
    (line,) = [line for line in shown(capsys, str(noisy)) if "would be settled" in line]
    where = (
        "mobilenet_v2-fp32-b1-clip on openvino 2024.6.0 against 2024.0.0 would be settled: latency by about "
    )
    assert line.startswith(where)
    assert " more builds a side" in line


@pytest.mark.parametrize(
    ("said", "word"), [("1%", "regressed"), ("0.25", "unchanged"), ("25 %", "unchanged")]
)
def test_what_is_material_may_be_said(
    run: Path, capsys: pytest.CaptureFixture[str], said: str, word: str
) -> None:
    lines = shown(capsys, str(run), "--material", said, "-v")
    assert [line for line in lines if f"openvino 2024.6.0 against 2024.0.0 (host-a): {word}" in line]


@pytest.mark.parametrize("said", ["0", "100%", "little", "-1%", "nan"])
def test_what_is_no_share_is_refused(run: Path, capsys: pytest.CaptureFixture[str], said: str) -> None:
    with pytest.raises(TrtmatrixError, match=r"no share above 0 and below 1, such as 0\.01 for 1 %"):
        call(judge, str(run), f"--material={said}")
    assert capsys.readouterr().out == ""


def test_what_changed_is_said_in_words_and_nothing_else(
    run: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    said = [line for line in shown(capsys, str(run)) if " of mobilenet_v2 " in line]
    assert [line.partition("): ")[2].partition(":")[0] for line in said] == ["reduced", "regressed"]
    every = [line for line in shown(capsys, str(run), "-v") if " of mobilenet_v2 " in line]
    assert set(said) < set(every)


def test_what_is_against_the_policy_is_said_in_words(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert call(judge, str(run), "--fail-on", "unchanged") == 1
    out = capsys.readouterr().out
    assert "on openvino 2025.0.0 against 2024.6.0 (host-a): unchanged" in out
    assert out.rstrip().endswith("1 against the policy")


def test_treatments_and_passes_have_tables_too(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    clip = bundle(tmp_path / "clip", {"2024.6.0": 3.0}, graph=0.5)
    pieces = bundle(tmp_path / "pieces", {"2024.6.0": 4.0}, treatment=Treatment(relu6="relu_sub"), graph=0.5)
    words = [str(clip), str(pieces), "--treatments", "relu6=clip:relu_sub", "--pass", "cuda_graph"]
    lines = shown(capsys, *words)
    assert lines[0] == "mobilenet_v2-fp32-b1-relu_sub"
    assert lines[1].strip() == "cuda_graph"
    assert lines[2] == "openvino 2024.6.0 against relu6 clip * ▲ +33.3 %"


def test_cells_that_could_not_run_are_counted_by_reason(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    made = Bundle.create(tmp_path / "run", Manifest(run="run", state="complete"))
    for number, reason in (("8.5.3.1", "no GPU"), ("8.6.0", "no GPU"), ("5.0.2", "[x] no image")):
        made.set_cell(Cell("mobilenet_v2", Treatment(), "tensorrt", number, "venv"), "unavailable", reason)
    made.save()
    *lines, total = shown(capsys, str(made.root))
    assert sorted(lines) == ["1 cell unsupported: [x] no image", "2 cells unsupported: no GPU"]
    assert total.endswith(" unsupported")


@pytest.mark.parametrize("columns", ["60", "200"])
def test_no_version_is_cut_on_a_narrow_terminal(run: Path, columns: str) -> None:
    pytest.importorskip("pty")
    command = "import pty, sys; pty.spawn([sys.executable, '-m', 'harness.cli', 'judge', sys.argv[1]])"
    environment = {**os.environ, "COLUMNS": columns, "TERM": "dumb"}
    found = subprocess.run(
        [sys.executable, "-c", command, str(run)],
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=True,
    )
    assert "openvino 2024.0.0 against 2023.0.2" in found.stdout


def test_a_version_in_two_environments_has_two_names(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = bundle(tmp_path / "run", {"2023.0.2": 4.0, "2024.0.0": 3.0})
    made = Bundle.open(run)
    twin = Cell("mobilenet_v2", Treatment(), "openvino", "2024.0.0", "current", "current")
    made.set_cell(twin, "measured")
    shutil.copytree(run / "builds/mobilenet_v2-fp32-b1-clip-openvino-2024.0.0", run / f"builds/{twin.id}")
    for said in (run / f"builds/{twin.id}").glob("*/build.json"):
        text = said.read_text(encoding="utf-8")
        said.write_text(text.replace("openvino-2024.0.0", "openvino-2024.0.0-current"), encoding="utf-8")
    made.save()
    rows = [
        line.partition(" against ")[0] for line in shown(capsys, str(run)) if " against 2023.0.2 " in line
    ]
    assert rows[:2] == ["openvino 2024.0.0", "openvino 2024.0.0 (current)"]


def test_a_cell_that_failed_says_why(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    made = Bundle.open(run)
    made.set_cell(
        Cell("mobilenet_v2", Treatment(), "openvino", "2026.0.0", "venv"), "failed", "out of memory"
    )
    made.save()
    assert any(
        "1 cell without an answer: " in line and "out of memory" in line for line in shown(capsys, str(run))
    )
