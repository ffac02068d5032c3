"""Outputs first: a build whose outputs are wrong is never fast."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from harness.observations.records import CellObservation


def test_outputs(observed: CellObservation) -> None:
    """Each build's outputs agree with the FP32 reference within the precision's bound."""
    checked = [b for b in observed.builds if b.outputs is not None]
    if not checked:
        pytest.skip("no build ran: there are no outputs to compare")
    wrong = [f"build {b.build}: {b.outputs.reason}" for b in checked if b.outputs and not b.outputs.valid]
    if wrong:
        pytest.fail(f"{observed.cell.id}: outputs are wrong: " + "; ".join(wrong), pytrace=False)
