"""The table of rooms holds over every module: imports point down and in no circle, and each room says so."""

from __future__ import annotations

import ast
import graphlib
import importlib
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import harness
from harness.plugins import registry

PACKAGE = Path(harness.__file__).parent
_WORKERS = sorted(PACKAGE.glob("runtimes/*/worker"))

ROOMS = (
    # The package's own face, which users and plugins import.
    "harness",
    "cli",
    "pytest_plugin",
    "pack",
    "recordings",
    "tables",
    "reproduce",
    "executors",
    "plugins",
    "execution",
    "messages",
    "report",
    "history",
    "analysis",
    "observations",
    "runtimes",
    "environments",
    "attribution",
    "evidence",
    "store",
    "matrix",
    "networks",
    # What all rooms may use.
    "versions",
    "resources",
    "remembering",
    "written",
    "errors",
    "distribution",
    # What also runs inside environments and on hosts of a pack.
    "worker",
)
"""From the top down: a room imports itself and what stands below it."""

COMPUTED = ("analysis", "observations", "attribution", "evidence", "networks")
"""Rooms whose records the report draws, and whose functions it leaves alone."""

ALONE = ("worker", "pack.host", *(f"runtimes.{path.parent.name}.worker" for path in _WORKERS))
"""What runs elsewhere, without the harness: it imports itself and the worker's frame."""


def modules() -> dict[str, Path]:
    """Return every module of the harness, dotted name to file."""
    found = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = ("harness", *path.relative_to(PACKAGE).with_suffix("").parts)
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


MODULES = modules()


def imports(name: str) -> Iterator[str]:
    """Yield the modules of the harness that *name* imports, for typing too, wherever in the file."""
    path = MODULES[name]
    package = name if path.name == "__init__.py" else name.rpartition(".")[0]
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name.partition(".")[0] == "harness")
        elif isinstance(node, ast.ImportFrom):
            above = package.split(".")[: len(package.split(".")) - node.level + 1] if node.level else []
            module = ".".join([*above, *([node.module] if node.module else [])])
            if module.partition(".")[0] == "harness":
                for alias in node.names:
                    whole = f"{module}.{alias.name}"
                    yield whole if whole in MODULES else module


def imported_names(name: str) -> Iterator[tuple[str, str]]:
    """Yield (module, name) of what *name* imports from modules of the harness."""
    for node in ast.walk(ast.parse(MODULES[name].read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("harness."):
            yield from ((node.module, alias.name) for alias in node.names)


def room_of(module: str) -> str:
    """Return the first part below the package, the package's own name for the package itself."""
    return module.partition(".")[2].partition(".")[0] or module


def alone(module: str) -> str | None:
    """Return which part that runs elsewhere *module* belongs to, None for the rest."""
    inner = module.partition(".")[2]
    return next((part for part in ALONE if inner == part or inner.startswith(part + ".")), None)


def test_every_module_is_in_a_room() -> None:
    rooms = {room_of(name) for name in MODULES}
    assert rooms == set(ROOMS)


@pytest.mark.parametrize("room", ROOMS)
def test_imports_point_down(room: str) -> None:
    wrong = [
        f"{name} imports {target}"
        for name in MODULES
        if room_of(name) == room and not alone(name)
        for target in imports(name)
        if alone(target) not in (None, "worker") or ROOMS.index(room_of(target)) < ROOMS.index(room)
    ]
    assert not wrong


@pytest.mark.parametrize("part", ALONE)
def test_what_runs_elsewhere_imports_itself_and_the_frame(part: str) -> None:
    comes_along = {
        used.module.partition(".")[2]
        for runtime in registry.runtimes().values()
        if runtime.worker.module == f"harness.{part}"
        for used in runtime.worker.all()
    }
    wrong = [
        f"{name} imports {target}"
        for name in MODULES
        if alone(name) == part
        for target in imports(name)
        if alone(target) not in (part, "worker", *comes_along)
    ]
    assert not wrong


def _is_record(value: object) -> bool:
    """Say whether *value* is a type or a constant: nothing that computes when it is called."""
    return isinstance(value, type) or not callable(value)


def test_the_page_takes_records_of_what_was_judged_and_computes_none() -> None:
    computed = [
        f"{name} imports {module}.{alias}"
        for name in MODULES
        if room_of(name) == "report"
        for module, alias in imported_names(name)
        if room_of(module) in COMPUTED and not _is_record(getattr(importlib.import_module(module), alias))
    ]
    assert not computed


def test_no_circles() -> None:
    graph = {name: {target for target in imports(name) if target != name} for name in MODULES}
    assert list(graphlib.TopologicalSorter(graph).static_order())


@pytest.mark.parametrize("package", ["harness", *(f"harness.{r}" for r in ROOMS if (PACKAGE / r).is_dir())])
def test_each_room_says_what_is_in_it_and_what_it_may_import(package: str) -> None:
    said = ast.get_docstring(ast.parse(MODULES[package].read_text(encoding="utf-8"))) or ""
    assert said.count(".") >= 2
    assert "import" in said


def test_the_table_in_the_docs_is_this_one() -> None:
    page = (PACKAGE.parent / "docs/explanation/rooms.md").read_text(encoding="utf-8")
    assert tuple(re.findall(r"^\| `(\w+)` \|", page, re.MULTILINE)) == ROOMS
