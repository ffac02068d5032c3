"""A live bisection: a version in the middle is measured in one block beside both ends."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.cli.bisect_live import Measured
from harness.execution.measuring import open_or_create
from harness.execution.plan import Choices, make_plan
from harness.plugins import registry
from harness.store.bundle import Bundle
from tests.cli import several


@pytest.fixture
def plugin() -> Iterator[None]:
    registry.manager().register(several)
    yield
    registry.manager().unregister(several)


@pytest.mark.usefixtures("plugin")
def test_a_version_in_the_middle_shares_a_block_with_further_builds_of_both_ends(tmp_path: Path) -> None:
    choices = Choices(matrix=several.write_matrix(tmp_path, ["1.0", "2.0", "3.0"]), out=tmp_path / "run")
    plan = make_plan(choices, registry.parts())
    bundle = open_or_create(plan, choices)
    said: list[str] = []
    cells = {cell.version: cell for cell in plan.cells}
    measured = Measured(bundle, plan, choices, cells, said.append)
    assert [len(seen.builds) for seen in measured(["1.0", "3.0"])] == [2, 2]
    (middle,) = measured(["2.0"])
    assert "measuring 2.0 beside 1.0 and 3.0" in said
    blocks: dict[str, set[tuple[str, int]]] = {}
    for build in Bundle.open(bundle.root).builds():
        version = next(version for version, cell in cells.items() if cell.id == build.cell_id)
        blocks.setdefault(build.document.block, set()).add((version, build.build))
    first = {("1.0", 0), ("1.0", 1), ("3.0", 0), ("3.0", 1)}
    second = {("2.0", 0), ("2.0", 1), ("1.0", 2), ("1.0", 3), ("3.0", 2), ("3.0", 3)}
    assert sorted(blocks.values(), key=len) == [first, second]
    assert [build.build for build in middle.builds] == [0, 1]
    # What is there is read, and nothing is measured again.
    lines = len(said)
    again = Measured(bundle, plan, choices, cells, said.append)
    assert [len(seen.builds) for seen in again(["1.0", "3.0"])] == [4, 4]
    assert [len(seen.builds) for seen in again(["2.0"])] == [2]
    assert said[lines:] == []
