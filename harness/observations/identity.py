"""Which builds belong together: what was built, by which run, on which software and host.

Builds are replicates of one another where cell and :attr:`Identity.group` are equal, and nowhere else. What
differs is compared, and said in words (:meth:`Identity.differences`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, NamedTuple

from msgspec import structs

from harness.matrix.cell import Cell
from harness.store.documents.base import UNKNOWN
from harness.store.documents.origin import CPU, NO_DRIVER, Host, Software, fingerprint

__all__ = ["CPU", "NO_DRIVER", "UNKNOWN", "Group", "Host", "Identity", "Software", "identity_of"]


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


def identity_of(
    document: Mapping[str, Any], cell: Cell, digest: str, run: str, facts: Mapping[str, Any]
) -> Identity:
    """Return what a build's document, its run and its worker say of its identity.

    :param document: its ``build.json``
    :param digest: that of the cell's network, where the document states none
    :param run: id of the run that holds it, where the document states none
    :param facts: what the worker reported
    """
    own = str(document.get("run") or run)
    environment = document.get("environment")
    held = environment if isinstance(environment, Mapping) else {}
    host, driver = Host.named(str(document.get("host", UNKNOWN))), str(facts.get("driver") or UNKNOWN)
    if "cpu" in facts and "gpu" not in facts:
        host, driver = structs.replace(host, device=CPU), NO_DRIVER
    return Identity(
        run=own,
        pool=str(document.get("pool") or own),
        started=_time(document.get("started")),
        ended=_time(document.get("ended")),
        cell=cell,
        digest=str(document.get("digest") or digest),
        software=Software(
            version=str(facts.get(cell.runtime) or UNKNOWN),
            environment=cell.environment,
            fingerprint=fingerprint(held),
            driver=driver,
        ),
        host=host,
    )


def _time(text: object) -> datetime | None:
    """Return the time that *text* states in ISO 8601, in UTC; None where it states none."""
    try:
        found = datetime.fromisoformat(str(text))
    except ValueError:
        return None
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)


def _short(value: str) -> str:
    return value[:19] if value.startswith("sha256:") else value
