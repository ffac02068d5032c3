"""Rooms import only rooms before them, and the worker imports nothing of the harness."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import harness

PACKAGE = Path(harness.__file__).parent
ORDER = (
    "errors",
    "resources",
    "networks",
    "matrix",
    "evidence",
    "store",
    "layers",
    "runtimes",
    "environments",
    "executors",
    "statistics",
    "bottlenecks",
    "report",
    "pack",
    "cli",
)


def imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)


def room_of(module: str) -> str:
    return module.partition(".")[2].partition(".")[0]


def test_no_room_reaches_forward() -> None:
    wrong = []
    for room in ORDER:
        place = PACKAGE / room
        for path in sorted(place.rglob("*.py")) if place.is_dir() else [PACKAGE / f"{room}.py"]:
            for module in imports(path):
                target = room_of(module)
                known = module.startswith("harness.") and target in ORDER
                if known and ORDER.index(target) > ORDER.index(room):
                    wrong.append(f"{path.relative_to(PACKAGE)} imports {module}")
    assert not wrong


def test_the_worker_stands_alone() -> None:
    for path in sorted((PACKAGE / "worker").rglob("*.py")):
        assert not [module for module in imports(path) if module.split(".")[0] == "harness"], path


def test_every_room_is_in_the_order() -> None:
    rooms = {path.name for path in PACKAGE.iterdir() if (path / "__init__.py").exists()}
    assert rooms - {"worker"} <= set(ORDER)
