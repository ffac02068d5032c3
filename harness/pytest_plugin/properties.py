"""What a test of a cell tells CI beside its outcome: properties, as JUnit files show them.

Measured values only: what was not measured, or cannot be told, has no property.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence

from harness.analysis.groups import latency_over
from harness.analysis.verdict import Verdict
from harness.matrix.cell import Cell
from harness.observations.records import CellObservation

Property = tuple[str, str]


def cell_parts(cell: Cell) -> list[Property]:
    """Return what every test of *cell* says: ``network``, ``treatment``, ``release``."""
    return [("network", cell.network), ("treatment", cell.treatment.label), ("release", cell.release)]


def measured(cell: CellObservation) -> list[Property]:
    """Return what was measured of a cell over its builds.

    ``builds`` made and ``builds_used`` (those that ran with right outputs); ``latency_ms``, the geometric
    mean of the medians of those, with its 95 % interval ``latency_low_ms`` .. ``latency_high_ms`` from two
    builds on; ``outputs_error`` of the worst build with its ``outputs_bound``; ``launch_bound``, ``true``
    where it is true of any build.
    """
    return [
        *_counts(cell),
        *_numbers(zip(_LATENCY, _latency(cell), strict=True)),
        *_outputs(cell),
        *_launch_bound(cell),
    ]


_LATENCY = ("latency_ms", "latency_low_ms", "latency_high_ms")


def _counts(cell: CellObservation) -> Iterator[Property]:
    if cell.builds:
        yield "builds", str(len(cell.builds))
        yield "builds_used", str(len(cell.good))


def _latency(cell: CellObservation) -> tuple[float | None, float | None, float | None]:
    latency = latency_over(cell.good)
    return latency.middle, latency.low, latency.high


def _outputs(cell: CellObservation) -> Iterator[Property]:
    checks = [build.outputs for build in cell.builds if build.outputs is not None]
    if checks:
        # An output that is missing or not finite has no error that is a number; it is the worst all the same.
        worst = max(checks, key=lambda check: (not check.valid, check.error))
        yield "outputs_valid", _flag(worst.valid)
        yield from _numbers([("outputs_error", worst.error), ("outputs_bound", worst.bound)])


def _launch_bound(cell: CellObservation) -> Iterator[Property]:
    known = [build.launch_bound for build in cell.good if build.launch_bound is not None]
    if known:
        yield "launch_bound", _flag(any(known))


def judged(verdicts: Sequence[Verdict]) -> list[Property]:
    """Return what the verdicts on one bottleneck of one cell say.

    ``bottleneck``, ``against``, ``state``, ``change``, ``verdict``, ``effect`` with its 95 % interval
    ``effect_low`` .. ``effect_high``, ``reason``. A cell measured on several hosts has a verdict on each:
    the names then begin with the host.
    """
    several = len({verdict.host for verdict in verdicts}) > 1
    return [
        (f"{verdict.host}:{name}" if several else name, value)
        for verdict in verdicts
        for name, value in _verdict(verdict)
    ]


def _verdict(verdict: Verdict) -> Iterator[Property]:
    low, high = verdict.interval or (None, None)
    yield "bottleneck", verdict.bottleneck
    for name in ("against", "state", "change", "verdict"):
        if (word := getattr(verdict, name)) is not None:
            yield name, str(word)
    yield from _numbers([("effect", verdict.effect), ("effect_low", low), ("effect_high", high)])
    yield "reason", verdict.reason


def _numbers(pairs: Iterable[tuple[str, float | None]]) -> Iterator[Property]:
    for name, value in pairs:
        if value is not None and math.isfinite(value):
            yield name, f"{value:.6g}"


def _flag(value: bool) -> str:
    return "true" if value else "false"
