"""Linear scales with round ticks, for the charts."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Scale:
    """Maps values to 0 .. 1. :param ticks: round values inside, with the text to print"""

    low: float
    high: float
    ticks: tuple[tuple[float, str], ...]

    @classmethod
    def over(cls, values: Sequence[float], *, from_zero: bool = False, count: int = 6) -> Scale:
        """Return a scale that holds all *values* with some air, or from zero on."""
        low, high = (0.0 if from_zero else min(values)), max(values)
        air = (high - low or abs(high) or 1.0) * 0.06
        low, high = (0.0 if from_zero else low - air if low < 0 else max(0.0, low - air)), high + air
        step = _round_step((high - low) / count)
        digits = max(0, -math.floor(math.log10(step))) if step < 1 else 0
        first = math.ceil(low / step)
        ticks = []
        for index in range(first, math.floor(high / step) + 1):
            ticks.append((index * step, f"{index * step:.{digits}f}"))
        return cls(low, high, tuple(ticks))

    def place(self, value: float) -> float:
        """Return where *value* lies between the ends, 0 .. 1."""
        return (value - self.low) / (self.high - self.low)


def _round_step(raw: float) -> float:
    """Return the smallest of 1, 2, 5 x 10^n that is not below *raw*."""
    power = 10.0 ** math.floor(math.log10(raw))
    return next(factor * power for factor in (1, 2, 5, 10) if factor * power >= raw * (1 - 1e-9))
