"""The registered parts that a run draws on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from harness.environments.base import Environment
from harness.execution.base import Executor
from harness.matrix.cell import Cell
from harness.matrix.treatment import TreatmentTable, treatment_table
from harness.networks.base import NetworkFamily
from harness.runtimes.base import Runtime


@dataclass(frozen=True)
class Parts:
    """Everything that is known by name, built in or from a third party."""

    runtimes: Mapping[str, Runtime]
    environments: Mapping[str, Environment]
    networks: Mapping[str, NetworkFamily]
    executors: Mapping[str, Executor]

    @cached_property
    def treatments(self) -> TreatmentTable:
        """The fields of treatments: the common ones, and those that the runtimes bring."""
        return treatment_table({name: runtime.treatment_fields for name, runtime in self.runtimes.items()})

    def unsupported(self, cell: Cell) -> str | None:
        """Say why *cell* can never run on its runtime and version, None if it may."""
        reason = self.runtimes[cell.runtime].unsupported(cell)
        return reason or self.treatments.unknown(cell.treatment, cell.runtime)
