"""A rule of somebody else's, which says what it must and no more."""

from __future__ import annotations

from typing import Any

import pytest

from harness.analysis.grid import grid_of
from harness.analysis.judge import judge
from harness.analysis.rules.base import Cost, Rule, RuleSection
from harness.analysis.run_analysis import analyse
from harness.observations.records import BuildObservation, RunObservation


class Stem(Rule):
    """The first convolution."""

    name, title = "stem", "the stem"

    def cost(self, build: BuildObservation) -> Cost | None:
        """Return what the layers of no other class take."""
        if build.engine is None:
            return None
        spent = build.engine.time_of_class().get("convolution", 0.0)
        return Cost(spent, spent / build.engine.total_ms)

    def section(self, run: RunObservation) -> RuleSection | None:
        """Count the cells."""
        return RuleSection("The stem", (f"of {len(run.cells)} cells",))


@pytest.mark.parametrize(("ms", "said"), [(0.5, "unchanged"), (0.6, "regressed"), (0.4, "reduced")])
def test_its_cost_is_what_differences_are_made_of(compose: Any, ms: float, said: str) -> None:
    times = {"pointwise": 0.2, "depthwise": 0.3}
    cells = [
        compose.cell(v, [compose.build(n, 1.0, {**times, "other": own * (1 + n / 1e4)}) for n in range(4)])
        for v, own in (("1.0", 0.5), ("2.0", ms))
    ]
    found = judge(grid_of(compose.run(*cells)), rules={"stem": Stem()})
    (verdict,) = [v for v in found if (v.bottleneck, v.version) == ("stem", "2.0")]
    assert verdict.verdict == said
    assert verdict.difference == pytest.approx(ms - 0.5, abs=1e-3)
    assert verdict.effect == pytest.approx(ms / 0.5, rel=1e-3)


def test_its_section_is_of_the_run_that_was_analysed(compose: Any) -> None:
    grid = grid_of(compose.run(compose.cell("1.0"), compose.cell("2.0"), compose.cell("3.0")))
    found = analyse(grid, [], rules={"stem": Stem()})
    assert {name: one.sentences for name, one in found.sections.items()} == {"stem": ("of 3 cells",)}
