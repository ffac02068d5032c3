"""A comparison in one sentence a version, and the layers that carry the difference."""

from __future__ import annotations

from collections.abc import Sequence

from harness.analysis.table import Change
from harness.analysis.verdict import LATENCY, Verdict
from harness.report.words import MINUS, change, interval, milliseconds


def sentences(verdicts: Sequence[Verdict]) -> list[str]:
    """Return a sentence for the latency of each version that was compared.

    ``onnxruntime 1.22.1 is 4.1 % slower than 1.18.1 (3.2 to 5.0 %).``
    """
    return [_sentence(one) for one in verdicts if one.bottleneck == LATENCY and one.against is not None]


def _sentence(one: Verdict) -> str:
    name = f"{one.runtime} {one.version}"
    if one.effect is None or one.interval is None:
        return f"{name} beside {one.against}: {one.verdict}: {one.reason}."
    low, high = one.interval
    if one.change is Change.UNCHANGED:
        furthest = max(abs(low - 1), abs(high - 1))
        return f"{name} is as fast as {one.against}: the difference is under {100 * furthest:.1f} %."
    if one.change is None:
        said = f"{change(one.effect)} ({interval(one.interval)})"
        settled = f"; would be settled by {one.settles}" if one.settles else ""
        return f"{name} cannot be told from {one.against}: {said}{settled}."
    word = "slower" if one.effect > 1 else "faster"
    sizes = sorted(abs(end - 1) for end in (low, high))
    return (
        f"{name} is {100 * abs(one.effect - 1):.1f} % {word} than {one.against} "
        f"({100 * sizes[0]:.1f} to {100 * sizes[1]:.1f} %)."
    )


def layer_rows(verdicts: Sequence[Verdict]) -> list[tuple[str, str, str, str, str]]:
    """Return version, layer, old ms, new ms and difference of the layers that carry a latency's change.

    Of each version the largest difference first.
    """
    return [
        (
            f"{one.runtime} {one.version}",
            layer.name,
            milliseconds(layer.old_ms),
            milliseconds(layer.new_ms),
            f"{'+' if layer.difference_ms > 0 else MINUS}{milliseconds(abs(layer.difference_ms))}",
        )
        for one in verdicts
        if one.bottleneck == LATENCY and one.against is not None
        for layer in sorted(one.layers, key=lambda layer: -abs(layer.difference_ms))
        if layer.changed
    ]
