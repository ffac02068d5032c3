"""What is compared with what: neighbours by age, a declared version, a stored run."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from harness.analysis.baseline import Baseline, baseline_name
from harness.analysis.grid import Grid, grid_of
from harness.analysis.groups import BuildGroup
from harness.errors import UsageError
from harness.matrix.cell import Treatment
from harness.observations.identity import Identity
from harness.store.documents.origin import Software


def cell(compose: Any, version: str, *, host: str = "a", environment: str = "venv", **more: Any) -> Any:
    made = compose.cell(version, [compose.build(n, 1.0 + n / 100, host=host) for n in range(2)], **more)
    return replace(made, cell=replace(made.cell, environment=environment))


def grid(compose: Any, *cells: Any, name: str = "run") -> Grid:
    return grid_of(compose.run(*cells, name=name))


def names(groups: list[BuildGroup | None]) -> list[str | None]:
    return [None if group is None else group.cell.version for group in groups]


def test_previous_is_the_next_older_version_of_the_same_line(compose: Any) -> None:
    made = grid(
        compose,
        *(cell(compose, version) for version in ("10.0", "9.3", "8.6.1", "8.6.0")),
        cell(compose, "9.9", runtime="openvino"),
        cell(compose, "9.8", host="b"),
        cell(compose, "9.7", treatment=Treatment(precision="fp16")),
        cell(compose, "9.6", repeat="aa"),
    )
    sides = Baseline("previous", made.judged)
    assert sides.name == "previous"
    found = {group.cell.version: sides.find(group) for group in made.judged}
    assert names(list(found.values())) == ["9.3", "8.6.1", "8.6.0", None, None, None, None, None]
    old = found["9.3"]
    assert old is not None
    assert sides.label(old) == "8.6.1"


def test_of_two_names_of_the_release_before_the_one_in_the_same_environment_is_compared(compose: Any) -> None:
    made = grid(
        compose,
        cell(compose, "8.4.0"),
        *(cell(compose, version) for version in ("8.5.3.1", "8.6.0", "8.7.0+cu12", "8.7.0+cu13")),
        *(cell(compose, f"{version}+image", environment="docker") for version in ("8.5.3.1", "8.6.0")),
    )
    sides = Baseline("previous", made.judged)
    assert {
        group.cell.version: old.cell.version
        for group in made.judged
        if (old := sides.find(group)) is not None
    } == {
        "8.5.3.1": "8.4.0",
        "8.5.3.1+image": "8.5.3.1",
        "8.6.0": "8.5.3.1",
        "8.6.0+image": "8.6.0",
        "8.7.0+cu12": "8.6.0",
        "8.7.0+cu13": "8.7.0+cu12",
    }


def test_the_second_arm_is_held_against_the_first_of_its_version(compose: Any) -> None:
    made = grid(compose, cell(compose, "1.0"), cell(compose, "2.0"), cell(compose, "2.0", repeat="aa"))
    for wanted in ("previous", "1.0"):
        found = Baseline(wanted, made.judged).find(made.judged[2])
        assert found is made.judged[1]
    stored = grid(compose, cell(compose, "2.0"), name="stored")
    assert Baseline(stored, made.judged).find(made.judged[2]) is made.judged[1]


def test_a_declared_version_is_found_with_and_without_its_runtime(compose: Any) -> None:
    made = grid(compose, cell(compose, "1.0"), cell(compose, "2.0"), cell(compose, "3.0"))
    for wanted in ("2.0", "tensorrt 2.0"):
        sides = Baseline(wanted, made.judged)
        assert names([sides.find(group) for group in made.judged]) == ["2.0", None, "2.0"]
        assert sides.name == wanted


def test_of_one_version_the_same_environment_is_the_closest(compose: Any) -> None:
    made = grid(
        compose,
        cell(compose, "1.0", environment="docker"),
        cell(compose, "1.0", environment="venv"),
        cell(compose, "2.0", environment="venv"),
        cell(compose, "2.0", environment="current"),
    )
    by_place = {(g.cell.version, g.cell.environment): g for g in made.judged}
    sides = Baseline("previous", made.judged)
    assert sides.find(by_place["2.0", "venv"]) is by_place["1.0", "venv"]
    other = sides.find(by_place["2.0", "current"])
    assert other is by_place["1.0", "docker"], "else the first"


def test_a_stored_run_gives_the_same_version_else_the_next_older(compose: Any) -> None:
    stored = grid(
        compose,
        *(cell(compose, version) for version in ("1.0", "2.0", "4.0")),
        cell(compose, "3.0", repeat="aa"),
        name="monday",
    )
    made = grid(compose, *(cell(compose, version) for version in ("0.9", "2.0", "3.0")))
    sides = Baseline(stored, made.judged)
    found = [sides.find(group) for group in made.judged]
    assert names(found) == [None, "2.0", "2.0"]
    assert all(group is None or group in stored.judged for group in found)
    assert found[1] is not None
    assert sides.label(found[1]) == "2.0 of monday"


def test_a_twin_of_the_same_run_is_not_called_after_the_stored_one(compose: Any) -> None:
    made = grid(compose, cell(compose, "2.0"), cell(compose, "2.0", repeat="aa"))
    sides = Baseline(grid(compose, cell(compose, "2.0"), name="monday"), made.judged)
    twin = sides.find(made.judged[1])
    assert twin is not None
    assert sides.label(twin) == "2.0"


def test_what_is_called_no_baseline_is_told_what_would_be_one(compose: Any) -> None:
    made = grid(compose, cell(compose, "10.0"), cell(compose, "9.0"))
    with pytest.raises(UsageError) as caught:
        Baseline("7.0", made.judged)
    assert str(caught.value) == (
        "baseline '7.0' is no version of these runs; did you mean '9.0'?; "
        "say 'previous', the folder of a run, or one of 9.0, 10.0"
    )
    with pytest.raises(UsageError, match=r"or one of none$"):
        Baseline("7.0", ())


def test_a_stored_run_of_other_things_is_refused(compose: Any) -> None:
    made = grid(compose, cell(compose, "2.0"))
    said = (
        "baseline 'monday': nothing of these runs' networks, treatments and runtimes on their hosts is in it"
    )
    others = (
        cell(compose, "2.0", host="b"),
        cell(compose, "2.0", runtime="openvino"),
        compose.cell("2.0", status="failed"),
    )
    for other in others:
        with pytest.raises(UsageError) as caught:
            Baseline(grid(compose, other, name="monday"), made.judged)
        assert str(caught.value) == said


def test_a_stored_run_is_called_after_its_folders(compose: Any) -> None:
    made = grid(compose, cell(compose, "2.0"))
    several = replace(made, run=replace(made.run, runs=(Path("a/monday"), Path("b/tuesday"))))
    assert baseline_name(several) == "monday, tuesday"
    assert baseline_name(replace(made, run=replace(made.run, runs=()))) == "stored run"
    assert baseline_name("8.6.0") == "8.6.0"


def test_what_is_of_another_line_than_the_run_has_no_baseline(compose: Any) -> None:
    made = grid(compose, cell(compose, "1.0"), cell(compose, "2.0"))
    (foreign,) = grid(compose, cell(compose, "3.0", host="b")).judged
    assert Baseline("previous", made.judged).find(foreign) is None


def started(compose: Any, *days: int, version: str = "2.0", host: str = "a", **software: str) -> Any:
    """A cell with a build of a run of its own on each of some days."""
    builds = [
        replace(
            compose.build(n, 1.0, host=host),
            identity=Identity(
                f"night-{day}",
                f"night-{day}",
                started=datetime(2026, 1, day, tzinfo=UTC),
                software=Software(**software),
            ),
        )
        for n, day in enumerate(days)
    ]
    return compose.cell(version, builds)


def test_what_was_built_earlier_is_the_last_of_the_same_cell_before_it(compose: Any) -> None:
    made = grid(
        compose,
        started(compose, 3, 1, 2),
        started(compose, 4, version="1.0"),
        started(compose, 5, host="b"),
        compose.cell("3.0", status="failed"),
    )
    in_order = sorted(made.judged, key=lambda group: group.started)
    sides = Baseline("previous", in_order)
    found = {}
    for group in in_order:
        old = sides.earlier(group)
        found[group.cell.version, group.host, group.started[:10]] = None if old is None else old.started[:10]
    assert found == {
        ("2.0", "a", "2026-01-01"): None,
        ("2.0", "a", "2026-01-02"): "2026-01-01",
        ("2.0", "a", "2026-01-03"): "2026-01-02",
        ("1.0", "a", "2026-01-04"): None,
        ("2.0", "b", "2026-01-05"): None,
        **{("3.0", group.host, ""): None for group in made.judged if not group.observed},
    }
    (foreign,) = grid(compose, cell(compose, "3.0", host="c")).judged
    assert sides.earlier(foreign) is None
    assert sides.elsewhere(foreign) is None


def test_an_environment_is_held_against_the_first_one_of_the_same_run(compose: Any) -> None:
    def arm(environment: str, repeat: str, day: int, version: str = "2.0") -> Any:
        found = started(compose, day, version=version)
        return replace(found, cell=replace(found.cell, environment=environment, repeat=repeat))

    made = grid(
        compose,
        arm("venv", "", 2),
        arm("venv", "", 1, "1.0"),
        arm("docker", "docker", 2),
        arm("current", "current", 3),
        arm("venv", "aa", 2),
    )
    sides = Baseline("previous", made.judged)
    found = {
        (group.cell.environment, group.cell.repeat): sides.elsewhere(group)
        for group in made.judged
        if group.cell.version == "2.0"
    }
    first = next(g for g in made.judged if (g.cell.version, g.cell.repeat) == ("2.0", ""))
    assert found == {
        ("venv", ""): None,
        ("docker", "docker"): first,
        ("current", "current"): None,  # of another run
        ("venv", "aa"): None,
    }


def test_an_unpooled_group_is_called_by_its_version_and_name(compose: Any) -> None:
    made = grid(compose, started(compose, 1, 2))
    sides = Baseline("previous", made.judged)
    assert [sides.label(group) for group in made.judged] == ["2.0 (run night-1)", "2.0 (run night-2)"]
