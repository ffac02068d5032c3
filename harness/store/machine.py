"""Facts about the machine a run was made on, and the name of the host level."""

from __future__ import annotations

import hashlib
import os
import platform
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.store.conditions import cpu_governor, cpu_turbo

if TYPE_CHECKING:
    from harness.store.documents.machine import Machine


def cpu_model() -> str:
    """Return the processor's own name, the architecture where it has none."""
    try:
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:
        pass  # not Linux: the platform module's answer below is all there is
    return platform.processor() or platform.machine()


def machine_id() -> str:
    """Return an id that is the same for every run on one installation, and tells nothing about it."""
    for name in ("/etc/machine-id", "/var/lib/dbus/machine-id"):
        try:
            raw = Path(name).read_text(encoding="ascii").strip()
        except (OSError, UnicodeDecodeError):
            continue
        if raw:
            return hashlib.sha256(raw.encode()).hexdigest()[:12]
    return hashlib.sha256(f"{platform.node()}{cpu_model()}".encode()).hexdigest()[:12]


def gpus() -> list[dict[str, object]]:
    """Return what the driver says of each NVIDIA GPU (:class:`Gpu`); empty without a driver."""
    import pynvml

    try:
        pynvml.nvmlInit()
    except pynvml.NVMLError:
        return []
    try:
        found: list[dict[str, object]] = []
        for index in range(pynvml.nvmlDeviceGetCount()):
            handle = pynvml.nvmlDeviceGetHandleByIndex(index)
            major, minor = pynvml.nvmlDeviceGetCudaComputeCapability(handle)
            found.append(
                {
                    "name": pynvml.nvmlDeviceGetName(handle),
                    "uuid": pynvml.nvmlDeviceGetUUID(handle),
                    "compute_capability": f"{major}.{minor}",
                    "memory_bytes": int(pynvml.nvmlDeviceGetMemoryInfo(handle).total),
                    "driver": pynvml.nvmlSystemGetDriverVersion(),
                    "processes": _told(pynvml.nvmlDeviceGetComputeRunningProcesses, handle, len),
                    "persistence": _told(pynvml.nvmlDeviceGetPersistenceMode, handle, bool),
                }
            )
        return found
    finally:
        pynvml.nvmlShutdown()


def _told(ask: Callable[[object], Any], handle: object, of: Callable[[Any], object]) -> object:
    """Return *of* of what *ask* tells of a GPU, None where its driver does not tell."""
    import pynvml

    try:
        return of(ask(handle))
    except pynvml.NVMLError:
        return None


def chosen_gpu() -> str | None:
    """Return the UUID of the GPU to measure on: the first that ``CUDA_VISIBLE_DEVICES`` leaves, None without.

    An entry is a GPU's number in NVML's order or the beginning of its UUID; as with CUDA, the list ends at
    the first one that fits no GPU.
    """
    uuids = [str(gpu["uuid"]) for gpu in gpus()]
    said = os.environ.get("CUDA_VISIBLE_DEVICES")
    if said is None:
        return uuids[0] if uuids else None
    first = said.split(",")[0].strip()
    if first.isdecimal():
        return uuids[int(first)] if int(first) < len(uuids) else None
    return next((uuid for uuid in uuids if first and uuid.startswith(first)), None)


def free_gpu_memory(uuid: str) -> tuple[int, int] | None:
    """Return free and total bytes of the GPU called *uuid*, None where there is none of that name."""
    import pynvml

    try:
        pynvml.nvmlInit()
    except pynvml.NVMLError:
        return None
    try:
        memory = pynvml.nvmlDeviceGetMemoryInfo(pynvml.nvmlDeviceGetHandleByUUID(uuid))
        return int(memory.free), int(memory.total)
    except pynvml.NVMLError:
        return None
    finally:
        pynvml.nvmlShutdown()


def machine_facts() -> Machine:
    """Return what the manifest says of this machine."""
    import msgspec  # as what records are made of: long to load, and planning asks for GPUs alone
    import psutil

    from harness.store.documents.machine import Gpu, Machine

    memory = psutil.virtual_memory()
    return Machine(
        host=host_name(),
        system=platform.system(),
        kernel=platform.release(),
        architecture=platform.machine(),
        python=platform.python_version(),
        cpu=cpu_model(),
        cpus=os.cpu_count() or 1,
        memory_bytes=int(memory.total),
        load_1_minute=psutil.getloadavg()[0],
        cpu_governor=cpu_governor(),
        cpu_turbo=cpu_turbo(),
        gpus=tuple(msgspec.convert(gpu, Gpu) for gpu in gpus()),
    )


def host_name() -> str:
    """Return the name of this machine: node name and machine id."""
    return f"{platform.node() or 'host'}-{machine_id()}"
