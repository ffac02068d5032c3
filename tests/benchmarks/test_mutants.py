"""Mutants as text: the statement of a change, its lines, and the list of those that change nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.mutation.mutant import Equivalent, Mutant, difference, known_equivalents, statement

ROOT = Path(__file__).resolve().parents[2]
CODE = """\
import os

LIMIT = (
    1,
    2,
)


class Thing:
    size: int = 3

    @property
    def wide(
        self,
        by: int = 4,
    ) -> bool:
        if self.size > by:
            return (
                True
            )
        return False
"""


@pytest.mark.parametrize(
    ("line", "lines", "top"),
    [
        (1, (1, 1), True),
        (4, (3, 6), True),
        (10, (10, 10), True),
        (14, (12, 16), True),  # a default is made when the module is imported
        (17, (17, 17), False),
        (19, (18, 20), False),
        (21, (21, 21), False),
    ],
)
def test_a_change_is_in_the_innermost_statement(line: int, lines: tuple[int, int], top: bool) -> None:
    assert statement(CODE, line) == (lines, top)


def test_the_difference_is_the_changed_lines() -> None:
    assert difference("a\nb\nc\n", "a\nB\nc\n") == "-b\n+B"
    assert difference("a\n", "a\n") == ""


def test_an_equivalent_mutant_is_known_wherever_its_lines_stand() -> None:
    mutant = Mutant("harness/a.py", 9, (9, 9), False, "x = None", "-    x = 1\n+    x = None")
    known = Equivalent("harness/a.py", "\n-x = 1\n+x = None\n", "unused")
    assert known.fits(mutant)
    assert not Equivalent("harness/b.py", known.diff, "unused").fits(mutant)
    assert not Equivalent("harness/a.py", "-x = 1\n+x = 2", "unused").fits(mutant)


def test_each_mutant_that_is_known_to_change_nothing_is_of_code_that_is_there() -> None:
    for known in known_equivalents():
        code = [line.strip() for line in (ROOT / known.path).read_text(encoding="utf-8").splitlines()]
        removed = [line[1:].strip() for line in known.diff.splitlines() if line.startswith("-")]
        assert removed, known
        assert set(removed) <= set(code), known
        assert known.reason
