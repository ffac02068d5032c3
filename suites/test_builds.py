"""Every build of every cell was made and ran to its end."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from harness.observations.records import CellObservation


def test_builds(observed: CellObservation) -> None:
    """No build of the cell failed."""
    broken = [f"build {b.build}: {b.reason}" for b in observed.builds if b.status != "ok"]
    if broken:
        pytest.fail(f"{observed.cell.id}: " + "; ".join(broken), pytrace=False)
    if not observed.builds:
        pytest.fail(f"{observed.cell.id}: nothing was built", pytrace=False)
