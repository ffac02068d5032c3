"""Mutants of the code, made by mutmut's operators and drawn at random.

mutmut itself leaves decorated functions out, because its way of switching between mutants cannot hold them.
Here each mutant is a file of its own, so they are in. Annotations, docstrings and decorators are not mutated.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from pathlib import Path

import libcst as cst
from libcst.metadata import MetadataWrapper, PositionProvider
from mutmut.mutation.file_mutation import MutationVisitor
from mutmut.mutation.mutators import mutation_operators
from mutmut.mutation.pragma_handling import IgnoredCode

from mutation.mutant import Mutant, difference, statement

ROOMS = ("analysis", "store", "execution", "observations")


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
