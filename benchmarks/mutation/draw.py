"""Mutants of the code, made by mutmut's operators and drawn at random.

mutmut itself leaves decorated functions out, because its way of switching between mutants cannot hold them.
Here each mutant is a file of its own, so they are in. Annotations, docstrings and decorators are not mutated.
"""

from __future__ import annotations

import ast
import difflib
import hashlib
import random
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import libcst as cst
from libcst.metadata import MetadataWrapper, PositionProvider
from mutmut.mutation.file_mutation import MutationVisitor
from mutmut.mutation.mutators import mutation_operators
from mutmut.mutation.pragma_handling import IgnoredCode

ROOMS = ("analysis", "store", "execution", "observations")
KNOWN = Path(__file__).with_name("equivalent.toml")


@dataclass(frozen=True)
class Mutant:
    """One module with one change."""

    path: str  # from the root of the clone
    line: int
    lines: tuple[int, int]  # first and last of the statement that the change is in
    top: bool  # whether that statement runs when the module is imported
    source: str
    diff: str

    @property
    def key(self) -> str:
        """What it is called in the results: the same in each run over the same sources."""
        return f"{self.path}:{self.line}:{hashlib.sha256(self.source.encode()).hexdigest()[:12]}"


class _Visitor(MutationVisitor):
    def _skip_node_and_children(self, node: cst.CSTNode) -> bool:
        if isinstance(node, cst.FunctionDef):
            return False
        return super()._skip_node_and_children(node)


def sources(root: Path) -> list[Path]:
    """Return the modules of the four rooms, sorted."""
    return sorted(file for room in ROOMS for file in (root / "harness" / room).rglob("*.py"))


def draw(root: Path, number: int, seed: int, only: Sequence[str] = ()) -> tuple[list[Mutant], int]:
    """Return *number* mutants drawn uniformly without replacement, and how many there are in all.

    :param root: the clone; :param only: starts of paths to draw from, all of the four rooms if none
    """
    modules = [_Module(root, file) for file in sources(root)]
    modules = [module for module in modules if not only or module.path.startswith(tuple(only))]
    every = [(module, index) for module in modules for index in range(len(module.mutations))]
    drawn = random.Random(seed).sample(every, min(number, len(every)))
    return [module.mutant(index) for module, index in drawn], len(every)


class _Module:
    def __init__(self, root: Path, file: Path) -> None:
        self.path = file.relative_to(root).as_posix()
        self.code = file.read_text(encoding="utf-8")
        self._wrapper = MetadataWrapper(cst.parse_module(self.code))
        visitor = _Visitor(mutation_operators, IgnoredCode(set(), set(), set()))
        self._tree = self._wrapper.visit(visitor)
        self.mutations = visitor.mutations

    def mutant(self, index: int) -> Mutant:
        """Return one of its mutants."""
        mutation = self.mutations[index]
        changed = self._tree.deep_replace(mutation.original_node, mutation.mutated_node)
        assert isinstance(changed, cst.Module)
        line = self._wrapper.resolve(PositionProvider)[mutation.original_node].start.line
        lines, top = statement(self.code, line)
        return Mutant(self.path, line, lines, top, changed.code, difference(self.code, changed.code))


def statement(code: str, line: int) -> tuple[tuple[int, int], bool]:
    """Return first and last line of the statement at *line*, and whether importing the module runs it.

    Of a statement with a body only its head counts.
    """
    first, last, top = 1, 1, True
    for node, inside in _statements(ast.parse(code), False):
        start = min([node.lineno, *(each.lineno for each in getattr(node, "decorator_list", []))])
        end = node.end_lineno or node.lineno
        body = getattr(node, "body", None)
        if body:
            end = max(start, min(end, body[0].lineno - 1))
        if start <= line <= end:
            first, last, top = start, end, not inside
    return (first, last), top


def _statements(node: ast.AST, inside: bool) -> Iterator[tuple[ast.stmt, bool]]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.stmt):
            yield child, inside
        yield from _statements(child, inside or isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef))


def difference(before: str, after: str) -> str:
    """Return the changed lines, each after its ``-`` or ``+``."""
    found = difflib.unified_diff(before.splitlines(), after.splitlines(), n=0, lineterm="")
    return "\n".join(line for line in found if line[0] in "-+" and line[:3] not in ("---", "+++"))


@dataclass(frozen=True)
class Equivalent:
    """A mutant that was read by hand: it does what the code does."""

    path: str
    diff: str
    reason: str

    def fits(self, mutant: Mutant) -> bool:
        """Whether it is this one, wherever in its file its lines stand now."""
        return self.path == mutant.path and _bare(self.diff) == _bare(mutant.diff)


def known_equivalents(file: Path = KNOWN) -> Sequence[Equivalent]:
    """Return those listed."""
    found = tomllib.loads(file.read_text(encoding="utf-8"))
    return [Equivalent(**entry) for entry in found.get("mutant", [])]


def _bare(diff: str) -> list[str]:
    return [line[:1] + line[1:].strip() for line in diff.splitlines() if line.strip()]
