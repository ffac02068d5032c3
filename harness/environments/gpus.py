"""The GPUs of this host and its driver, as NVML tells them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import pynvml


@dataclass(frozen=True)
class Gpu:
    """One GPU: :param compute_capability: ``9.0``"""

    uuid: str
    name: str
    compute_capability: str


@dataclass(frozen=True)
class Host:
    """Driver and GPUs; no GPU and an empty driver where NVML says so.

    :param problem: why there is none, or empty
    """

    driver: str = ""
    gpus: tuple[Gpu, ...] = ()
    problem: str = ""


@cache
def host() -> Host:
    """Ask NVML once a process."""
    try:
        pynvml.nvmlInit()
    except pynvml.NVMLError as error:
        return Host(problem=f"this machine has no usable NVIDIA GPU ({error})")
    try:
        handles = [pynvml.nvmlDeviceGetHandleByIndex(i) for i in range(pynvml.nvmlDeviceGetCount())]
        gpus = tuple(_gpu(handle) for handle in handles)
        driver = _text(pynvml.nvmlSystemGetDriverVersion())
    except pynvml.NVMLError as error:
        return Host(problem=f"the NVIDIA driver does not answer ({error})")
    finally:
        pynvml.nvmlShutdown()
    return Host(driver=driver, gpus=gpus, problem="" if gpus else "the NVIDIA driver knows no GPU")


def _gpu(handle: object) -> Gpu:
    major, minor = pynvml.nvmlDeviceGetCudaComputeCapability(handle)
    return Gpu(
        uuid=_text(pynvml.nvmlDeviceGetUUID(handle)),
        name=_text(pynvml.nvmlDeviceGetName(handle)),
        compute_capability=f"{major}.{minor}",
    )


def _text(value: object) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)
