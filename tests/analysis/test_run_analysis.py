"""All that is said of a run: what stands beside the verdicts, and the short answers alone."""

from __future__ import annotations

import pytest

from harness.analysis.grid import Grid, grid_of
from harness.analysis.judge import judge
from harness.analysis.rules.builtin import trtmatrix_bottlenecks
from harness.analysis.run_analysis import analyse, in_short
from tests.report.composed import cell, engine, graph, layers, run

RULES = {rule.name: rule for rule in trtmatrix_bottlenecks()}
NAMES = ("a", "b", "c", "d")


@pytest.fixture(scope="module")
def grid() -> Grid:
    """Two versions whose costs changed, and another runtime."""
    old, new = engine(layers(NAMES, 2.0), graph(NAMES)), engine(layers(NAMES), graph(NAMES))
    return grid_of(
        run(
            cell("8.5", [2.0, 2.002, 1.998], old),
            cell("8.6", [1.0, 1.001, 0.999], new),
            cell("1.0", [0.5, 0.501], runtime="openvino"),
        )
    )


@pytest.mark.parametrize("first", [None, "tensorrt", "openvino"])
def test_the_short_answers_alone_are_those_of_the_whole(grid: Grid, first: str | None) -> None:
    verdicts = judge(grid, rules=RULES)
    whole = analyse(grid, verdicts, rules=RULES, first=first)
    short = in_short(grid, verdicts, rules=RULES, first=first)
    assert short == whole.short
    assert [table.against for table in whole.runtimes] == [first or "tensorrt"]
    assert [dict(one.lines).get("How fast are the others?") is not None for one in short] == [
        first != "openvino",
        first == "openvino",
    ]
    titles = [rule.title for rule in RULES.values()]
    assert list(whole.titles.values()) == titles
    changed = " ".join(text for question, text in short[0].lines if question in ("Why?", "What changed?"))
    assert "1x1 convolutions take less time, by " in changed


def test_it_holds_what_it_was_given_and_the_figures_of_every_row(grid: Grid) -> None:
    verdicts = judge(grid, rules=RULES)
    found = analyse(grid, verdicts, "8.5", rules=RULES)
    assert (found.grid, found.baseline, found.verdicts) == (grid, "8.5", tuple(verdicts))
    assert [row.name for row in found.rows] == [row.name for row in grid.rows]
    (row,) = found.rows
    assert row.times is not None
    assert [str(one.release.version) for one in row.kernels] == ["8.5", "8.6"]
    assert [(sides.old.version, sides.new.version) for sides in row.sides] == [("8.5", "8.6")]
    assert [one.subject for one in found.answers] == [row.name]
    assert len(row.latency) == 3
    assert row.rooflines


def test_the_first_screen_asks_in_short_what_the_page_asks_in_full(grid: Grid) -> None:
    (first, _) = in_short(grid, judge(grid, rules=RULES), rules=RULES)
    asked, short = [question for question, _ in first.lines], [question for question, _ in first.leads]
    assert asked == [
        "Which version?",
        "What changed?",
        "How fast are the others?",
        "What is worse than before?",
        "What cannot be told?",
        "What can be done?",
    ]
    assert set(short) <= {
        "Which version?",
        "What changed?",
        "The others?",
        "What is worse?",
        "What is open?",
        "What helps?",
    }
    assert {"The others?", "What is worse?", "What is open?"} <= set(short)
