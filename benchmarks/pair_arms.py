"""Many A/A pairs from one block: the builds of a cell, cut at random into arms that share none.

A cell of 16 builds is two pairs of four builds a side, all of one block: they share no process, and spreads
are pooled over as many builds as a block of four cells has. Which builds meet is drawn, so that neither the
order in which they were made nor their numbers decide it.
"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import replace

from harness.observations.records import BuildObservation, CellObservation, RunObservation

DRAWN_WITH = 20261129  # seed of the arms


def cut(run: RunObservation, builds: int, draw: int = 0) -> RunObservation:
    """Return *run* with each cell cut into pairs of *builds* builds a side.

    The first pair keeps the cell's name; each further one is a network of its own, ``NAME pair 2`` and so on,
    so that pairs are not compared with each other. Builds that are left over stay out.

    :param draw: number of the drawing: others cut the same builds otherwise, and overlap
    """
    return replace(run, cells=tuple(arm for found in run.cells for arm in _arms(found, builds, draw)))


def _arms(found: CellObservation, builds: int, draw: int) -> Iterator[CellObservation]:
    if found.cell.repeat:
        return
    pairs: list[tuple[BuildObservation, ...]] = []
    for block, mine in _by_block(found):
        own = list(mine)
        random.Random(f"{DRAWN_WITH}/{draw}/{block}/{found.cell.id}").shuffle(own)
        pairs += [tuple(own[at : at + 2 * builds]) for at in range(0, len(own) - 2 * builds + 1, 2 * builds)]
    for number, both in enumerate(pairs, start=1):
        network = found.cell.network if number == 1 else f"{found.cell.network} pair {number}"
        cell = replace(found.cell, network=network)
        yield replace(found, cell=cell, builds=both[:builds])
        yield replace(found, cell=replace(cell, repeat="aa"), builds=both[builds:])


def _by_block(found: CellObservation) -> Iterator[tuple[str, Sequence[BuildObservation]]]:
    """Yield the builds of each block that can be judged; those of two blocks are no pair."""
    blocks: dict[str, list[BuildObservation]] = defaultdict(list)
    for build in found.good:
        if build.block:
            blocks[f"{build.identity.pool}/{build.block}"].append(build)
    yield from blocks.items()
