"""What runs on a node of a Ray cluster: an actor around the process that measures, and a look at the node."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from harness.execution.fleet import Event, Need, Order, Said
from harness.executors.process import NodeProcess


class BlockActor:
    """Measures one order on the node that it is placed on; two of its methods may run at once.

    :param files: digest to a reference of the content, in Ray's object store; :param mark: of the run
    """

    def __init__(self, order: Order, files: Mapping[str, Any], mark: str = "") -> None:
        import ray

        contents = ray.get(list(files.values()))
        self._said = [Said(line) for line in priority()]
        self._process = NodeProcess(order, dict(zip(files, contents, strict=True)), mark)

    def events(self, seconds: float) -> list[Event]:
        """Return what has happened since last time, waiting up to *seconds* for something."""
        said: list[Event] = [*self._said]
        self._said = []
        return said or self._process.events(seconds)

    def stop(self) -> None:
        """End what measures, with all that it started."""
        self._process.stop()


def priority() -> list[str]:
    """Give this process the priority of the node: Ray starts its workers with a lower one (``nice`` 15).

    :return: a line where that is not allowed
    """
    import psutil

    try:
        node = psutil.Process().parent()
        if node is not None and os.getpriority(os.PRIO_PROCESS, 0) > node.nice():
            os.setpriority(os.PRIO_PROCESS, 0, node.nice())
    except (OSError, psutil.Error):
        lowered = os.getpriority(os.PRIO_PROCESS, 0)
        return [f"measures at nice {lowered}, as Ray's workers do; start the node with RAY_worker_niceness=0"]
    return []


def surveyor() -> Callable[[Sequence[Need]], dict[str, Any]]:
    """Return what is run on a node first: it needs nothing there, and says where trtmatrix is missing.

    A function inside of another one travels as code, and not by the name of its module.
    """

    def look(needs: Sequence[Need]) -> dict[str, Any]:
        from importlib import metadata

        try:
            from harness.executors.survey import survey
        except ImportError as error:
            try:
                return {"version": metadata.version("trtmatrix"), "code": ""}
            except metadata.PackageNotFoundError:
                return {"missing": str(error)}
        return survey(needs)

    look.__module__ = "__main__"
    return look
