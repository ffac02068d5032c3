"""A second look: an alarm counts where the new builds alone give it too (composed times)."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest
from msgspec.structs import replace

from harness.analysis.confirmation import with_confirmation
from harness.analysis.grid import grid_of
from harness.analysis.judge import judge
from harness.analysis.table import Change
from harness.analysis.verdict import LATENCY, Verdict
from harness.plugins import registry
from harness.plugins.reading import observe
from harness.store.bundle import Bundle
from tests.cli.composed_runs import NOISE, bundle

OLD, NEW = "2024.0.0", "2024.6.0"


def latency(root: Path, first: Mapping[str, int]) -> Verdict:
    """Return the verdict on the latency of the new version; *first* is where each second look begins."""
    opened = Bundle.open(root)
    by_version = {record.cell.version: record.cell.id for record in opened.cells()}
    opened.update(confirming={by_version[version]: number for version, number in first.items()})
    opened.save()
    verdicts = judge(grid_of(observe([root])), rules=registry.bottlenecks())
    (found,) = (v for v in verdicts if v.bottleneck == LATENCY and v.version == NEW)
    return found


def run(root: Path, again: float) -> Path:
    """A run whose new version is a quarter slower at first, and *again* times as slow in the second look."""
    made = bundle(root, {OLD: 3.0, NEW: 3.75}, [*NOISE, *NOISE])
    opened = Bundle.open(made)
    (cell,) = (record.cell for record in opened.cells() if record.cell.version == NEW)
    for number in (3, 4, 5):
        path = opened.build_folder(cell.id, number) / "samples.json"
        text = path.read_text(encoding="utf-8").replace(
            f"{3.75 * NOISE[number - 3]}", f"{again * NOISE[number - 3]}"
        )
        path.write_text(text, encoding="utf-8")
    return made


def test_an_alarm_without_a_second_look_stands(tmp_path: Path) -> None:
    found = latency(run(tmp_path / "run", 3.75), {})
    assert (found.verdict, found.confirmed) == ("regressed", None)


def test_an_alarm_that_is_given_again_is_confirmed(tmp_path: Path) -> None:
    found = latency(run(tmp_path / "run", 3.75), {OLD: 3, NEW: 3})
    assert (found.verdict, found.confirmed) == ("regressed", True)
    assert "measured again: 1.2500 times" in found.reason


def test_an_alarm_that_is_not_given_again_cannot_be_told(tmp_path: Path) -> None:
    alarm = latency(run(tmp_path / "run", 3.75), {})
    again = replace(alarm, verdict="unchanged", change=Change.UNCHANGED, reason="1.0010 times")
    (found,) = with_confirmation([alarm], [again])
    assert (found.verdict, found.change, found.alarm, found.confirmed) == (
        "indeterminate",
        None,
        False,
        False,
    )
    assert found.reason == f"regressed at first: {alarm.reason}; measured again: unchanged: 1.0010 times"
    # The other direction is no confirmation, and neither is another bottleneck.
    assert with_confirmation([alarm], [replace(again, verdict="reduced")])[0].confirmed is False
    assert with_confirmation([alarm], [replace(again, bottleneck="relu6")]) == [alarm]


@pytest.mark.parametrize("first", [{NEW: 3}, {OLD: 6, NEW: 6}])
def test_a_second_look_that_never_came_takes_no_alarm_back(tmp_path: Path, first: Mapping[str, int]) -> None:
    assert latency(run(tmp_path / "run", 3.0), first).confirmed is None
