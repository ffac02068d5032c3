"""False alarms among A/A pairs of a block in which two runtimes spread differently (no measurement).

    python benchmarks/simulate_runtimes.py [--draws 20000]

Four cells of each of two runtimes, whose builds spread by the two standard deviations of a row: normal, or in
two modes (where a process lies in memory decides how fast it is). Compared are two cells that are the same,
of the quieter and of the noisier runtime: with spreads pooled over the whole block, and over the runtime's
own cells; slow builds set aside as in use. Decision 10 has the table.
"""

from __future__ import annotations

import argparse

import numpy as np
from simulate_lockstep import alarms, compared
from simulated_blocks import QUIET, Generator, Values, row

CELLS = 4
SPREADS = ((0.02, 0.02), (0.01, 0.03), (0.02, 0.06), (0.01, 0.06))
BUILDS = (3, 4, 5)
FAST, WITHIN = 0.9, 0.4
"""Of two modes: how far each lies from the middle, and the spread in it, in standard deviations of all."""


def drawn(generator: Generator, draws: int, builds: int, spreads: tuple[float, float], modes: bool) -> Values:
    """Return logarithms of builds of the same thing, shape (draws, cells of both runtimes, builds)."""
    shape = (draws, 2 * CELLS, builds)
    values = generator.normal(size=shape)
    if modes:
        values = np.where(generator.random(shape) < 0.5, FAST, -FAST) + WITHIN * values
    return np.asarray(values * np.repeat(spreads, CELLS)[None, :, None])


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--draws", type=int, default=20000)
    parser.add_argument("--seed", type=int, default=20261129)
    arguments = parser.parse_args()
    generator = np.random.default_rng(arguments.seed)
    heads = [f"{which}: {how}" for which in ("quieter", "noisier") for how in ("block", "runtime")]
    row("spreads, %", "builds", "values", *heads)
    row(*["---"] * (3 + len(heads)))
    for spreads in SPREADS:
        for builds in BUILDS:
            for modes in (False, True):
                values = drawn(generator, arguments.draws, builds, spreads, modes)
                turned = np.concatenate([values[:, CELLS:], values[:, :CELLS]], axis=1)
                pools = (values, values[:, :CELLS], turned, values[:, CELLS:])
                shares = [100 * float(np.mean(alarms(compared(QUIET, of), QUIET.material))) for of in pools]
                words = "two modes" if modes else "normal"
                both = " and ".join(f"{100 * one:g}" for one in spreads)
                row(both, str(builds), words, *(f"{share:.2f}" for share in shares))


if __name__ == "__main__":
    main()
