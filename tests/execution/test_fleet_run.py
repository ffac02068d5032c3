"""A run of a plan whose executor has a fleet: connected before there is a folder, let go at the end."""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import replace
from pathlib import Path

import pytest

from harness.errors import UnavailableError
from harness.execution.base import Block, EndedBuild, MeasureBlock
from harness.execution.fleet import Fleet, FleetExecutor, Lost
from harness.execution.measuring import anchors_of, build_cpus, measure
from harness.execution.plan import Choices
from harness.plugins import registry
from tests.execution.composed_fleet import ComposedFleet, place
from tests.execution.ground import Ground


class Closed(ComposedFleet):
    """Loses what it is given, and notes that it was let go."""

    closed = 0

    def close(self) -> None:
        """Count."""
        self.closed += 1
        super().close()


class Nodes(FleetExecutor):
    """Has the fleet that it is made with."""

    name = "nodes"

    def __init__(self, fleet: Fleet | None) -> None:
        self.nodes, self.address = fleet, ""

    def check(self, address: str | None) -> None:
        """Take any."""

    def fleet(self, address: str | None, say: Callable[[str], None]) -> Fleet:
        """Connect."""
        say(f"connected to {address}")
        if self.nodes is None:
            raise UnavailableError("nobody answers")
        return self.nodes

    def run(self, block: Block, measure: MeasureBlock) -> Generator[EndedBuild, None, None]:
        """Measure here."""
        yield from measure(block)


def test_a_fleet_measures_the_plan_and_is_let_go(ground: Ground, tmp_path: Path) -> None:
    fleet = Closed([place("a")], lambda *_: [Lost("killed")])
    parts = replace(registry.parts(), executors={"nodes": Nodes(fleet)})
    plan = replace(ground.plan, executor="nodes", address="here")
    bundle = measure(plan, Choices(out=tmp_path / "out", builds=1), ground.cells, parts, ground.said.append)
    assert ground.said[0] == "connected to here", "before there is a folder"
    assert {build.document.reason for build in bundle.builds()} == {
        "its node was lost 3 times; the last time: killed"
    }
    assert fleet.closed == 1
    assert bundle.manifest.neighbours is None, "what others took here says nothing of its nodes"


def test_a_fleet_that_does_not_answer_leaves_no_folder(ground: Ground, tmp_path: Path) -> None:
    parts = replace(registry.parts(), executors={"nodes": Nodes(None)})
    with pytest.raises(UnavailableError, match="nobody answers"):
        measure(replace(ground.plan, executor="nodes"), Choices(out=tmp_path / "out"), ground.cells, parts)
    assert not (tmp_path / "out").exists()


def test_builds_are_made_on_no_cpu_but_the_one_that_was_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.sched_getaffinity", lambda _process: set(range(3, 23)), raising=False)
    assert build_cpus(5) == ()
    assert build_cpus(None) == tuple(range(15, 23)), "at most eight at once"
    monkeypatch.delattr("os.sched_getaffinity")
    assert build_cpus(None) == ()


def test_engines_are_kept_of_anchors_where_there_is_a_history(ground: Ground, tmp_path: Path) -> None:
    pinned = replace(ground.plan, matrix=replace(ground.plan.matrix, anchors=("onnxruntime 1.18.1",)))
    assert anchors_of(pinned, Choices()) is None
    assert anchors_of(ground.plan, Choices(history=tmp_path)) is None
    assert anchors_of(pinned, Choices(history=tmp_path, builds=4)) is not None
