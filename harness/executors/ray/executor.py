"""The executor ``ray``: blocks on the nodes of a Ray cluster that is there already."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib.util import find_spec

from harness.distribution import hookimpl
from harness.errors import MissingPackageError
from harness.execution.base import Executor
from harness.execution.fleet import Fleet, FleetExecutor
from harness.execution.local import LocalExecutor


class RayExecutor(LocalExecutor, FleetExecutor):
    """Has each block measured on one device of one node, where it is measured as a local run would."""

    name = "ray"

    def check(self, address: str | None) -> None:
        """Find out before anything begins whether Ray is installed, without loading it.

        :raises BadOptionError: *address* is of another form
        :raises MissingPackageError: Ray is not installed
        """
        from harness.executors.ray.address import checked

        checked(address)
        if find_spec("ray") is None:
            raise MissingPackageError(
                "--executor ray needs the package ray, which is not installed: pip install 'trtmatrix[ray]'"
            )

    def fleet(self, address: str | None, say: Callable[[str], None]) -> Fleet:
        """Return the nodes of the cluster at *address*, connected.

        :raises UnavailableError: no cluster answers, or none of its nodes can be used
        """
        self.check(address)
        from harness.executors.ray.address import checked
        from harness.executors.ray.cluster import RayFleet

        return RayFleet(checked(address), say)


@hookimpl
def trtmatrix_executors() -> Sequence[Executor]:
    """Register the executor of Ray clusters."""
    return [RayExecutor()]
