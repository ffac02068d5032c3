"""Preflight on composed parts: what is looked at of each cell, in which order, and how often."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from harness.environments.base import Availability, Check, Environment, Prepared, Progress
from harness.environments.needs import RuntimeNeeds
from harness.errors import PluginPartError
from harness.execution.parts import Parts
from harness.execution.preflight import CellAvailability, preflight
from harness.matrix.cell import Cell, Treatment
from harness.runtimes.onnxruntime.runtime import OnnxRuntime

CELL = Cell("small", Treatment(), "onnxruntime", "1.0", "place")


class Place(Environment):
    """An environment that says what it is told to, and notes what it is asked."""

    name = "place"

    def __init__(self, *checks: Check, error: Exception | None = None) -> None:
        self.said, self.error = checks, error
        self.asked: list[tuple[str, str]] = []

    def checks(self, runtime: RuntimeNeeds, version: str) -> Sequence[Check]:
        """Say it."""
        self.asked.append((runtime.name, version))
        if self.error is not None:
            raise self.error
        return self.said

    def availability(self, _runtime: RuntimeNeeds, _version: str) -> Availability:
        """Never asked."""
        raise AssertionError

    def prepare(self, _runtime: RuntimeNeeds, _version: str, _progress: Progress) -> Prepared:
        """Never asked."""
        raise AssertionError


class Runtime(OnnxRuntime):
    """A runtime of which little is known."""

    def __init__(
        self, unsupported: str | None = None, untried: str = "", error: Exception | None = None
    ) -> None:
        self.refused, self.never, self.error = unsupported, untried, error
        self.seen: list[Cell] = []

    def unsupported(self, cell: Cell) -> str | None:
        """Say it."""
        self.seen.append(cell)
        if self.error is not None:
            raise self.error
        return self.refused

    def untried(self, cell: Cell) -> str:
        """Say it."""
        self.seen.append(cell)
        return self.never


def looked(place: Place, runtime: Runtime, *cells: Cell) -> list[CellAvailability]:
    made: Any = Parts({"onnxruntime": runtime}, {"place": place}, {}, {})
    return preflight(cells or (CELL,), made)


HAS = Check("python", "ok", "python 3.11 is here")
LACKS = Check("wheel", "unavailable", "no wheel", "install it")
MAY = Check("runtime", "ok", "onnxruntime 1.0 may be asked for this cell")


def test_a_cell_that_can_run_names_all_that_was_looked_at() -> None:
    (found,) = looked(Place(HAS), Runtime())
    assert found.checks == (MAY, HAS)
    assert (found.cell, found.state, found.reason, found.remedy, found.note) == (CELL, "ok", "", "", "")


def test_what_is_missing_is_said_with_its_remedy_behind_what_is_there() -> None:
    runtime = Runtime(untried="INT8")
    (found,) = looked(Place(HAS, LACKS), runtime)
    never = Check("tried", "ok", "never run by us: INT8")
    assert found.checks == (MAY, never, HAS, LACKS)
    assert (found.state, found.reason, found.remedy) == ("unavailable", "no wheel", "install it")
    assert found.note == "never run by us: INT8"
    assert runtime.seen == [CELL, CELL]


def test_what_a_runtime_can_never_do_weighs_more_than_what_is_missing() -> None:
    (found,) = looked(Place(LACKS), Runtime("no such precision", untried="INT8"))
    assert found.checks == (Check("runtime", "unsupported", "no such precision"), LACKS)
    assert (found.state, found.reason, found.note) == ("unsupported", "no such precision", "")


def test_cells_of_one_version_and_environment_are_looked_up_once() -> None:
    place = Place(HAS)
    others = [replace(CELL, repeat="aa"), replace(CELL, version="2.0"), replace(CELL, network="other")]
    found = looked(place, Runtime(), CELL, *others)
    assert place.asked == [("onnxruntime", "1.0"), ("onnxruntime", "2.0")]
    assert [one.cell for one in found] == [CELL, *others]


@pytest.mark.parametrize(
    ("changes", "missing"),
    [
        ({"runtime": "nothing"}, "nothing"),
        ({"environment": "nowhere"}, "nowhere"),
        ({"runtime": "nothing", "environment": "nowhere"}, "nothing"),
    ],
)
def test_a_part_that_is_not_registered_is_the_one_thing_said(changes: dict[str, str], missing: str) -> None:
    place = Place(HAS)
    (found,) = looked(place, Runtime(), replace(CELL, **changes))  # type: ignore[arg-type]
    assert found.checks == (Check("plugin", "unsupported", f"nothing registered is called '{missing}'"),)
    assert (found.state, place.asked) == ("unsupported", [])


def test_a_part_that_raises_fails_its_cells_and_is_asked_once() -> None:
    place = Place(error=PluginPartError("place 'x' raised"))
    found = looked(place, Runtime(), CELL, replace(CELL, repeat="aa"))
    assert [one.checks for one in found] == [(MAY, Check("plugin", "failed", "place 'x' raised"))] * 2
    assert [(one.state, one.reason) for one in found] == [("failed", "place 'x' raised")] * 2
    assert len(place.asked) == 1
    (found_one,) = looked(Place(HAS), Runtime(error=PluginPartError("runtime 'y' raised")))
    assert found_one.checks == (Check("plugin", "failed", "runtime 'y' raised"), HAS)
