"""A second look at suspects: further builds of the same bundle, of which the first look keeps its own."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from harness.execution import measuring
from harness.execution.budget import Budget
from harness.execution.confirming import confirm
from harness.execution.plan import Choices
from harness.matrix.cell import Cell
from harness.plugins import registry
from harness.store.bundle import Bundle
from harness.store.documents.build import Build
from tests.execution.ground import Ground


class Asked(measuring.Schedule):
    """A schedule that notes what is asked of it, and measures nothing."""

    rounds: int
    budget: Budget
    given: dict[str, Any]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        type(self).rounds, type(self).budget = kwargs["rounds"], kwargs["budget"]
        type(self).given = {**kwargs, "cells": args[1], "settings": args[3]}

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


def put(bundle: Bundle, cell: Cell, number: int) -> None:
    files = bundle.root / "incoming"
    files.mkdir()
    bundle.put_build(files, Build(cell=cell.id, build=number, status="ok"))


def test_a_second_look_begins_behind_all_builds_of_a_cell_and_goes_on_where_it_was_cut(
    ground: Ground, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(measuring, "Schedule", Asked)
    bundle = ground.bundle()
    one, other = ground.cells
    for number in (0, 1, 4):
        put(bundle, one, number)
    put(bundle, other, 0)
    bundle.update(rounds=3, confirming={"elsewhere": 9})
    choices = Choices(builds=3)
    confirm(bundle, ground.plan, choices, ground.cells, registry.parts(), ground.said.append)
    first = {"elsewhere": 9, one.id: 5, other.id: 1}
    assert dict(Bundle.open(bundle.root).manifest.confirming) == first
    assert Asked.rounds == 5 + 3, "all cells are known to have as many builds as the longest"
    assert Asked.given["cells"] == ground.cells
    Asked.given["say"]("a line")
    assert ground.said[-1] == "a line"
    put(bundle, other, 1)  # cut off after one build
    confirm(bundle, ground.plan, choices, ground.cells, registry.parts())
    assert dict(Bundle.open(bundle.root).manifest.confirming) == first
    assert Bundle.open(bundle.root).manifest.rounds == 3


def test_a_second_look_builds_its_anchors_anew_and_spends_no_further_time(
    ground: Ground, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(measuring, "Schedule", Asked)
    matrix = replace(ground.plan.matrix, anchors=("onnxruntime 1.0",), minutes=7.0)
    choices = Choices(builds=2, minutes=9.0, history=ground.root / "history")
    confirm(ground.bundle(), replace(ground.plan, matrix=matrix), choices, ground.cells, registry.parts())
    assert Asked.given["settings"].anchors is None
    assert Asked.budget.left is None


def test_a_second_look_that_is_interrupted_leaves_the_first_s_number_of_builds(
    ground: Ground, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Interrupted(Asked):
        def run(self) -> None:
            raise KeyboardInterrupt

    monkeypatch.setattr(measuring, "Schedule", Interrupted)
    bundle = ground.bundle()
    bundle.update(rounds=4)
    with pytest.raises(KeyboardInterrupt):
        confirm(bundle, ground.plan, Choices(builds=4), ground.cells, registry.parts())
    stored = Bundle.open(bundle.root).manifest
    assert (stored.rounds, set(stored.confirming)) == (4, {cell.id for cell in ground.cells})
