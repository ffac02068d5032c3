"""Where a block goes: the law of placement, apart from how nodes are reached.

A group of blocks that are compared goes to one place: to the host that has builds of it already, else to a
place of the right kind on which most of its cells can run, rather waiting for that than taking a lesser one.
A place measures one block at a time; a block on a CPU has its node to itself.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from harness.execution.base import Block, PlannedBuild
from harness.execution.fleet import GPU, Place
from harness.matrix.cell import Cell
from harness.store.documents.origin import CPU, Host


@dataclass
class Group:
    """Blocks that go to one host, one after the other.

    :param host: that has builds of them already
    :param lost: why each place that had it was lost; :param shunned: nodes of those
    :param done: blocks that are over; :param home: builds that came home; :param refused: ids of cells
    """

    blocks: tuple[Block, ...]
    host: Host | None = None
    lost: list[str] = field(default_factory=list)
    shunned: set[str] = field(default_factory=set)
    done: int = 0
    home: list[PlannedBuild] = field(default_factory=list)
    refused: set[str] = field(default_factory=set)

    @property
    def kind(self) -> str:
        """``cpu`` or ``gpu``."""
        return GPU if self.blocks[0].device == GPU else CPU

    @property
    def cells(self) -> list[Cell]:
        """The cells, each once."""
        return list(dict.fromkeys(build.cell for block in self.blocks for build in block.builds))

    @property
    def block(self) -> Block:
        """The block whose turn it is."""
        return self.blocks[self.done]

    @property
    def left(self) -> int:
        """Builds of the blocks whose turn has not come yet."""
        return sum(len(block.builds) for block in self.blocks[self.done :])

    @property
    def missing(self) -> list[PlannedBuild]:
        """What of the present block has neither come home nor been refused."""
        return [b for b in self.block.builds if b not in self.home and b.cell.id not in self.refused]

    def begin_again(self, node: str, reason: str) -> None:
        """Note that *node* is lost: all that was to be compared is measured again, elsewhere if it can be."""
        self.lost.append(reason)
        self.shunned.add(node)
        self.done, self.home, self.refused, self.host = 0, [], set(), None


def groups(blocks: Sequence[Block], hosts: dict[str, Host]) -> list[Group]:
    """Return *blocks* as groups: those of one network and treatment go to one host.

    :param hosts: what is measured side by side to the host that has builds of it
    """
    found: dict[tuple[str, str], list[Block]] = {}
    for block in blocks:
        found.setdefault((block.device, block.builds[0].cell.beside), []).append(block)
    return [Group(tuple(mine), hosts.get(beside)) for (_, beside), mine in found.items()]


def fitting(group: Group, places: Sequence[Place]) -> list[Place]:
    """Return the places that *group* may go to, busy or not; none where no cell of it could run."""
    cells = group.cells
    found = [place for place in places if place.kind == group.kind and place.runs(cells)]
    home = [place for place in found if place.host == group.host]
    found = home or found
    found = [place for place in found if place.node not in group.shunned] or found
    most = max((place.runs(cells) for place in found), default=0)
    return [place for place in found if place.runs(cells) == most]


def choose(group: Group, places: Sequence[Place], taken: Collection[Place]) -> Place | None:
    """Return the place that *group* goes to now, None where it has to wait.

    Of several the one on the node with the fewest GPUs, which others may wait for.

    :param taken: places that measure a block
    """
    free = [place for place in fitting(group, places) if not any(_beside(place, other) for other in taken)]
    return min(free, key=lambda place: (place.gpus, place.name, place.number), default=None)


def _beside(place: Place, other: Place) -> bool:
    """Say whether a block on *other* forbids one on *place*."""
    if place.node != other.node:
        return False
    return CPU in (place.kind, other.kind) or place.number == other.number
