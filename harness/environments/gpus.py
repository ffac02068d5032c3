"""The GPUs of this host and its driver, as far as planning needs them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from harness.store import machine


@dataclass(frozen=True)
class Gpu:
    """One GPU: :param compute_capability: ``9.0``"""

    uuid: str
    name: str
    compute_capability: str


@dataclass(frozen=True)
class Host:
    """Driver and GPUs; an empty driver where there is none."""

    driver: str = ""
    gpus: tuple[Gpu, ...] = ()


@cache
def host() -> Host:
    """Ask NVML, once a process."""
    rows = machine.gpus()
    found = tuple(Gpu(str(r["uuid"]), str(r["name"]), str(r["compute_capability"])) for r in rows)
    return Host(driver=str(rows[0]["driver"]) if rows else "", gpus=found)
