"""What the cells of a run need before they can be measured: environments, and the files of their networks.

Environments that may be are made at the same time, in threads: most of it is waiting for an index and for
disks. Networks and their reference outputs are worked out meanwhile.
"""

from __future__ import annotations

import queue
import sysconfig
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as NotYet
from contextlib import ExitStack

from harness.environments.base import Prepared
from harness.errors import PluginError, UnavailableError, UsageError
from harness.execution.inputs import InputStore, NetworkInputs
from harness.execution.parts import Parts
from harness.matrix.cell import Cell
from harness.store.bundle import Bundle

Where = tuple[str, str, str]
"""Runtime, version and environment."""

Refuse = Callable[[Cell], tuple[str, str] | None]
"""Returns status and reason of a cell that no other machine can measure, None where one can."""

_LOOK_SECONDS = 0.1


class Preparation:
    """Makes what cells need, once a run, and says in the manifest what cannot be made.

    :param device: where a cell runs
    :param elsewhere: where environments are made on other machines; None: here
    """

    def __init__(
        self,
        bundle: Bundle,
        parts: Parts,
        inputs: InputStore,
        device: Callable[[Cell], str],
        say: Callable[[str], None],
        elsewhere: Refuse | None = None,
    ) -> None:
        self._elsewhere = elsewhere
        self._bundle, self._parts, self._inputs, self._device, self._say = bundle, parts, inputs, device, say
        self.devices: dict[Cell, str] = {}
        self._made: dict[Where, Prepared | tuple[str, str]] = {}
        self._coming: dict[Where, Future[Prepared | tuple[str, str]]] = {}
        self._lines: queue.SimpleQueue[str] = queue.SimpleQueue()

    def environment(self, cell: Cell) -> Prepared:
        """Return the environment of a cell that can be measured."""
        made = self._made[where(cell)]
        assert not isinstance(made, tuple)
        return made

    def runnable(self, cells: Sequence[Cell]) -> list[Cell]:
        """Return those of *cells* that can be measured; of the others the manifest says why not."""
        with ExitStack() as stack:
            self._begin(cells, stack)
            return [cell for cell in cells if self._prepare(cell)]

    def _begin(self, cells: Sequence[Cell], stack: ExitStack) -> None:
        """Have environments made in threads, as many at once as each kind of them allows."""
        pools: dict[str, ThreadPoolExecutor] = {}
        # The first call fills a table that a second thread would read half filled (uv and packaging ask it).
        sysconfig.get_config_vars()
        for cell in cells if self._elsewhere is None else ():
            environment = self._parts.environments[cell.environment]
            if where(cell) in self._coming or environment.prepares_at_once < 2 or self._refused(cell):
                continue
            if cell.environment not in pools:
                pool = ThreadPoolExecutor(environment.prepares_at_once)
                stack.callback(pool.shutdown, cancel_futures=True)
                pools[cell.environment] = pool
            self._coming[where(cell)] = pools[cell.environment].submit(
                self._environment, cell, self._lines.put
            )

    def _refused(self, cell: Cell) -> bool:
        try:
            return bool(self._parts.unsupported(cell))
        except PluginError:
            return True  # said where the cell's turn comes

    def _prepare(self, cell: Cell) -> bool:
        """Make what *cell* needs; say in the manifest why where that fails, or where a plugin does."""
        try:
            self.devices[cell] = self._device(cell)
            return self._prepare_cell(cell)
        except PluginError as error:
            self._bundle.set_cell(cell, "failed", str(error))
            return False

    def _prepare_cell(self, cell: Cell) -> bool:
        reason = self._parts.unsupported(cell)
        if reason:
            self._bundle.set_cell(cell, "unsupported", reason)
            return False
        inputs = self._inputs_of(cell)
        refused = self._refusal(cell) if self._elsewhere is None else self._elsewhere(cell)
        if refused is not None:
            self._bundle.set_cell(cell, *refused)
            return False
        if isinstance(inputs, UsageError):
            self._bundle.set_cell(cell, "unsupported", str(inputs))
            return False
        self._bundle.keep_network(cell, inputs.network)
        self._bundle.set_cell(cell, "pending", "", inputs.graph.digest)
        return True

    def _inputs_of(self, cell: Cell) -> NetworkInputs | UsageError:
        try:
            return self._inputs.get(cell)
        except UsageError as error:
            return error

    def _refusal(self, cell: Cell) -> tuple[str, str] | None:
        made = self._environment_of(cell)
        return made if isinstance(made, tuple) else None

    def _environment_of(self, cell: Cell) -> Prepared | tuple[str, str]:
        """Return the environment of *cell*, or status and reason where there is none; waits for it."""
        key = where(cell)
        if key in self._made:
            return self._made[key]
        coming = self._coming.get(key)
        self._made[key] = self._environment(cell, self._say) if coming is None else self._wait(coming)
        return self._made[key]

    def _wait(self, coming: Future[Prepared | tuple[str, str]]) -> Prepared | tuple[str, str]:
        while True:
            try:
                return coming.result(timeout=_LOOK_SECONDS)
            except NotYet:
                if coming.done():
                    raise  # its own, not that of this wait
            finally:
                while not self._lines.empty():
                    self._say(self._lines.get())

    def _environment(self, cell: Cell, say: Callable[[str], None]) -> Prepared | tuple[str, str]:
        environment = self._parts.environments[cell.environment]
        runtime = self._parts.runtimes[cell.runtime]
        available = environment.availability(runtime, cell.version)
        if available.state != "ok":
            return available.state, "; ".join(p for p in (available.reason, available.remedy) if p)
        try:
            return environment.prepare(runtime, cell.version, say)
        except UnavailableError as error:
            return "unavailable", str(error)


def where(cell: Cell) -> Where:
    """Return what decides the environment of *cell*."""
    return cell.runtime, cell.version, cell.environment
