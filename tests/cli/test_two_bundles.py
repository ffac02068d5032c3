"""Two bundles of one cell, judged and reported: what is kept apart, what is joined, and that it is said."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from harness.cli import judge, report
from tests.cli.composed_runs import call
from tests.observations import test_reading as composed
from tests.observations.composed import bundle
from tests.observations.test_reading import LATER, Made


def parts(root: Path) -> Made:
    """One run in two parts."""
    return bundle(root / "a", run="r"), bundle(root / "b", run="r", rounds=(2, 3), began=LATER)


APART = [
    (composed.environments, ("1.22.1 (venv)", "1.22.1 (docker)")),
    (composed.digests, ("1.22.1 (network 1)", "1.22.1 (network 2)")),
    (composed.drivers, ("1.22.1 (driver 550.1)", "1.22.1 (driver 580.2)")),
    (composed.nights, ("1.22.1 (run monday)", "1.22.1 (run tuesday)")),
]


@pytest.mark.parametrize(("made", "labels"), APART)
def test_groups_of_one_host_are_compared_and_not_pooled(
    tmp_path: Path, made: Callable[[Path], Made], labels: tuple[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    runs = [str(path) for path in made(tmp_path)]
    assert call(judge, *runs, "-v") == 0
    said = capsys.readouterr().out
    old, new = labels
    (latency,) = [line for line in said.splitlines() if line.startswith("latency of")]
    assert f"{new} against {old}" in latency
    assert "builds 2 and 2" in latency
    assert "compared and not pooled" in said
    assert call(judge, *runs) == 0
    assert "compared and not pooled" in capsys.readouterr().out


def test_two_gpus_of_one_machine_are_not_compared(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert call(judge, *map(str, composed.gpus(tmp_path)), "-v") == 0
    said = capsys.readouterr().out
    assert "(m-1/GPU-1)" in said
    assert "(m-1/GPU-2)" in said
    assert "against" not in said


def test_parts_of_one_run_are_one_group(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    runs = [str(path) for path in parts(tmp_path)]
    assert call(judge, *runs) == 0
    said = capsys.readouterr().out
    assert "parts of one run" in said
    assert " against " not in said
    text = tmp_path / "page.md"
    assert call(report, *runs, "-o", str(tmp_path / "page.html"), "--markdown", str(text)) == 0
    rows = [line for line in text.read_text(encoding="utf-8").splitlines() if line.startswith("| mobilenet")]
    assert [row for row in rows if row.endswith("clip | 4.006 |")]
    assert not [row for row in rows if "(run " in row]


def test_the_report_has_a_column_for_each_night(tmp_path: Path) -> None:
    runs = [str(path) for path in composed.nights(tmp_path)]
    page, text = tmp_path / "page.html", tmp_path / "page.md"
    assert call(report, *runs, "-o", str(page), "--markdown", str(text)) == 0
    for said in (page.read_text(encoding="utf-8"), text.read_text(encoding="utf-8")):
        assert "run monday" in said
        assert "run tuesday" in said
