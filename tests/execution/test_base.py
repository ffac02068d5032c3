"""Records of execution: what stands in them where nobody says anything, and a build that never began."""

from __future__ import annotations

import dataclasses
import importlib
import inspect
import pkgutil
import types
import typing
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import harness.execution
import harness.observations
import harness.store
from harness.execution.base import PlannedBuild, failed_build
from harness.execution.fleet import Order, Place
from harness.execution.job import JobSettings
from harness.matrix.cell import Cell, Treatment
from harness.store.documents.origin import Host

CELL = Cell("mobilenet_v2", Treatment(), "onnxruntime", "1.22.1", "venv")


def test_a_build_that_no_worker_began_has_failed_and_says_why(tmp_path: Path) -> None:
    found = failed_build(PlannedBuild(CELL, 3), "no room", tmp_path)
    assert (found.outcome.status, found.outcome.reason) == ("failed", "no room")
    document = found.document
    assert (document.cell, document.build, document.status, document.reason) == (
        CELL.id,
        3,
        "failed",
        "no room",
    )
    assert (found.folder.parent, list(found.folder.iterdir())) == (tmp_path, [])
    assert found.folder.name.startswith("result-")
    assert failed_build(PlannedBuild(CELL, 3), "no room", tmp_path).folder != found.folder


def records() -> Iterator[type[Any]]:
    """The dataclasses of the rooms between the stored files and the schedule."""
    for room in (harness.execution, harness.observations, harness.store):
        for module in pkgutil.iter_modules(room.__path__, f"{room.__name__}."):
            for _, found in inspect.getmembers(importlib.import_module(module.name), inspect.isclass):
                if found.__module__ == module.name and dataclasses.is_dataclass(found):
                    yield found


def kinds(hint: Any) -> tuple[Any, ...]:
    """The classes that values of *hint* may be of."""
    if isinstance(hint, types.UnionType) or typing.get_origin(hint) is typing.Union:
        return tuple(kind for one in typing.get_args(hint) for kind in kinds(one))
    return (typing.get_origin(hint) or hint,)


@pytest.mark.parametrize("record", list(records()), ids=lambda record: record.__qualname__)
def test_what_nobody_says_is_of_the_kind_that_its_field_promises(record: type[Any]) -> None:
    """Who reads a record asks no field twice: a text is a text, and None only where None is said to be."""
    module = importlib.import_module(record.__module__)
    missing: dict[str, Any] = {}
    for field in dataclasses.fields(record):
        default = field.default
        if field.default_factory is not dataclasses.MISSING:
            default = field.default_factory()
        if default is dataclasses.MISSING:
            continue
        if default is None:
            assert "None" in str(field.type), f"{field.name} may be {field.type}"
            continue
        hint = eval(str(field.type), {**vars(typing), **vars(module), **missing})
        assert isinstance(default, kinds(hint)), f"{field.name}: {default!r} is no {field.type}"


def test_what_an_order_and_a_place_do_not_say_is_the_plain_case() -> None:
    order = Order((), "cpu", typing.cast("JobSettings", None), 1)
    assert (order.number, order.later, order.seconds, order.check) == (0, 0, None, True)
    assert order.precision == 0.01
    place = Place("id", "name", "cpu", Host())
    assert (place.number, place.gpus, dict(place.refusals)) == (0, 0, {})


def offering() -> list[str]:
    """Modules that say which names they offer."""
    rooms = (harness.execution, harness.observations, harness.store)
    found = [one.name for room in rooms for one in pkgutil.walk_packages(room.__path__, f"{room.__name__}.")]
    names = [name for name in found if not name.endswith("__main__")]
    return [name for name in names if "__all__" in vars(importlib.import_module(name))]


@pytest.mark.parametrize("module", offering())
def test_each_name_that_a_module_offers_is_there(module: str) -> None:
    found: dict[str, object] = {}
    exec(f"from {module} import *", found)
    offered = importlib.import_module(module).__all__
    assert offered
    assert found.keys() - {"__builtins__"} == set(offered)
