"""What a runtime is to the harness: a name, what it needs, and how its evidence is read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol

from harness.evidence.records import Evidence
from harness.layers.picture import Picture
from harness.matrix.cell import Cell
from harness.networks.graph import Graph


class Runtime(Protocol):
    """Builds and runs engines; registered through ``trtmatrix_runtimes``."""

    @property
    def name(self) -> str:
        """``tensorrt``, ``onnxruntime`` ..."""
        ...

    @property
    def device(self) -> str:
        """``cpu`` or ``gpu``: what a measurement occupies."""
        ...

    @property
    def environments(self) -> tuple[str, ...]:
        """Names of the environments that can hold it, the preferred one first."""
        ...

    @property
    def worker_module(self) -> str:
        """Module of :mod:`harness.worker` that serves it inside the environment."""
        ...

    def requirements(self, version: str, python: tuple[int, int]) -> Sequence[str]:
        """Return pip requirement strings for a virtual environment that holds *version*."""
        ...

    def pythons(self, version: str) -> tuple[tuple[int, int], tuple[int, int]] | None:
        """Return the lowest and highest Python for which wheels of *version* exist, None if unknown."""
        ...

    def known_versions(self) -> Sequence[str]:
        """Return versions known to exist, oldest first (what ``list versions`` shows)."""
        ...

    def unsupported(self, cell: Cell) -> str | None:
        """Say why *cell* can never run on this runtime and version, None if it may."""
        ...

    def read(self, folder: Path) -> Evidence:
        """Read what the worker left in a build folder of the bundle.

        :raises InputError: a file is torn or not what the worker writes
        """
        ...

    def picture(self, graph: Graph | None, evidence: Evidence) -> Picture:
        """Attribute engine layers to the source ops of *graph*."""
        ...


def environment_variables(runtime: Runtime) -> Mapping[str, str]:
    """Return variables the worker's process needs for *runtime* (attribute ``environment_variables``)."""
    found: Mapping[str, str] = getattr(runtime, "environment_variables", {})
    return found
