"""The Markdown summary: complete when it fits, cut in a fixed order when not, names as text."""

from __future__ import annotations

import re

import pytest

from harness.report.markdown import DROPPED_FIRST, literal, summary
from tests.report.composed import analysed, cell, engine, layers, run
from tests.report.payloads import PAYLOADS
from tests.report.test_hostile_names import named

RUN = run(
    cell("1", [2.0, 2.01, 2.02], engine(layers("abcd"))),
    cell("2", [1.0, 1.01, 1.02], engine(layers("abcd"))),
    cell("2", [1.0, 1.01, 1.02], engine(layers("abcd")), repeat="aa"),
    cell("3", status="failed", reason="worker killed"),
)


def titles(text: str) -> list[str]:
    return re.findall(r"^## (.*)$", text, re.M)


def test_all_sections_stand_where_there_is_room() -> None:
    text = summary(analysed(RUN))
    assert titles(text) == ["Answers", "Not run", "Verdicts", "Matrix", "Noise", "Where the time goes"]
    assert "worker killed" in text
    assert "reduced from tensorrt 1 to 2" in text
    assert "Left out" not in text


@pytest.mark.parametrize("share", [0.9, 0.7, 0.5, 0.3, 0.15])
def test_sections_are_dropped_in_order_until_it_fits(share: float) -> None:
    whole = summary(analysed(RUN))
    limit = round(share * len(whole.encode()))
    text = summary(analysed(RUN), limit)
    assert len(text.encode()) <= limit
    gone = [title for title in DROPPED_FIRST if title not in titles(text)]
    assert gone == list(DROPPED_FIRST[: len(gone)])
    assert gone


def test_answers_alone_are_cut_at_the_limit() -> None:
    assert len(summary(analysed(RUN), 50).encode()) <= 50


@pytest.mark.parametrize("text", PAYLOADS)
def test_names_carry_no_markup(text: str) -> None:
    shown = literal(text)
    assert not set(shown) & set("<>`*[]|\n\r")
    assert "\u2028" not in shown


def test_hostile_names_leave_the_tables_whole() -> None:
    observed = named("a|b\n| c | <img src=x onerror=pwned()>")
    text = summary(analysed(observed))
    assert "<" not in text
    rows = [line for line in text.split("## Matrix")[1].split("##")[0].splitlines() if line.startswith("|")]
    assert len({line.count("|") for line in rows}) == 1
