"""Groups by identity: what is pooled, what stands side by side, and what is said of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from harness.analysis.grid import grid_of
from harness.analysis.identities import by_identity, facts_of, group_labels
from harness.analysis.judge import judge
from harness.analysis.verdict import Verdict, verdict_message
from harness.observations.identity import Group, Host, Identity, Software
from harness.observations.records import BuildObservation, RunObservation

HOST = Host(machine="m", device="GPU-1")
VENV = Software(version="8.6.0", environment="venv", fingerprint="sha256:aa", driver="535.1")
FIRST = Identity("night-1", "night-1", datetime(2026, 1, 1, tzinfo=UTC), None, None, "sha256:11", VENV, HOST)
SECOND = replace(FIRST, run="night-2", pool="night-2", started=datetime(2026, 1, 2, tzinfo=UTC))


def on(identity: Identity, **software: str) -> Identity:
    """Return *identity* with other *software*."""
    return replace(identity, software=structs.replace(identity.software, **software))


OTHERS = {
    "run night-2": SECOND,
    "docker": on(FIRST, environment="docker"),
    "driver 550.2": on(SECOND, driver="550.2"),
    "network 22222222": replace(FIRST, digest="sha256:2222222222"),
    "contents bb": on(FIRST, fingerprint="sha256:bb"),
}


def two(compose: Any, other: Identity, **more: Any) -> RunObservation:
    """One cell with three builds of the first night, and three of *other*, which are slower."""
    latencies = [(1.0, FIRST), (1.001, FIRST), (1.002, FIRST), (1.2, other), (1.201, other), (1.202, other)]
    builds = [
        replace(compose.build(number, latency, host=identity.host.name, **more), identity=identity)
        for number, (latency, identity) in enumerate(latencies)
    ]
    run: RunObservation = compose.run(compose.cell("8.6.0", builds))
    return run


def verdicts(run: RunObservation) -> list[Verdict]:
    return judge(grid_of(run), rules={})


@pytest.mark.parametrize(("name", "other"), OTHERS.items(), ids=list(OTHERS))
def test_what_differs_stands_side_by_side_and_says_by_what(compose: Any, name: str, other: Identity) -> None:
    grid = grid_of(two(compose, other))
    (row,) = grid.rows
    assert [[build.build for build in group.observed] for group in row.groups] == [[0, 1, 2], [3, 4, 5]]
    assert row.groups[1].name == name
    assert row.groups[1].release.label == f"tensorrt 8.6.0 ({name})"
    assert len(grid.releases) == 2
    (note,) = grid.pooling
    assert note.startswith("builds of 1 cell are compared and not pooled, on one host: ")


def test_two_nights_are_compared_with_each_other_and_the_verdict_says_so(compose: Any) -> None:
    (verdict,) = verdicts(two(compose, SECOND))
    assert (verdict.kind, verdict.verdict, verdict.builds) == ("run", "regressed", (3, 3))
    assert (verdict.group, verdict.against) == ("run night-2", "8.6.0 (run night-1)")
    assert "on tensorrt 8.6.0 (run night-2) against 8.6.0 (run night-1)" in verdict_message(verdict)
    assert "also differ" not in verdict.reason


def test_a_driver_that_changed_between_the_nights_is_said_in_the_reason(compose: Any) -> None:
    (verdict,) = verdicts(two(compose, on(SECOND, driver="550.2")))
    assert verdict.reason.endswith("; also differ: driver 550.2 against 535.1")


def test_two_networks_of_one_name_are_not_compared(compose: Any) -> None:
    (verdict,) = verdicts(two(compose, OTHERS["network 22222222"]))
    assert verdict.verdict == "indeterminate"
    assert "ran another network: the digests differ" in verdict.reason


def test_two_gpus_of_one_machine_are_two_hosts_and_never_compared(compose: Any) -> None:
    other = replace(FIRST, host=Host(machine="m", device="GPU-2"))
    grid = grid_of(two(compose, other))
    assert [row.host for row in grid.rows] == ["m/GPU-1", "m/GPU-2"]
    assert judge(grid, rules={}) == []
    assert grid.pooling == ()


def test_parts_of_one_run_are_pooled_and_the_folders_named(compose: Any) -> None:
    later = replace(FIRST, started=datetime(2026, 1, 1, 5, tzinfo=UTC))
    run = two(compose, later)
    folders = [Path("part-a/builds/c/0"), Path("part-b/builds/c/0")]
    (cell,) = run.cells
    builds = tuple(replace(b, folder=folders[b.build // 3]) for b in cell.builds)
    run = replace(run, runs=(Path("part-a"), Path("part-b")), cells=(replace(cell, builds=builds),))
    grid = grid_of(run)
    assert [len(group.observed) for group in grid.groups] == [6]
    assert grid.pooling == (
        "part-a and part-b are parts of one run, night-1: their builds on one host are pooled",
    )
    assert grid.groups[0].release.label == "tensorrt 8.6.0"


def test_versions_are_compared_within_their_night(compose: Any) -> None:
    def version(name: str, latency: float) -> Any:
        nights = [(FIRST, latency), (SECOND, 2 * latency)]
        builds = [
            replace(compose.build(3 * night + i, ms + i / 1000, host="m/GPU-1"), identity=identity)
            for night, (identity, ms) in enumerate(nights)
            for i in range(3)
        ]
        return compose.cell(name, builds)

    told = {
        (v.version, v.group, v.kind): v.against
        for v in verdicts(compose.run(version("1", 1), version("2", 1.3)))
    }
    assert told == {
        ("1", "run night-2", "run"): "1 (run night-1)",
        ("2", "run night-1", "version"): "1 (run night-1)",
        ("2", "run night-2", "version"): "1 (run night-2)",
        ("2", "run night-2", "run"): "2 (run night-1)",
    }


def test_a_build_that_failed_counts_among_those_of_its_run(compose: Any) -> None:
    nothing = replace(FIRST, digest="unknown", software=Software(environment="venv"))
    failed = replace(compose.build(2, None, host="m/GPU-1"), identity=nothing, status="failed")
    good = [replace(compose.build(i, 1.0, host="m/GPU-1"), identity=FIRST) for i in range(2)]
    (own,) = by_identity([failed, *good]).values()
    assert [build.build for build in own] == [0, 1, 2]
    elsewhere = replace(failed, identity=replace(nothing, pool="night-2"))
    assert len(by_identity([elsewhere, *good])) == 2


groups = st.builds(
    Group,
    pool=st.sampled_from(("a", "b")),
    digest=st.sampled_from(("sha256:1", "sha256:2")),
    software=st.builds(
        Software, environment=st.sampled_from(("venv", "docker")), driver=st.sampled_from(("1", "2"))
    ),
    host=st.just(HOST),
)


@given(st.lists(st.lists(groups, min_size=1, max_size=4, unique=True), max_size=4))
def test_names_tell_the_groups_of_each_cell_apart(cells: list[list[Group]]) -> None:
    names = group_labels(cells)
    for own in cells:
        assert len({names[group] for group in own}) == len(own)


@given(st.lists(groups, max_size=8))
def test_each_build_is_in_the_one_group_of_its_identity(drawn: list[Group]) -> None:
    builds = [
        BuildObservation(
            number,
            "ok",
            "m/GPU-1",
            identity=Identity("r", group.pool, digest=group.digest, software=group.software, host=group.host),
        )
        for number, group in enumerate(drawn)
    ]
    made: Mapping[Any, list[BuildObservation]] = by_identity(builds)
    assert sorted(build.build for own in made.values() for build in own) == list(range(len(drawn)))
    assert all(build.identity.group == key[1] for key, own in made.items() for build in own)
    assert {tuple(facts_of(key[1]).values()) for key in made} == {tuple(facts_of(g).values()) for g in drawn}
