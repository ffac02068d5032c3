"""Builds that an executor yields beyond those it was given: one more of a cell of its block, or strange."""

from __future__ import annotations

import tempfile
from collections.abc import Generator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from harness.environments.base import Outcome
from harness.execution.base import Block, BuildResult, EndedBuild, Executor, MeasureBlock, PlannedBuild
from harness.execution.measuring import settings_for
from harness.execution.schedule import Schedule
from harness.matrix.cell import Cell
from harness.store.bundle import Bundle
from harness.store.documents.build import Build
from tests.execution.ground import Ground

STRANGE = "executor 'local': run() yielded a build twice, or one that it was not given"


@dataclass
class Yields(Executor):
    """Yields what it was given of its first block, and *more* before the last of them."""

    root: Path
    more: Sequence[PlannedBuild]
    name = "local"

    def run(self, block: Block, measure: MeasureBlock) -> Generator[EndedBuild, None, None]:  # noqa: ARG002
        """Yield them."""
        *first, last = block.builds
        more, self.more = self.more, ()
        for planned in (*first, *more, last):
            folder = Path(tempfile.mkdtemp(dir=self.root))
            document = Build(cell=planned.cell.id, build=planned.number, status="ok")
            yield EndedBuild(planned, BuildResult(folder, document, Outcome("ok")))


def measured(ground: Ground, more: Sequence[PlannedBuild], rounds: int = 2) -> dict[str, list[int]]:
    """Return the numbers of builds that are in the bundle, by state and reason."""
    parts = replace(ground.parts(), executors={"local": Yields(ground.root, more)})
    bundle = ground.bundle()
    Schedule(
        bundle, ground.cells, parts, settings_for(ground.plan, 1), rounds=rounds, say=ground.said.append
    ).run()
    found: dict[str, list[int]] = {}
    for build in Bundle.open(bundle.root).builds():
        found.setdefault(build.reason or build.status, []).append(build.build)
    return found


def test_more_builds_of_a_cell_are_kept_and_counted_on(ground: Ground) -> None:
    one, other = ground.cells
    more = [PlannedBuild(one, 2), PlannedBuild(one, 3), PlannedBuild(other, 7)]
    assert measured(ground, more) == {"ok": [0, 1, 2, 3, 0, 1, 7]}
    steps = [line.partition("  ")[0] for line in ground.said if line.startswith("[")]
    assert [step.split()[-1] for step in steps][3:] == ["3/3", "4/4", "8/8", steps[-1].split()[-1]]
    assert steps[-1].startswith("[7/7]")


@pytest.mark.parametrize("kind", ["of the rounds", "there already", "of another block"])
def test_what_is_no_further_build_ends_the_block(ground: Ground, kind: str) -> None:
    one, other = ground.cells
    elsewhere: Cell = replace(one, treatment=replace(one.treatment, batch=2))
    if kind == "of another block":
        ground.plan = replace(ground.plan, cells=(one, other, elsewhere))
    more = {
        "of the rounds": [PlannedBuild(one, 1), PlannedBuild(one, 1)],
        "there already": [PlannedBuild(one, 2), PlannedBuild(one, 2)],
        "of another block": [PlannedBuild(elsewhere, 2)],
    }[kind]
    found = measured(ground, more)
    assert STRANGE in found
    assert len(found[STRANGE]) == 1, "what it had still to yield is lost"


def test_further_builds_of_a_go_that_begins_later_lie_behind_its_own(ground: Ground) -> None:
    """A second look begins where the first ended: its rounds are numbered on."""
    one, other = ground.cells
    parts = replace(ground.parts(), executors={"local": Yields(ground.root, [PlannedBuild(one, 5)])})
    bundle = ground.bundle()
    Schedule(
        bundle, ground.cells, parts, settings_for(ground.plan, 1), rounds=2, say=ground.said.append,
        begin={one: 3},
    ).run()  # fmt: skip
    builds = [
        (build.cell_id, build.build, build.document.round) for build in Bundle.open(bundle.root).builds()
    ]
    assert builds == [
        (one.id, 3, 3), (one.id, 4, 4), (one.id, 5, 5), (other.id, 0, 0), (other.id, 1, 1),
    ]  # fmt: skip
