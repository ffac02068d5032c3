"""Tonight against the last nights: their scatter is in the answer; a bad machine is told from a change."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from harness.analysis.grid import Grid, grid_of
from harness.analysis.nights import NightBaseline, judge_nights
from harness.analysis.table import INDETERMINATE
from harness.analysis.verdict import Verdict
from harness.errors import NothingToCompareError
from harness.history.adding import set_alarms
from harness.history.folder import open_history
from harness.history.levels import baseline_of
from harness.plugins.reading import observe
from harness.store.documents.night import ChangedSeries
from tests.history.composed import add_night, night_bundle

pytest.importorskip("duckdb", reason="a history is read with DuckDB, the extra 'history'")

NIGHTS = 6
BUSY = 3
"""A night on which the machine took a fifth longer for everything."""
ANCHOR = ("openvino 1.0",)
ENGINES, NEW_ENGINES = ("old-0123456789abcdef", "new-0123456789abcdef"), 2
"""Names of the anchor's engines that are kept over nights, and the night from which on they are others."""


@pytest.fixture(scope="module")
def history(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Six nights of an anchor (1.0) and another version, one of them busy."""
    folder = tmp_path_factory.mktemp("nights")
    random = np.random.default_rng(3)
    for number in range(NIGHTS):
        machine = (1.2 if number == BUSY else 1.0) * float(np.exp(random.normal(0.0, 0.01)))
        own = np.exp(random.normal(0.0, 0.002, 2))
        latencies = {"1.0": 2.0 * machine * float(own[0]), "2.0": 1.0 * machine * float(own[1])}
        engines = {"1.0": ENGINES[number >= NEW_ENGINES]}
        add_night(folder / "history", night_bundle(folder, number, latencies, engines=engines))
    return folder / "history"


def tonight(folder: Path, anchor: float, other: float, driver: str = "535.1", engine: str = "") -> Grid:
    engines = {"1.0": engine}
    bundle = night_bundle(folder, NIGHTS, {"1.0": 2.0 * anchor, "2.0": other}, driver=driver, engines=engines)
    return grid_of(observe([bundle]))


def verdicts(
    history: Path, grid: Grid, anchors: tuple[str, ...] = ANCHOR, night: str | None = None
) -> dict[str, Verdict]:
    found = open_history(history)
    asked = None if night is None else found.night(night)
    baseline: NightBaseline = baseline_of(found, grid, [], asked, anchors=anchors)
    return {v.version: v for v in judge_nights(grid, baseline, rules={})}


def words(found: dict[str, Verdict]) -> Sequence[str]:
    return [found[version].verdict for version in ("1.0", "2.0")]


def test_a_version_that_changed_is_told_from_a_machine_that_did(history: Path, tmp_path: Path) -> None:
    version = verdicts(history, tonight(tmp_path / "version", 1.0, 1.1))
    assert words(version) == [INDETERMINATE, "regressed"]
    assert version["2.0"].kind == "night"
    assert version["2.0"].against == "the last 14 nights"
    assert "through openvino 1.0, measured in each" in version["2.0"].reason
    machine = verdicts(history, tonight(tmp_path / "machine", 1.1, 1.1))
    assert words(machine) == [INDETERMINATE, "unchanged"]
    assert "it is the anchor" in machine["1.0"].reason


def test_nights_of_the_same_engines_are_compared_through_them(history: Path, tmp_path: Path) -> None:
    same = verdicts(history, tonight(tmp_path / "same", 1.0, 1.1, engine=ENGINES[1]))["2.0"]
    assert same.verdict == "regressed"
    assert "through openvino 1.0, the same engines in each" in same.reason
    runs = [night.run for night in open_history(history).nights]
    assert same.evidence["nights"] == runs[NEW_ENGINES:]
    few = verdicts(history, tonight(tmp_path / "few", 1.0, 1.1, engine=ENGINES[0]))["2.0"]
    assert "through openvino 1.0, measured in each" in few.reason, "two nights had these engines"
    assert few.evidence["nights"] == runs


def test_without_an_anchor_it_says_so_and_nights_scatter_more(history: Path, tmp_path: Path) -> None:
    grid = tonight(tmp_path, 1.0, 1.0)
    alone, anchored = verdicts(history, grid, ())["2.0"], verdicts(history, grid)["2.0"]
    assert "no anchor is pinned" in alone.reason
    scatters = [float(str(v.evidence["scatter_of_nights"])) for v in (alone, anchored)]
    assert scatters[0] > 2 * scatters[1]


def test_a_bad_night_is_set_aside_and_named(history: Path, tmp_path: Path) -> None:
    found = verdicts(history, tonight(tmp_path, 1.0, 1.0), ())["2.0"]
    assert "set aside: 2026-02-02" in found.reason


def test_an_anchor_that_is_not_what_it_was_is_not_used(history: Path, tmp_path: Path) -> None:
    found = verdicts(history, tonight(tmp_path, 1.0, 1.0, driver="550.2"))["2.0"]
    assert "no anchor: openvino 1.0 was the same in 0 of these nights" in found.reason
    assert "also differ: driver 535.1 -> 550.2" in found.reason


def test_one_night_carries_the_scatter_of_all(history: Path, tmp_path: Path) -> None:
    grid = tonight(tmp_path, 1.0, 1.1)
    one = verdicts(history, grid, night="2026-01-31")["2.0"]
    assert one.against == "night 2026-01-31"
    assert one.builds == (1, 3)
    every = verdicts(history, grid)["2.0"]
    assert one.interval is not None
    assert every.interval is not None
    assert one.interval[1] - one.interval[0] > every.interval[1] - every.interval[0]


def test_after_an_alarm_the_level_since_counts(history: Path, tmp_path: Path) -> None:
    import shutil

    shutil.copytree(history, tmp_path / "history")
    changed = night_bundle(tmp_path, NIGHTS, {"1.0": 2.0, "2.0": 1.1})
    add_night(tmp_path / "history", changed)
    later = night_bundle(tmp_path, NIGHTS + 1, {"1.0": 2.0, "2.0": 1.1})
    grid = grid_of(observe([later]))
    assert verdicts(tmp_path / "history", grid)["2.0"].effect == pytest.approx(1.08, abs=0.03)
    cell = grid.judged[1].cell
    series = ChangedSeries(cell=cell.id, environment="venv", host="host-a", measure="latency")
    set_alarms(tmp_path / "history", changed.name, ["2.0 regressed"], [series])
    assert verdicts(tmp_path / "history", grid)["2.0"].effect == pytest.approx(1.0, abs=0.001)


def test_two_nights_are_too_few(tmp_path: Path) -> None:
    for number in range(2):
        add_night(tmp_path / "history", night_bundle(tmp_path, number, {"1.0": 2.0, "2.0": 1.0}))
    found = verdicts(tmp_path / "history", tonight(tmp_path, 1.0, 2.0), ())
    assert words(found) == [INDETERMINATE, INDETERMINATE]
    assert "2 earlier nights: with fewer than 3" in found["2.0"].reason


def test_nothing_in_common_is_said(history: Path, tmp_path: Path) -> None:
    elsewhere = grid_of(observe([night_bundle(tmp_path, NIGHTS, {"1.0": 2.0}, host="host-b")]))
    with pytest.raises(NothingToCompareError, match="no earlier night"):
        verdicts(history, elsewhere)
