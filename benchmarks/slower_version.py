"""The command ``trtmatrix`` with one version slower than it is: an op of one network repeated for it alone.

    SLOWER_VERSION=1.32.0 SLOWER_TIMES=8 python benchmarks/slower_version.py run M.toml --out RUN

As a release that became slower would be: the network is the same by its digest, and so is all else that a
night states. The structure that is kept knows the repeated ops by their names, in every run of this command.
"""

from __future__ import annotations

import os
import sys
from dataclasses import replace

from slower_networks import REPEATED, repeated

from harness.cli import main
from harness.execution import inputs, schedule
from harness.execution.inputs import NetworkInputs
from harness.matrix.cell import Cell
from harness.networks.graph import Graph

NETWORK = "mobilenet_v2"
VERSION, TIMES = os.environ.get("SLOWER_VERSION", ""), int(os.environ.get("SLOWER_TIMES", "8"))


class _Family:
    """The network with its op repeated, under the name of the plain one."""

    name = NETWORK
    description = "with an op repeated"

    def __init__(self, plain: Graph) -> None:
        self._plain = plain

    def graph(self, batch: int = 1, relu6: str = "clip") -> Graph:
        """Return the graph. :param batch, relu6: those of the plain one, and no others"""
        assert (batch, relu6) == (1, "clip"), "this benchmark has one treatment"
        return repeated(self._plain, NETWORK, REPEATED[NETWORK], TIMES)


class SlowerStore(inputs.InputStore):
    """Gives the slower network to one version."""

    def get(self, cell: Cell) -> NetworkInputs:
        """Return the inputs of *cell*."""
        found = super().get(cell)
        if cell.network != NETWORK:
            return found
        slower = inputs.InputStore(self._folder / "slower", {NETWORK: _Family(found.graph)}, self._seed)
        if "slower" not in self.__dict__:
            self.__dict__["slower"] = slower.get(cell)
        made: NetworkInputs = self.__dict__["slower"]
        # One digest and one structure for both, so that a night says of either that it is the same network.
        plain = replace(found, graph=replace(found.graph, digest=made.graph.digest), network=made.network)
        return made if cell.version == VERSION else plain


if __name__ == "__main__":
    schedule.InputStore = SlowerStore  # type: ignore[misc]
    sys.exit(main())
