"""The structure of a network as a run keeps it, so that reading a composed bundle makes no network."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

from harness.matrix.cell import Cell
from harness.networks.package import as_json
from harness.plugins import registry
from harness.store.bundle import Bundle


def keep_network(bundle: Bundle, cell: Cell) -> None:
    """Keep the network of *cell* in *bundle*, as a run does."""
    path: Path = bundle.network_path(cell)
    path.parent.mkdir(exist_ok=True)
    path.write_text(_structure(cell.network, cell.treatment.batch or 1, cell.treatment.relu6), "utf-8")


@cache
def _structure(network: str, batch: int, relu6: str) -> str:
    return json.dumps(as_json(registry.networks()[network].graph(batch, relu6)))
