"""What an executor is: it runs jobs one after another where measuring is allowed."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Protocol

from harness.environments.base import Outcome


class Executor(Protocol):
    """Registered through ``trtmatrix_executors``."""

    @property
    def name(self) -> str:
        """``local``, ``ray``."""
        ...

    def run(self, device: str, work: Callable[[], Outcome]) -> Outcome:
        """Run *work* alone on *device* (``cpu``, or a GPU's UUID) and return what it returns."""
        ...

    def devices(self) -> Iterable[str]:
        """Return the devices it can lock."""
        ...
