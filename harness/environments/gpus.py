"""The GPUs of this host and its driver, as far as planning needs them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from harness.environments.base import Availability
from harness.environments.needs import RuntimeNeeds
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


def without_gpu(runtime: RuntimeNeeds, version: str) -> Availability | None:
    """Say that *version* needs a GPU and this machine has none, before anything is downloaded; else None."""
    if runtime.device_of(version) != "gpu" or host().gpus:
        return None
    return Availability(
        "unavailable",
        f"{runtime.name} measures on an NVIDIA GPU, and none answers on this machine",
        "check nvidia-smi, or take the matrix to a GPU host with 'trtmatrix pack'",
    )
