"""Are the known bottlenecks gone, and did nothing get slower? By the decision table, against the baseline."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from harness.analysis.policy import Policy
    from harness.analysis.verdict import Verdict
    from harness.observations.records import CellObservation


def test_bottlenecks(
    measured: CellObservation, bottleneck: str, verdicts: list[Verdict], policy: Policy
) -> None:
    """No verdict on this cell is one that the matrix's policy fails."""
    mine = [v for v in verdicts if v.cell == measured.cell.id and v.bottleneck == bottleneck]
    if not mine:
        pytest.skip("nothing to compare it with")
    from harness.analysis.verdict import verdict_message

    for verdict in mine:
        if policy.against(verdict):
            pytest.fail(verdict_message(verdict), pytrace=False)
        if verdict.verdict == "indeterminate":
            pytest.skip(verdict_message(verdict))
