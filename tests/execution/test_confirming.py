"""A second look at suspects: further builds of the same bundle, of which the first look keeps its own."""

from __future__ import annotations

from typing import Any

import pytest

from harness.execution import measuring
from harness.execution.budget import Budget
from harness.execution.confirming import confirm
from harness.execution.plan import Choices
from harness.plugins import registry
from harness.store.bundle import Bundle
from tests.execution.ground import Ground


class Asked(measuring.Schedule):
    """A schedule that notes what is asked of it, and measures nothing."""

    rounds: int
    budget: Budget

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        type(self).rounds, type(self).budget = kwargs["rounds"], kwargs["budget"]

    def run(self) -> None:
        """Measure nothing."""


@pytest.mark.parametrize(("builds", "rounds"), [(1, 2), (2, 2), (5, 5)])
def test_a_second_look_has_as_many_builds_as_the_first_and_two_at_least(
    ground: Ground, monkeypatch: pytest.MonkeyPatch, builds: int, rounds: int
) -> None:
    monkeypatch.setattr(measuring, "Schedule", Asked)
    bundle = ground.bundle()
    bundle.update(rounds=builds)
    confirm(bundle, ground.plan, Choices(builds=builds, minutes=9.0), ground.cells, registry.parts())
    assert Asked.rounds == rounds
    assert Asked.budget.share(1, 0.0, 0) == 0, "the run's further time was for its first look"
    stored = Bundle.open(bundle.root).manifest
    assert stored.rounds == builds, "those of the first look"
    assert dict(stored.confirming) == {cell.id: 0 for cell in ground.cells}
