"""Engines of anchors: kept by the night that built them, and loaded by later ones in place of a new build.

So an anchor is the same bytes from night to night, where its host, driver, environment and network are.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from harness.matrix.cell import Cell
from harness.runtimes.base import Runtime
from harness.store.documents.base import UNKNOWN
from harness.store.documents.origin import CPU, NO_DRIVER, Host, fingerprint
from harness.store.machine import gpus, host_name


@dataclass(frozen=True)
class KeptEngine:
    """An engine that is kept over nights. :param name: of all its cell's; :param path: None: not built yet"""

    name: str
    path: Path | None


@dataclass(frozen=True)
class Anchors:
    """Which cells are anchors, and where their engines are kept.

    :param versions: ``RUNTIME VERSION``; :param folder: of the engines, by name and number of the build
    :param builds: of a cell; further ones, as of a second look, are built anew and not kept
    """

    versions: tuple[str, ...]
    folder: Path
    builds: int

    def engine(
        self,
        cell: Cell,
        build: int,
        runtime: Runtime,
        held: Mapping[str, object],
        digest: str,
        gpu: str | None,
    ) -> KeptEngine | None:
        """Return what is kept, or is to be, of a build on this machine; None where it is none of an anchor.

        :param held: what its environment holds; :param digest: of its network; :param gpu: UUID
        """
        is_anchor = f"{cell.runtime} {cell.version}" in self.versions and not cell.repeat
        if not is_anchor or not runtime.keeps_engines or build >= self.builds:
            return None
        on_gpu = runtime.device_of(cell.version) == "gpu"
        host = Host(machine=host_name(), device=(gpu or UNKNOWN) if on_gpu else CPU)
        driver = driver_of(gpu) if on_gpu else NO_DRIVER
        content = fingerprint(held)
        if UNKNOWN in (host.device, driver, content):
            return None  # what it may be loaded on again is not known
        name = engine_name(cell, host, driver, content, digest)
        path = self.folder / name / f"{build}.plan"
        return KeptEngine(name, path if path.is_file() else None)


def engine_name(cell: Cell, host: Host, driver: str, content: str, digest: str) -> str:
    """Return what engines of *cell* are called that may be loaded in place of one another's rebuilding."""
    facts = [cell.environment, host.machine, host.device, driver, content, digest]
    return f"{cell.id}-{hashlib.sha256(json.dumps(facts).encode()).hexdigest()[:16]}"


def driver_of(gpu: str | None) -> str:
    """Return the driver of the GPU whose UUID is *gpu*."""
    return next((str(one["driver"]) for one in gpus() if one["uuid"] == gpu), UNKNOWN)
