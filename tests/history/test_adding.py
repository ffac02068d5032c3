"""Adding: each run once, the same place, whole or not at all; what does not belong is named."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from harness.errors import FolderInUseError, NoSuchFileError, SameBuildError, UnknownNameError
from harness.history.adding import set_alarms
from harness.history.folder import open_history, strangers
from harness.history.reading import series
from harness.history.records import Filter
from tests.history.composed import FIRST, add_night, night_bundle

pytest.importorskip("duckdb", reason="a history is read with DuckDB, the extra 'history'")


@pytest.fixture(scope="module")
def bundles(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Four nights over the end of a month; the driver changes with the third."""
    folder = tmp_path_factory.mktemp("nights")
    drivers = ("535.1", "535.1", "550.2", "550.2")
    return [
        night_bundle(folder, number, {"1.0": 2.0 + number, "2.0": 1.0}, driver=driver)
        for number, driver in enumerate(drivers)
    ]


@pytest.fixture(scope="module")
def history(bundles: list[Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The four nights added, the last one first."""
    root = tmp_path_factory.mktemp("kept") / "history"
    for bundle in reversed(bundles):
        assert add_night(root, bundle).state == "added"
    return root


def files(root: Path) -> dict[str, bytes]:
    return {p.relative_to(root).as_posix(): p.read_bytes() for p in root.rglob("*") if p.is_file()}


def test_series_are_in_the_order_of_the_nights_and_say_what_was_measured(history: Path) -> None:
    read = series(open_history(history), Filter(version="1.*", measure="latency"))
    (one,) = read.series
    assert (one.subject.version, one.subject.host, one.unit) == ("1.0", "host-a", "ms")
    assert [point.value for point in one.points] == pytest.approx([2.0, 3.0, 4.0, 5.0], rel=1e-4)
    assert [point.started for point in one.points] == sorted(point.started for point in one.points)
    assert one.points[0].started == FIRST
    assert one.points[0].builds == 3
    assert one.points[0].low is not None
    assert one.points[0].low < 2.0 < (one.points[0].high or 0.0)
    assert one.points[2].facts.differences(one.points[1].facts) == ("driver 535.1 -> 550.2",)
    assert read.problems == ()


def test_nights_are_chosen_by_time(history: Path) -> None:
    found = open_history(history)
    read = series(found, Filter(measure="latency", since=found.nights[2].started))
    assert [len(one.points) for one in read.series] == [2, 2]


def test_tables_lie_by_month_and_host(history: Path) -> None:
    found = sorted(path.relative_to(history).parts[:3] for path in history.glob("points/*/*/*.parquet"))
    assert found[0] == ("points", "month=2026-01", "host=host-a")
    assert found[-1] == ("points", "month=2026-02", "host=host-a")


def test_the_same_run_is_added_once_wherever_it_was_moved(
    history: Path, bundles: list[Path], tmp_path: Path
) -> None:
    before = files(history)
    shutil.copytree(bundles[0], tmp_path / "elsewhere")
    assert add_night(history, tmp_path / "elsewhere").state == "there already"
    assert files(history) == before


def test_a_run_that_went_on_replaces_what_was_there(tmp_path: Path) -> None:
    history = tmp_path / "history"
    first = night_bundle(tmp_path, 0, {"1.0": 2.0})
    add_night(history, first)
    set_alarms(history, first.name, ["latency regressed"])
    more = night_bundle(tmp_path / "more", 0, {"1.0": 2.0, "2.0": 1.0})
    assert add_night(history, more).state == "completed"
    found = open_history(history)
    assert [night.alarms for night in found.nights] == [["latency regressed"]]
    assert len(series(found, Filter(measure="latency")).series) == 2
    assert list(strangers(found)) == []
    assert add_night(history, first).state == "there already"
    assert len(list((history / "bundles").iterdir())) == 1


def test_another_part_of_a_run_is_refused(tmp_path: Path) -> None:
    add_night(tmp_path / "history", night_bundle(tmp_path, 0, {"1.0": 2.0}))
    other = night_bundle(tmp_path / "other", 0, {"2.0": 2.0})
    with pytest.raises(SameBuildError, match="one bundle"):
        add_night(tmp_path / "history", other)


def test_torn_and_foreign_files_are_named_and_left_out(
    history: Path, bundles: list[Path], tmp_path: Path
) -> None:
    shutil.copytree(history, tmp_path / "history")
    root = tmp_path / "history"
    torn = sorted(root.glob("points/*/*/*.parquet"))[0]
    torn.write_bytes(torn.read_bytes()[:100])
    missing = sorted(root.glob("points/*/*/*.parquet"))[1]
    missing.unlink()
    (root / "nights" / f"{bundles[3].name}.json").write_text("{", encoding="utf-8")
    foreign = torn.with_name("notes.parquet")
    foreign.write_text("mine", encoding="utf-8")
    found = open_history(root)
    assert [Path(problem.path).name for problem in found.problems] == [f"{bundles[3].name}.json"]
    read = series(found, Filter(measure="latency"))
    assert {problem.path for problem in read.problems} == {str(torn), str(missing)}
    assert [len(one.points) for one in read.series] == [1, 1]
    assert str(foreign) in {problem.path for problem in strangers(found)}


def test_what_is_no_history_is_refused(tmp_path: Path, bundles: list[Path]) -> None:
    with pytest.raises(NoSuchFileError, match="history add"):
        open_history(tmp_path / "none")
    (tmp_path / "used").mkdir()
    (tmp_path / "used/file").write_text("x", encoding="utf-8")
    with pytest.raises(FolderInUseError, match="no history"):
        add_night(tmp_path / "used", bundles[0])


def test_a_night_is_found_by_its_run_and_by_its_date(history: Path, bundles: list[Path]) -> None:
    found = open_history(history)
    assert found.night(bundles[1].name).run == bundles[1].name
    assert found.night("2026-01-31").run == bundles[1].name
    with pytest.raises(UnknownNameError, match="2025-01-01"):
        found.night("2025-01-01")
