"""The process that measures a block on a node: ``python -m harness.executors.node FOLDER``.

It is what a local run is there: the same schedule, the same lock of the device. FOLDER holds the order and
the files that it names; events go to standard output, a JSON object a line. When its standard input ends,
whoever started it is gone or wants no more: it ends as after Ctrl-C, and takes FOLDER away.
"""

from __future__ import annotations

import json
import os
import pickle
import shutil
import signal
import sys
import threading
from collections.abc import Callable, Generator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

from harness.errors import TrtmatrixError
from harness.execution.base import Block, EndedBuild
from harness.execution.budget import Budget
from harness.execution.fleet import GPU, Order, Refused
from harness.execution.inputs import place
from harness.execution.job import TIMING_CACHE
from harness.execution.measuring import affinity, build_cpus
from harness.execution.parts import Parts
from harness.execution.preparing import Preparation
from harness.execution.schedule import Schedule
from harness.execution.sending import SentInputs
from harness.plugins import registry
from harness.store.bundle import Bundle
from harness.store.documents.base import write_document
from harness.store.documents.manifest import Manifest
from harness.store.machine import chosen_gpu

ORDER, FILES = "order.pickle", "files"
"""Of a node's folder: what is asked for, and the files by their digest."""


def log_of(folder: Path) -> Path:
    """Return the log of the process of *folder*: beside it, since the folder is taken away at the end."""
    return folder.with_name(f"{folder.name}.log")


class NodeSchedule(Schedule):
    """Measures one order on this machine.

    :param folder: of the order
    """

    def __init__(self, order: Order, folder: Path, parts: Parts, say: Callable[[str], None]) -> None:
        bundle = Bundle.create(folder / "run", Manifest(run="node"))
        cells = list(dict.fromkeys(build.cell for build in order.builds))
        settings = replace(
            order.settings,
            device=chosen_gpu() if order.kind == GPU else None,
            affinity=_affinity(order),
            build_cpus=build_cpus(order.settings.cpu),
        )
        budget = Budget(order.seconds, order.precision)
        super().__init__(
            bundle, cells, parts, settings, rounds=order.rounds, say=say, budget=budget, check=order.check
        )
        self._inputs = SentInputs(folder / "inputs", folder / FILES, order.inputs)
        self._preparation = Preparation(bundle, parts, self._inputs, self._device, say)
        self._later = order.later
        self._last = {cell: number - 1 for cell, number in order.numbers.items()}
        self._order_given = order
        for planned, digest in order.caches.items():
            # Where the cache of an earlier build lies in a bundle.
            evidence = bundle.build_folder(planned.cell.id, planned.number - 1) / "evidence"
            evidence.mkdir(parents=True)
            place(folder / FILES / digest, evidence, TIMING_CACHE)

    def measured(self) -> Generator[EndedBuild | Refused, None, None]:
        """Yield what becomes of the order: first the cells that cannot run here."""
        ready = self._preparation.runnable(self._cells)
        for record in self._bundle.cells():
            if record.cell not in ready:
                yield Refused(record.cell.id, record.status, record.reason)
        builds = tuple(build for build in self._order_given.builds if build.cell in ready)
        if builds:
            yield from self._ended(Block(builds, self._preparation.devices[builds[0].cell]))


def _affinity(order: Order) -> tuple[int, ...] | None:
    """Return the CPUs of the workers: another one for each GPU, whose blocks are measured at once."""
    if order.settings.cpu is not None or not hasattr(os, "sched_getaffinity"):
        return affinity(order.settings.cpu)
    allowed = sorted(os.sched_getaffinity(0))
    return (allowed[-1 - order.number % len(allowed)],)


def main(folder: Path) -> int:
    """Measure the order in *folder*."""
    # Whatever else prints goes to the log.
    channel = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    signal.signal(signal.SIGINT, signal.default_int_handler)

    def tell(what: str, **facts: object) -> None:
        channel.write(json.dumps({"event": what, **facts}) + "\n")
        channel.flush()

    try:
        # Input may have ended already: the interrupt has to come in here.
        threading.Thread(target=_end_with_input, daemon=True).start()
        order: Order = pickle.loads((folder / ORDER).read_bytes())
        os.environ.update(order.variables)
        sys.argv = [*order.command] or sys.argv  # Of the run: others that wait for the device are told it.
        schedule = NodeSchedule(order, folder, registry.parts(), lambda line: tell("said", line=line))
        with closing(schedule.measured()) as measured:
            for became in measured:
                _tell(became, tell)
        tell("over")
    except TrtmatrixError as error:
        tell("lost", reason=error.one_line)
    except (KeyboardInterrupt, BrokenPipeError):
        log_of(folder).unlink(missing_ok=True)
        return 130
    finally:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        shutil.rmtree(folder, ignore_errors=True)
    return 0


def _tell(became: EndedBuild | Refused, tell: Callable[..., None]) -> None:
    if isinstance(became, Refused):
        tell("refused", cell=became.cell, status=became.status, reason=became.reason)
        return
    result = became.result
    if result.outcome.status == "interrupted":
        raise KeyboardInterrupt
    write_document(result.folder / "build.json", result.document)
    tell(
        "came",
        cell=became.planned.cell.id,
        number=became.planned.number,
        folder=str(result.folder),
        status=result.outcome.status,
        reason=result.outcome.reason,
    )
    # The folder is taken before the next build ends: whoever reads says so by a byte.
    _TAKEN.acquire()
    if _GONE.is_set():
        raise KeyboardInterrupt


_TAKEN, _GONE = threading.Semaphore(0), threading.Event()


def _end_with_input() -> None:
    """Count what was taken; interrupt the process when standard input ends."""
    while os.read(0, 1):
        _TAKEN.release()
    _GONE.set()
    _TAKEN.release()
    os.kill(os.getpid(), signal.SIGINT)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
