"""What a rule of a plugin brings to the page: its title over its verdicts, and a section of its own."""

from __future__ import annotations

from harness.analysis.grid import grid_of
from harness.analysis.judge import judge
from harness.analysis.rules.base import Cost, Rule, RuleSection
from harness.analysis.run_analysis import RunAnalysis, analyse
from harness.observations.records import BuildObservation, RunObservation
from harness.plugins.guard import guarded
from harness.plugins.registry import bottlenecks
from harness.report.markdown import summary
from harness.report.render import render
from tests.report.composed import cell, run
from tests.report.parsed import Parsed

HOSTILE = "<script>alert(1)</script>"


class Tallest(Rule):
    """Counts builds, and says so."""

    name = "tallest"
    title = "Tallest builds"

    def cost(self, build: BuildObservation) -> Cost | None:
        """Return the number of the build as its cost."""
        return Cost(float(build.build + 1), None)

    def section(self, run: RunObservation) -> RuleSection | None:
        """Return a row a cell, None where there is nothing to say."""
        if not run.cells:
            return None
        rows = tuple((seen.cell.id, str(len(seen.builds))) for seen in run.cells)
        return RuleSection("How tall", ("One sentence.", HOSTILE), ("cell", "builds"), rows)


class Broken(Tallest):
    """Raises when the page is made."""

    name = "broken"

    @property
    def title(self) -> str:  # type: ignore[override]
        """Raise."""
        raise ValueError("no title")

    def section(self, run: RunObservation) -> RuleSection | None:
        """Raise."""
        raise ValueError(f"nothing of {len(run.cells)} cells")


def analysed(rule: Rule) -> RunAnalysis:
    grid = grid_of(run(cell("9.0", [1.0, 1.1]), cell("10.0", [2.0, 2.1])))
    rules = {**bottlenecks(), rule.name: rule}
    return analyse(grid, judge(grid, rules=rules), rules=rules)


def test_a_rule_has_its_title_and_its_section_on_the_page() -> None:
    html = render(analysed(Tallest()))
    page = Parsed(html)
    assert "Tallest builds" in page.text
    assert "How tall" in page.text
    assert "One sentence." in page.text
    assert HOSTILE not in html
    assert "#rule-tallest" in html
    assert set(page.links) <= set(page.ids)


def test_its_title_stands_in_the_summary_behind_the_built_in_ones() -> None:
    (head,) = [
        line
        for line in summary(analysed(Tallest())).splitlines()
        if line.startswith("|") and "Tallest" in line
    ]
    assert head.index("latency") < head.index("1x1 convolutions") < head.index("Tallest builds")


def test_a_rule_that_raises_says_so_in_its_place() -> None:
    analysis = analysed(guarded(Broken(), "bottleneck 'broken' of acme 1.0"))
    assert analysis.titles["broken"] == "broken"
    text = Parsed(render(analysis)).text
    assert "bottleneck 'broken' of acme 1.0: section() raised ValueError: nothing of 2 cells" in text
