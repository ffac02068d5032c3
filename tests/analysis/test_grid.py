"""The grid: every build in one group, groups of one host in one row, versions from old to new."""

from __future__ import annotations

from collections import Counter
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from harness.analysis.grid import NO_HOST, grid_of
from harness.matrix.cell import Treatment

VERSIONS = ("8.5.3.1", "8.6.0", "10.0.0b6", "10.0.0")
HOSTS = ("a", "b")

cells = st.lists(
    st.tuples(
        st.sampled_from(VERSIONS), st.sampled_from(("clip", "relu_sub")), st.lists(st.sampled_from(HOSTS))
    ),
    max_size=6,
    unique_by=lambda drawn: drawn[:2],
)


def _run(compose: Any, drawn: list[tuple[str, str, list[str]]]) -> Any:
    return compose.run(
        *(
            compose.cell(
                version,
                [compose.build(number, 1.0, host=host) for number, host in enumerate(hosts)],
                status="measured" if hosts else "failed",
                treatment=Treatment(relu6=relu6),
            )
            for version, relu6, hosts in drawn
        )
    )


@given(drawn=cells)
def test_each_build_is_in_one_group_of_its_cell_and_host(
    compose: Any, drawn: list[tuple[str, str, list[str]]]
) -> None:
    run = _run(compose, drawn)
    grid = grid_of(run)
    expected = Counter((seen.cell.id, build.host, build.build) for seen in run.cells for build in seen.builds)
    for groups in (grid.built, grid.judged):
        assert (
            Counter((group.cell.id, group.host, build.build) for group in groups for build in group.observed)
            == expected
        )
    assert all(
        build.host == row.host for row in grid.rows for group in row.groups for build in group.observed
    )


@given(drawn=cells)
def test_rows_hold_every_cell_with_versions_from_old_to_new(
    compose: Any, drawn: list[tuple[str, str, list[str]]]
) -> None:
    run = _run(compose, drawn)
    grid = grid_of(run)
    assert {group.cell for row in grid.rows for group in row.groups} == {seen.cell for seen in run.cells}
    for row in grid.rows:
        places = [VERSIONS.index(group.cell.version) for group in row.groups]
        assert places == sorted(places)
    assert len({row.name for row in grid.rows}) == len(grid.rows)


def test_a_cell_without_builds_is_judged_once_on_every_host_of_its_subject_and_runtime(compose: Any) -> None:
    run = compose.run(
        compose.cell("1.0", [compose.build(0, 1.0, host="a"), compose.build(1, 1.0, host="b")]),
        compose.cell("2.0", status="unavailable"),
        compose.cell("3.0", status="unavailable", runtime="openvino"),
    )
    judged = [(group.cell.runtime, group.cell.version, group.host) for group in grid_of(run).judged]
    assert judged == [
        ("tensorrt", "1.0", "a"),
        ("tensorrt", "1.0", "b"),
        ("tensorrt", "2.0", "a"),
        ("tensorrt", "2.0", "b"),
        ("openvino", "3.0", NO_HOST),
    ]


def test_a_row_is_called_after_its_subject_and_its_host_only_where_there_are_several(compose: Any) -> None:
    one = compose.cell("1.0", [compose.build(0, 1.0, host="a")])
    two = compose.cell("1.0", [compose.build(0, 1.0, host="a"), compose.build(1, 1.0, host="b")])
    subject = one.cell.subject
    assert [row.name for row in grid_of(compose.run(one)).rows] == [subject]
    assert [row.name for row in grid_of(compose.run(two)).rows] == [f"{subject} on a", f"{subject} on b"]
    nowhere = compose.cell("1.0", status="failed")
    assert [row.name for row in grid_of(compose.run(nowhere)).rows] == [subject]


def test_a_cell_without_builds_keeps_its_network_and_reason(compose: Any) -> None:
    run = compose.run(compose.cell("1.0", status="failed", reason="no wheel", digest="sha256:1"))
    (group,) = grid_of(run).groups
    assert (group.digest, group.reason, group.status, group.host) == (
        "sha256:1",
        "no wheel",
        "failed",
        NO_HOST,
    )
