"""One busy neighbour: a program that computes, moves memory or pauses, in a random order.

    python benchmarks/busy_neighbour.py SECONDS SEED

Four tenths of its turns stream through 64 MB, four tenths multiply matrices on one thread, two tenths mostly
sleep; a turn lasts 1.5 s on average. It leaves by itself after SECONDS.
"""

from __future__ import annotations

import os
import random
import sys
import time

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[name] = "1"  # before numpy is loaded: a neighbour is one thread

import numpy as np  # noqa: E402


def main() -> None:
    """Be busy."""
    end, draw = time.monotonic() + float(sys.argv[1]), random.Random(int(sys.argv[2]))
    stream, matrix = np.ones(8_000_000), np.ones((400, 400))
    while time.monotonic() < end:
        until, kind = time.monotonic() + draw.expovariate(1 / 1.5), draw.random()
        while time.monotonic() < min(until, end):
            if kind < 0.4:
                stream *= 1.0000001
            elif kind < 0.8:
                matrix @ matrix
            else:
                time.sleep(0.05)


if __name__ == "__main__":
    main()
