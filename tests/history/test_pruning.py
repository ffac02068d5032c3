"""Pruning: old evidence goes by policy, nights with an alarm and all tables stay, leftovers of ours go."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from harness.history.adding import set_alarms
from harness.history.folder import open_history, strangers
from harness.history.pruning import Keep, prune
from tests.history.composed import FIRST, add_night, night_bundle

NOW = FIRST + timedelta(days=40)


@pytest.fixture
def history(tmp_path: Path) -> Path:
    """Three nights; the second has an alarm."""
    for number in (0, 1, 39):
        add_night(tmp_path / "history", night_bundle(tmp_path, number, {"1.0": 2.0}))
    set_alarms(tmp_path / "history", open_history(tmp_path / "history").nights[1].run, ["regressed"])
    return tmp_path / "history"


def kept(history: Path) -> list[bool]:
    return [night.bundle is not None for night in open_history(history).nights]


def test_old_files_go_and_alarms_and_tables_stay(history: Path) -> None:
    tables = sorted(path.name for path in history.rglob("*.parquet") if "bundles" not in path.parts)
    said = prune(history, Keep(30, 1), dry_run=True, now=NOW)
    assert kept(history) == [True, True, True]
    gone = prune(history, Keep(30, 1), now=NOW)
    assert [going.path for going in gone] == [going.path for going in said]
    assert kept(history) == [False, True, True]
    assert gone[0].size > 0
    assert not gone[0].path.exists()
    left = sorted(path.name for path in history.rglob("*.parquet") if "bundles" not in path.parts)
    assert left == tables
    assert prune(history, Keep(30, 1), now=NOW) == []


def test_the_last_nights_of_each_version_stay_however_old(history: Path) -> None:
    prune(history, Keep(0, 3), now=NOW)
    assert kept(history) == [True, True, True]


def test_what_an_ended_process_left_goes_and_what_is_not_ours_stays(history: Path) -> None:
    night = open_history(history).nights[0]
    table = history / next(file for file in night.files if file.startswith("points"))
    half = table.with_name(f".{table.name}.1234")
    half.write_bytes(b"PAR1")
    superseded = table.with_name(f"{night.run}-00000000.parquet")
    superseded.write_bytes(b"PAR1")
    staged = history / "bundles" / ".new-something.77"
    staged.mkdir()
    foreign = table.with_name("somebody-elses.parquet")
    foreign.write_bytes(b"mine")
    lost = table.with_name("20250101-000000-0000-00000000.parquet")
    lost.write_bytes(b"PAR1")
    gone = prune(history, Keep(1000, 0), now=NOW)
    assert {going.path for going in gone} == {half, superseded, staged}
    assert {Path(problem.path) for problem in strangers(open_history(history))} == {foreign, lost}


def test_engines_of_anchors_stay_while_nights_measure_them(tmp_path: Path) -> None:
    names = ["cell-0123456789abcdef", "cell-fedcba9876543210"]
    for number, name in ((0, names[0]), (39, names[1])):
        add_night(tmp_path / "history", night_bundle(tmp_path, number, {"1.0": 2.0}, engines={"1.0": name}))
    for name in (*names, "somebody's"):
        (tmp_path / "history/engines" / name).mkdir(parents=True)
    (gone, *_) = [x for x in prune(tmp_path / "history", Keep(30, 1), now=NOW) if "engines" in x.path.parts]
    assert gone.path.name == names[0]
    assert sorted(path.name for path in (tmp_path / "history/engines").iterdir()) == [names[1], "somebody's"]
