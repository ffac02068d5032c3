"""Version expressions against a list that has patches, candidates and variants."""

from __future__ import annotations

import ast
import random
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import harness
from harness.errors import UsageError
from harness.versions import (
    alternatives,
    ordered,
    parse,
    release_numbers,
    same_release,
    select,
    side_of,
    version_key,
)

VERSIONS = ["5.0.0rc", "5.0.2", "5.1.2rc", "5.1.5", "6.0.1", "7.1.2", "7.1.3", "7.2.3.4", "8.4.1", "8.5.0.12"]
VERSIONS += ["8.5.3", "8.5.3.1", "8.6.1.6", "8.6.3", "10.0.1.6", "10.5", "11.2.1.2"]


@pytest.mark.parametrize(
    ("expression", "chosen"),
    [
        ("5", ["5.1.5"]),
        ("6", ["6.0.1"]),
        ("7.1", ["7.1.3"]),
        ("8.5.3", ["8.5.3"]),
        ("8.5.3.1", ["8.5.3.1"]),
        ("10.5.0", ["10.5"]),
        ("5.0", ["5.0.2"]),
        ("5.1.2", ["5.1.2rc"]),
        ("5.*", ["5.0.0rc", "5.0.2", "5.1.2rc", "5.1.5"]),
        (">=8.5,<10", ["8.5.0.12", "8.5.3", "8.5.3.1", "8.6.1.6", "8.6.3"]),
        (">= 8.6, < 10", ["8.6.1.6", "8.6.3"]),
        ("<6", ["5.0.2", "5.1.5"]),
        ("latest", ["11.2.1.2"]),
        ("newest-per-major", ["5.1.5", "6.0.1", "7.2.3.4", "8.6.3", "10.5", "11.2.1.2"]),
        ("5, 6", ["5.1.5", "6.0.1"]),
        ("6 5 latest", ["5.1.5", "6.0.1", "11.2.1.2"]),
        ("5,>=8.6,<10,11", ["5.1.5", "8.6.1.6", "8.6.3", "11.2.1.2"]),
        ("8.6.3, 8", ["8.6.3"]),
    ],
)
def test_an_expression_names_versions_oldest_first(expression: str, chosen: list[str]) -> None:
    assert select(expression, list(reversed(VERSIONS))) == chosen


def test_all_is_every_version_in_order() -> None:
    assert select("all", list(reversed(VERSIONS))) == VERSIONS


def test_variants_of_the_newest_release_come_together() -> None:
    assert select("7", ["7.0.0+tf1", "7.1.3+tf1", "7.1.3+tf2"]) == ["7.1.3+tf1", "7.1.3+tf2"]


def test_neighbouring_comparisons_are_one_range_and_everything_else_is_an_alternative() -> None:
    assert alternatives("5, >=8.5,<10 latest") == ["5", ">=8.5,<10", "latest"]


def test_what_cannot_be_compared_comes_first_and_stays_selectable_by_name() -> None:
    assert ordered(["8.6", "unknown", "5.1"]) == ["unknown", "5.1", "8.6"]
    assert select("unknown", ["8.6", "unknown"]) == ["unknown"]


@pytest.mark.parametrize(
    ("expression", "words"),
    [
        ("", "empty version expression"),
        (" , ", "empty version expression"),
        ("9", "no version fits '9'; known: 5.0.0rc, 5.0.2"),
        (">=12", "no version fits '>=12'"),
        (">=x", "'>=x' is no version range"),
        ("newest", "'newest' is no version expression"),
        ("v8", "'v8' is no version expression"),
    ],
)
def test_an_expression_that_names_nothing_says_why(expression: str, words: str) -> None:
    with pytest.raises(UsageError) as error:
        select(expression, VERSIONS)

    assert words in str(error.value)
    assert "\n" not in str(error.value)


NUMBERS = st.lists(st.integers(0, 12), min_size=1, max_size=4).map(lambda n: ".".join(map(str, n)))
PEP_440 = st.builds(
    "".join, st.tuples(NUMBERS, st.sampled_from(["", "rc", "rc1", "a2", ".post1", ".dev0", "+tf1", "+tf2"]))
)
ANYTHING = st.one_of(PEP_440, st.text(), st.sampled_from(["unknown", "nightly-2", "nightly-10", "9" * 5000]))


@given(ANYTHING, ANYTHING)
def test_of_two_versions_one_is_older_unless_they_are_the_same(a: str, b: str) -> None:
    assert [version_key(a) < version_key(b), a == b, version_key(b) < version_key(a)].count(True) == 1
    assert (version_key(a) == version_key(b)) == (a == b)


@given(ANYTHING, ANYTHING, ANYTHING)
def test_the_order_has_no_circles(a: str, b: str, c: str) -> None:
    if version_key(a) < version_key(b) < version_key(c):
        assert version_key(a) < version_key(c)


@given(st.lists(ANYTHING), st.randoms())
def test_the_order_does_not_depend_on_where_one_begins(versions: list[str], shuffler: random.Random) -> None:
    first = ordered(versions)
    shuffler.shuffle(versions)
    assert ordered(versions) == first
    assert ordered(reversed(first)) == first
    assert set(first) == set(versions)


@given(PEP_440, PEP_440)
def test_what_pep_440_can_compare_it_does(a: str, b: str) -> None:
    first, second = parse(a), parse(b)
    assert first is not None
    assert second is not None
    if first < second:
        assert version_key(a) < version_key(b)


@given(ANYTHING, PEP_440)
def test_what_is_no_version_is_older_than_any(name: str, version: str) -> None:
    if parse(name) is None:
        assert version_key(name) < version_key(version)


def test_names_are_ordered_by_their_numbers() -> None:
    assert ordered(["nightly-10", "5.0rc", "unknown", "nightly-2"]) == [
        "unknown",
        "nightly-2",
        "nightly-10",
        "5.0rc",
    ]


@given(PEP_440, PEP_440, PEP_440)
def test_a_bound_splits_the_releases_once(low: str, high: str, bound: str) -> None:
    a, b = release_numbers(low), release_numbers(high)
    sides = side_of(low, bound), side_of(high, bound)
    assert a is not None
    assert b is not None
    if a <= b:
        assert None not in sides
        assert sides == tuple(sorted(side for side in sides if side is not None))


@pytest.mark.parametrize(
    ("version", "bound", "side"),
    [
        ("8.5.3.1", "8.5.3", 0),
        ("8.5.3rc", "8.5.3", 0),
        ("8.5", "8.5.0", 0),
        ("8.6", "8.5.3", 1),
        ("8.5.2.9", "8.5.3", -1),
        ("10.0", "9", 1),
        ("unknown", "9", None),
        ("9", "", None),
    ],
)
def test_a_bound_counts_as_far_as_it_is_written(version: str, bound: str, side: int | None) -> None:
    assert side_of(version, bound) == side


@pytest.mark.parametrize(
    ("a", "b", "same"),
    [
        ("8.6", "8.6.0", True),
        ("1.2.3+cpu", "1.2.3", True),
        ("1.2.3rc1", "1.2.3", False),
        ("unknown", "unknown", True),
        ("unknown", "1", False),
    ],
)
def test_variants_are_of_one_release(a: str, b: str, same: bool) -> None:
    assert same_release(a, b) is same
    assert same_release(b, a) is same


def test_nobody_else_orders_versions() -> None:
    package = Path(harness.__file__).parent
    others = [
        str(path.relative_to(package))
        for path in package.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.ImportFrom) and node.module == "packaging.version"
    ]
    assert others == ["versions.py"]
