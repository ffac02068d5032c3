"""What the additive fit says of its own error, simulated: its scale sought anew in each step, or held.

    python benchmarks/simulate_fit_scale.py [--draws 300]

Blocks in which no process differs; slices scatter normally, with long tails, or between two speeds that are
sharp. Printed for each clip: the error of a process's value, %, and what the fit says it is. A fit that says
far less than the truth is chosen where it should not be (docs/decisions/0013-slices-far-out.md).
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping

import numpy as np
from numpy.random import Generator

from harness.analysis.statistics import additive_fit
from harness.analysis.statistics.additive_fit import STEPS, STILL, Fit, Slices
from harness.analysis.statistics.levels import Values

SIZES = ((4, 12), (8, 24), (48, 24))
"""Processes and cycles."""
NOISES = ("normal", "Student's t, 2", "Student's t, 1.3", "two sharp speeds")
CYCLE = 0.1


def noise(random: Generator, kind: str, shape: tuple[int, int]) -> Values:
    """Return what slices scatter by, logarithms."""
    if kind == NOISES[0]:
        return random.normal(0.0, 0.03, shape)
    if kind == NOISES[3]:
        return random.normal(0.0, 0.01, shape) + np.where(random.random(shape) < 0.3, 0.3, 0.0)
    degrees, width = (2.0, 0.02) if kind == NOISES[1] else (1.3, 0.015)
    return np.asarray(width * random.standard_t(degrees, shape))


class Held(Slices):
    """Slices whose fits of narrower clips keep the scale of the first one."""

    def held(self, clip: float, start: Fit, scale: float) -> Fit:
        """Return the fit with slices drawn in to *clip* times *scale*, sought from *start*."""
        values, common, far = start.values, start.common, clip * scale
        for _ in range(STEPS):
            fitted, before = common[:, None] + values, values
            drawn = fitted + np.clip(self._table - fitted, -far, far)
            values, common = self._solved(np.where(self._there, drawn, 0.0))
            if np.abs(values - before).max(initial=0.0) <= STILL * scale:
                break
        rest = self._table - (common[:, None] + values)
        inside = float(np.mean(np.abs(rest[self._there]) <= far))
        return Fit(values, common, np.clip(rest, -far, far) * self._scale(inside))


def fits(table: Values) -> Mapping[str, Fit]:
    """Return the fits by name, each sought from the one before."""
    slices = Held(table, np.zeros(table.shape[1], dtype=np.int_))
    plain = slices.plain()
    two = slices.drawn_in(2.0, plain)
    one = slices.drawn_in(1.0, two)
    left = table - (two.common[:, None] + two.values)
    scale = additive_fit._robust_deviation(left.ravel())
    held = slices.held(1.0, two, scale)
    return {
        "none": plain,
        "2": two,
        "1": one,
        "0.5": slices.drawn_in(0.5, one),
        "1, held": held,
        "0.5, held": slices.held(0.5, held, scale),
    }


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--draws", type=int, default=300)
    draws, random = parser.parse_args().draws, np.random.default_rng(1)
    names = list(fits(np.zeros((3, 3)) + np.eye(3)))
    print("| processes x cycles | slices | " + " | ".join(f"{name}: error, said" for name in names) + " |")
    print("|" + "---|" * (2 + len(names)))
    for processes, cycles in SIZES:
        for kind in NOISES:
            errors: dict[str, list[tuple[float, float]]] = {name: [] for name in names}
            for _ in range(draws):
                common = random.normal(0.0, CYCLE, (cycles, 1))
                for name, fit in fits(common + noise(random, kind, (cycles, processes))).items():
                    errors[name].append((float(np.mean(fit.values**2)), fit.variance / cycles))
            cells = [
                "{:.2f}, {:.2f}".format(*(100 * np.mean(rows, axis=0) ** 0.5)) for rows in errors.values()
            ]
            print(f"| {processes} x {cycles} | {kind} | " + " | ".join(cells) + " |", flush=True)


if __name__ == "__main__":
    main()
