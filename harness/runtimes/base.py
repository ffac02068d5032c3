"""What a runtime is to the harness: a name, what it needs, what it refuses, and how its evidence is read.

A runtime derives from :class:`Runtime`, which has the defaults of all that is optional. What reads and
attributes evidence is loaded where it does: collecting and measuring need none of it.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from harness.environments.needs import RuntimeNeeds
from harness.matrix.cell import Cell
from harness.matrix.treatment import COMMON, TreatmentField
from harness.runtimes.outside import Asked, Outside

if TYPE_CHECKING:
    from harness.attribution.engine import AttributedEngine
    from harness.attribution.format_trial import FormatTrial
    from harness.evidence.records import Evidence
    from harness.networks.graph import Graph

DEFAULT_OPSET = 13
"""Read by every version of every runtime here that reads ONNX at all, TensorRT from 7.2 on."""


class Runtime(RuntimeNeeds, Protocol):
    """Builds and runs engines; registered through ``trtmatrix_runtimes``."""

    reads_onnx: bool = False
    """Whether an ONNX file is all that its worker reads; others are given one where a treatment asks."""

    keeps_engines: bool = False
    """Whether its worker keeps an engine that further processes load without building it anew.

    It leaves ``engine.plan`` in the result folder where the job says ``keep_engine``, and loads the job's
    ``engine`` where there is one (see the worker protocol).
    """

    treatment_fields: Sequence[TreatmentField] = COMMON
    """The fields of treatments that it knows: of the common ones, and its own.

    A cell that sets another one is unsupported. An own field whose name is taken gets the runtime's name in
    front (see :func:`harness.matrix.treatment.treatment_table`); the worker finds it under that name.
    """

    def known_versions(self) -> Sequence[str]:
        """Return versions known to exist, oldest first (what ``list versions`` shows)."""
        return ()

    def unsupported(self, cell: Cell) -> str | None:  # noqa: ARG002
        """Say why *cell* can never run on this runtime and version, None if it may."""
        return None

    def untried(self, cell: Cell) -> str | None:  # noqa: ARG002
        """Say what of *cell* was never run by those who wrote the runtime, None if all was."""
        return None

    @abstractmethod
    def read(self, folder: Path) -> Evidence:
        """Read what the worker left in a build folder of the bundle.

        :raises InputError: a file is torn or not what the worker writes
        """
        ...

    def read_engine(self, folder: Path) -> Evidence:
        """Read what :meth:`attribute` needs, which makes the same of it: a builder's search may be left out.

        Whoever overrides :meth:`read` of a runtime that has both overrides this too.

        :raises InputError: as :meth:`read`
        """
        return self.read(folder)

    def keep_engine(self, folder: Path) -> None:  # noqa: ARG002
        """Leave in a build *folder*, when its run ends, what :meth:`read_engine` takes from large evidence.

        :raises InputError: a file is torn
        """
        return

    @abstractmethod
    def attribute(self, graph: Graph | None, evidence: Evidence) -> AttributedEngine:
        """Attribute engine layers to the source ops of *graph*."""
        ...

    def onnx_opset(self, version: str) -> int:  # noqa: ARG002
        """Return the opset of the ONNX files that *version* is given."""
        return DEFAULT_OPSET

    def condense(self, folder: Path) -> None:  # noqa: ARG002
        """Make smaller what a worker left in the build *folder*, before it goes into the bundle.

        :raises InputError: a file is torn
        """
        return

    def publish(self, folder: Path) -> None:  # noqa: ARG002
        """Put what is read of large evidence in its place, in a build *folder* that is to be published.

        What :meth:`read` returns stays the same.

        :raises InputError: a file is torn
        """
        return

    def format_trials(self, folder: Path, graph: Graph | None) -> Sequence[FormatTrial]:  # noqa: ARG002
        """Return the tensor formats that a build tried at inputs and outputs, none in most builds.

        :raises InputError: a file is torn
        """
        return ()

    def outside(self, asked: Asked) -> Outside | None:  # noqa: ARG002
        """Return how an ONNX file is measured without the harness, None where nothing is known of that."""
        return None
