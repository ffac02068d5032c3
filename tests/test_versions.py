"""Version expressions against a list that has patches, candidates and variants."""

from __future__ import annotations

import pytest

from harness.errors import UsageError
from harness.versions import alternatives, ordered, select

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
