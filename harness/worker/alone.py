"""A process measured on its own, while no other of its block is loaded: what a user would see alone.

Held against what the same process took side by side with the others. The first build of a block is measured
before the second is started, one more once all others have ended: so no worker is started for it, and what
drifts over the block counts up once and down once. Standard library and Python 3.5 syntax, since a pack's
host script uses it too.
"""

import time
from typing import Optional, Sequence

from harness.worker.drive import Driven
from harness.worker.lockstep import LEAST, MOST, SETTLE, SLICE_SECONDS, cycles_of

SECONDS = 1.0
"""The most that a pass is measured for, besides its warm-up."""

FEWEST = 3
"""Slices of a pass, however long an inference takes."""

LEAVE_SECONDS = 10.0
"""How long those that were closed may take to leave."""


def measure_alone(one: Driven) -> None:
    """Take slices of every pass of *one*, as many as side by side but for a second at most."""
    if one.over:
        return
    settings = one.settings
    for name in one.passes:
        one.asked(one.warm_up, name, settings.warmup_seconds)
        end = time.perf_counter() + SECONDS
        for number in range(cycles_of(settings)):
            if one.over or (number >= FEWEST and time.perf_counter() >= end):
                break
            taken = one.asked(one.take, name, SLICE_SECONDS, LEAST, MOST, SETTLE)
            if taken is not None:
                one.samples.add_alone(name, taken)


def to_stay(processes: Sequence[Driven], profile_apart: bool) -> Optional[Driven]:
    """Return which process of a build may be measured once its engine was profiled, None for none.

    One that loaded what another had kept is not profiled itself.

    :param profile_apart: whether profiling leaves what is measured as it was
    """
    alive = [one for one in processes if not one.over and one.samples.slices]
    further = [one for one in alive if one.samples.process]
    if further:
        return further[0]
    return alive[0] if alive and (profile_apart or not alive[0].settings.profile_iterations) else None
