"""Who the host is: the level above builds in every comparison."""

from __future__ import annotations

import csv
import hashlib
import os
import platform
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from .unpack import PackError

# Queries of nvidia-smi; each answers for every GPU on a line of its own.
_ASKED = ("uuid", "name", "driver_version", "compute_cap", "memory.total")
_STATE = (
    "clocks.sm", "clocks.mem", "clocks.max.sm", "temperature.gpu", "power.draw",
)  # fmt: skip
# Renamed with driver 535; a name that nvidia-smi does not know spoils the whole query.
_REASONS = ("clocks_event_reasons.active", "clocks_throttle_reasons.active")


def gpus(only: str | None = None) -> list[dict[str, str]]:
    """Return uuid, name, driver_version, compute_cap and memory.total of each GPU; empty without a driver.

    :param only: index or UUID of the one that is asked for
    :raises PackError: that one is not there
    """
    found = _query(_ASKED, only)
    if only is not None and not found:
        raise PackError(f"--gpu {only}: there is no such GPU here; nvidia-smi -L lists them")
    return found


def gpu_state(only: str | None = None) -> list[dict[str, str]]:
    """Return clocks (MHz), temperature (°C), power (W) and throttle reasons of each GPU, as printed."""
    for reasons in _REASONS:
        found = _query((*_STATE, reasons), only)
        if found:
            return found
    return _query(_STATE, only)


def host_facts(gpu: str | None = None) -> dict[str, Any]:
    """Return what a visit says of its host and of the GPU it measures on.

    :param gpu: index or UUID, None for all there are, of which the first is measured on

    :raises PackError: that one is not there

    ``host`` names the level: the GPU where there is one, since a GPU behaves the same in whatever machine
    it is lent with, and the operating system's id where there is none.
    """
    found = gpus(gpu)
    return {
        "host": found[0]["uuid"] if found else _machine_id(),
        "gpus": found,
        "gpu_state": gpu_state(gpu),
        "system": platform.system(),
        "kernel": platform.release(),
        "architecture": platform.machine(),
        "cpus": os.cpu_count() or 1,
        "cpu": _cpu_model(),
        "libc": " ".join(platform.libc_ver()),
    }


def free_memory() -> tuple[int, int] | None:
    """Return available and total bytes of this machine, None where the system does not say."""
    try:
        lines = Path("/proc/meminfo").read_text().splitlines()
        sizes = {
            name: int(rest.split()[0]) << 10 for name, _, rest in (line.partition(":") for line in lines)
        }
        return sizes["MemAvailable"], sizes["MemTotal"]
    except (OSError, ValueError, IndexError, KeyError):
        return None


def free_gpu_memory(uuid: str) -> tuple[int, int] | None:
    """Return free and total bytes of the GPU *uuid*, None where nvidia-smi does not say."""
    for row in _query(("memory.free", "memory.total"), uuid):
        sizes = [text.partition(" ")[0] for text in row.values()]
        if all(size.isdigit() for size in sizes):
            return int(sizes[0]) << 20, int(sizes[1]) << 20
    return None


def _query(names: Sequence[str], only: str | None = None) -> list[dict[str, str]]:
    program = shutil.which("nvidia-smi")
    if program is None:
        return []
    command = [program, "--query-gpu=" + ",".join(names), "--format=csv,noheader"]
    command += ["-i", only] if only is not None else []
    try:
        done = subprocess.run(
            command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, timeout=30, env=clean()
        )
    except (OSError, subprocess.SubprocessError):
        return []
    rows = csv.reader(done.stdout.decode("utf-8", "replace").splitlines(), skipinitialspace=True)
    return [{name: row[i] for i, name in enumerate(names)} for row in rows if len(row) == len(names)]


def clean() -> dict[str, str]:
    """Return the environment as the host had it: its own programs do not want the pack's libraries."""
    variables = {k: v for k, v in os.environ.items() if not k.startswith("PYTHON") and k != "LD_LIBRARY_PATH"}
    if os.environ.get("TRTMATRIX_HOST_LIBRARIES"):
        variables["LD_LIBRARY_PATH"] = os.environ["TRTMATRIX_HOST_LIBRARIES"]
    return variables


def _machine_id() -> str:
    for name in ("/etc/machine-id", "/var/lib/dbus/machine-id"):
        try:
            text = Path(name).read_text().strip()
        except OSError:
            continue
        if text:
            return hashlib.sha256(text.encode()).hexdigest()[:12]
    return hashlib.sha256((platform.node() + _cpu_model()).encode()).hexdigest()[:12]


def _cpu_model() -> str:
    try:
        with Path("/proc/cpuinfo").open(errors="replace") as stream:
            for line in stream:
                if line.startswith("model name"):
                    return line.partition(":")[2].strip()
    except OSError:
        pass  # the architecture below is all there is to say
    return platform.machine()
