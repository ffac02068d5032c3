"""What would settle an answer is said where more builds would, and not of what makes no alarm."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from harness.analysis.grid import grid_of
from harness.analysis.judge import judge
from harness.analysis.rules.builtin import trtmatrix_bottlenecks
from harness.analysis.verdict import Verdict

RULES = {rule.name: rule for rule in trtmatrix_bottlenecks()}


def verdict(compose: Any, old: Sequence[float], new: Sequence[float]) -> Verdict:
    """Return the verdict on reformats that take so much of about 1 ms."""
    rest = {"pointwise": 0.4, "depthwise": 0.3, "other": 0.3}
    cells = [
        compose.cell(v, [compose.build(n, 1.0, {**rest, "reformat": ms}) for n, ms in enumerate(side)])
        for v, side in (("1.0", old), ("2.0", new))
    ]
    found = judge(grid_of(compose.run(*cells)), rules={"reformat": RULES["reformat"]})
    return next(v for v in found if (v.bottleneck, v.version) == ("reformat", "2.0"))


@pytest.mark.parametrize(("level", "more", "asked"), [(0.2, 0.015, True), (0.01, 0.018, False)])
def test_nothing_settles_what_is_no_bottleneck_on_either_side(
    compose: Any, level: float, more: float, asked: bool
) -> None:
    """A cost that is absent before and after gives no alarm, however far it moved."""
    old = [level + by for by in (-0.006, 0.0, 0.006, 0.002)]
    new = [level + by + more for by in (0.005, -0.006, 0.001, 0.0)]
    found = verdict(compose, old, new)
    assert found.verdict == "indeterminate"
    assert (found.settles is not None) is asked
