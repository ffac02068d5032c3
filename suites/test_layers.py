"""Where the time goes: every engine layer has a time and belongs to source ops, or is named and counted."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from harness.observations.records import CellObservation


UNATTRIBUTED_SHARE = 0.05
"""More time than this outside all source ops means that the attribution does not know this engine."""


def test_layers(measured: CellObservation) -> None:
    """The layer times are there and are carried by source ops."""
    engines = [(b.build, b.engine) for b in measured.good if b.engine is not None and b.engine.layers]
    if not any(engine.total_ms for _, engine in engines):
        pytest.skip("no per-layer profile was taken: this runtime ran nothing here")
    for build, engine in engines:
        name = f"{measured.cell.id} build {build}"
        if not engine.total_ms > 0:
            pytest.fail(f"{name}: the profile is empty", pytrace=False)
        share = engine.unattributed_ms / engine.total_ms
        if engine.graph is not None and share > UNATTRIBUTED_SHARE:
            lost = [layer.name for layer in engine.layers if layer.op_class == "unknown" and layer.time_ms]
            pytest.fail(
                f"{name}: {share:.1%} of the layer time belongs to no source op: {lost[:5]}", pytrace=False
            )
