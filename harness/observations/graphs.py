"""The networks of stored runs: their structure as the bundle keeps it, else the registered ones."""

from __future__ import annotations

from collections.abc import Mapping

from harness.errors import InputError, PluginError, UsageError
from harness.matrix.cell import Cell
from harness.networks.base import NetworkFamily
from harness.networks.graph import Graph
from harness.networks.package import read_structure
from harness.store.bundle import Bundle, CellRecord
from harness.store.documents.base import UNKNOWN


class Graphs:
    """Graphs of the networks in a run, made once, checked against the stored digest.

    :param families: the registered networks, by name
    """

    def __init__(self, families: Mapping[str, NetworkFamily]) -> None:
        self._families = families
        self._made: dict[tuple[str, int, str], Graph | None] = {}
        self._kept: dict[tuple[str, str], Graph] = {}

    def of(self, bundle: Bundle, record: CellRecord) -> Graph | None:
        """Return a cell's network, None where neither the bundle nor anybody here has it.

        What the bundle keeps comes first: making a network draws its weights, of which no reading has use.

        :raises InputError: the kept one is torn, and none that is registered is the same
        """
        key = str(bundle.network_path(record.cell)), record.digest
        if key not in self._kept:
            try:
                graph = self._structure(bundle, record)
            except InputError:
                graph = self._same(record)
                if graph is None:
                    raise
            if graph is None:
                return None
            self._kept[key] = graph
        return self._kept[key]

    def _structure(self, bundle: Bundle, record: CellRecord) -> Graph | None:
        path = bundle.network_path(record.cell)
        kept = read_structure(path) if path.exists() else None
        if kept is not None and record.digest in (kept.digest, UNKNOWN):
            return kept
        return self._same(record) or kept

    def _same(self, record: CellRecord) -> Graph | None:
        """Return the registered network, None where it is another one than *record* measured."""
        known = self._registered(record.cell)
        return known if known is not None and record.digest in (known.digest, UNKNOWN) else None

    def _registered(self, cell: Cell) -> Graph | None:
        relu6 = cell.treatment.relu6 if cell.treatment.relu6 != UNKNOWN else "clip"
        key = (cell.network, cell.treatment.batch or 1, relu6)
        if key not in self._made:
            family = self._families.get(cell.network)
            try:
                self._made[key] = family.graph(batch=key[1], relu6=relu6) if family else None
            except (UsageError, PluginError):
                self._made[key] = None
        return self._made[key]
