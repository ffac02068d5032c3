"""A mutant as text: where it is, what it changes, and whether somebody found that it changes nothing."""

from __future__ import annotations

import ast
import difflib
import hashlib
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

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

    def holds(self, line: int) -> bool:
        """Return whether *line* is one of the statement's."""
        return self.lines[0] <= line <= self.lines[1]

    @property
    def key(self) -> str:
        """What it is called in the results: the same in each run over the same sources."""
        return f"{self.path}:{self.line}:{hashlib.sha256(self.source.encode()).hexdigest()[:12]}"


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
