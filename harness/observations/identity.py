"""Which builds belong together: what was built, by which run, on which software and host.

Builds are replicates of one another where cell and :attr:`Identity.group` are equal, and nowhere else. What
differs is compared, and said in words (:meth:`Identity.differences`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import NamedTuple

from msgspec import structs

from harness.matrix.cell import Cell
from harness.store.bundle import CellRecord
from harness.store.documents.base import UNKNOWN
from harness.store.documents.build import Build
from harness.store.documents.origin import CPU, NO_DRIVER, Host, Software, fingerprint

__all__ = [
    "CPU",
    "NO_DRIVER",
    "UNKNOWN",
    "Group",
    "Host",
    "Identity",
    "Software",
    "identity_of",
    "software_of",
]


class Group(NamedTuple):
    """What builds of one cell have to share to be pooled; sorts and hashes."""

    pool: str
    digest: str
    software: Software
    host: Host


@dataclass(frozen=True)
class Identity:
    """Where and when a build was made, and of what.

    :param run: id of the execution that it belongs to, resumed or collected in parts as it may be
    :param pool: what builds have to share to be replicates: the run, unless somebody stated another
    :param started, ended: UTC; None where it is not known
    :param cell: with its environment; None where no bundle stands behind the build
    :param digest: of the network
    """

    run: str = UNKNOWN
    pool: str = UNKNOWN
    started: datetime | None = None
    ended: datetime | None = None
    cell: Cell | None = None
    digest: str = UNKNOWN
    software: Software = field(default_factory=Software)
    host: Host = field(default_factory=Host)

    @property
    def group(self) -> Group:
        """The key of what may be pooled with it."""
        return Group(self.pool, self.digest, self.software, self.host)

    def differences(self, other: Identity) -> tuple[str, ...]:
        """Return in words why it is not pooled with *other*, the weightiest first; none where it is.

        ``digest sha256:1f.. against sha256:2e..``, ``driver 535.1 against 550.2``, ``another run``
        """
        mine, others = self._facts(), other._facts()
        return tuple(
            f"{name} {_short(mine[name])} against {_short(others[name])}"
            for name in mine
            if mine[name] != others[name]
        )

    def _facts(self) -> dict[str, str]:
        return {
            "network digest": self.digest,
            "machine": self.host.machine,
            "device": self.host.device,
            "version": self.software.version,
            "environment": self.software.environment,
            "driver": self.software.driver,
            "environment fingerprint": self.software.fingerprint,
            "run": self.pool,
        }


def software_of(
    cell: Cell, held: Mapping[str, object], facts: Mapping[str, object], device: str = UNKNOWN
) -> Software:
    """Return what a build of *cell* ran on.

    :param held: what its environment says that it held
    :param facts: what its worker reported; empty where it came to none
    :param device: ``cpu`` or ``gpu``; ``unknown`` where only the facts can say
    """
    no_driver = device == CPU or (device == UNKNOWN and "cpu" in facts and "gpu" not in facts)
    return Software(
        version=str(facts.get(cell.runtime) or UNKNOWN),
        environment=cell.environment,
        fingerprint=fingerprint(held),
        driver=NO_DRIVER if no_driver else str(facts.get("driver") or UNKNOWN),
    )


def identity_of(document: Build, record: CellRecord, run: str, facts: Mapping[str, object]) -> Identity:
    """Return the identity of a stored build; what its document does not state, its run and worker may.

    :param run: id of the run that holds it
    :param facts: what the worker reported
    """
    own = run if document.run == UNKNOWN else document.run
    host, software = document.host, document.software
    if software.environment == UNKNOWN:  # before documents stated their software
        software = software_of(record.cell, document.environment, facts)
        if software.driver == NO_DRIVER and host.device == UNKNOWN:
            host = structs.replace(host, device=CPU)
    return Identity(
        run=own,
        pool=own if document.pool == UNKNOWN else document.pool,
        started=_utc(document.started),
        ended=_utc(document.ended),
        cell=record.cell,
        digest=record.digest if document.digest == UNKNOWN else document.digest,
        software=software,
        host=host,
    )


def _utc(time: datetime | None) -> datetime | None:
    return None if time is None else time.astimezone(UTC)


def _short(value: str) -> str:
    return value[:19] if value.startswith("sha256:") else value
