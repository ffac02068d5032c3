"""What of a GPU and its driver has to be in a container: device nodes of one GPU, and the driver's libraries.

Nothing is searched for in folders: NVML says which GPU and which driver, the loader's cache says where its
libraries lie.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from harness.environments.docker import loader_cache

DEVICES = Path("/dev")
# Of the driver's libraries those that CUDA, NVML and the compilers in the driver are made of; the rest draws.
_STEMS = (
    "libcuda",
    "libnvidia-ml",
    "libnvidia-ptxjitcompiler",
    "libnvidia-nvvm",
    "libnvidia-nvvm70",
    "libnvidia-gpucomp",
    "libnvidia-fatbinaryloader",
)
_NEEDED = ("libcuda", "libnvidia-ml")
_CONTROL = ("nvidiactl", "nvidia-uvm")
_TOOLS = "nvidia-uvm-tools"
_ANYBODY = stat.S_IROTH | stat.S_IWOTH


@dataclass(frozen=True)
class Driver:
    """The NVIDIA driver of this machine, as NVML and the loader know it.

    :param version: of the driver, empty where there is none
    :param minors: UUID of a GPU to the N of its ``/dev/nvidiaN``
    :param cache: names of libraries to their files, of the loader's cache
    :param devices: the folder of device nodes
    """

    version: str = ""
    minors: Mapping[str, int] = field(default_factory=dict)
    cache: Mapping[str, Path] = field(default_factory=dict)
    devices: Path = DEVICES


@cache
def read() -> Driver:
    """Ask NVML and the loader of this machine, once a process."""
    import pynvml

    try:
        pynvml.nvmlInit()
    except pynvml.NVMLError:
        return Driver()
    try:
        handles = [pynvml.nvmlDeviceGetHandleByIndex(i) for i in range(pynvml.nvmlDeviceGetCount())]
        minors = {
            str(pynvml.nvmlDeviceGetUUID(handle)): int(pynvml.nvmlDeviceGetMinorNumber(handle))
            for handle in handles
        }
        return Driver(str(pynvml.nvmlSystemGetDriverVersion()), minors, loader_cache.read())
    except pynvml.NVMLError:
        return Driver()
    finally:
        pynvml.nvmlShutdown()


def nodes(driver: Driver, uuid: str, user: int) -> tuple[dict[str, Path], str]:
    """Return the device nodes of the GPU *uuid*, or why they cannot be used.

    :param user: number of the user inside, who has to be able to read and write them
    :return: names under ``/dev`` inside to nodes of this machine, and the problem (empty where there is none)
    """
    if uuid not in driver.minors:
        return {}, f"NVML knows no GPU {uuid}"
    names = [f"nvidia{driver.minors[uuid]}", *_CONTROL]
    found = {name: driver.devices / name for name in names}
    for path in found.values():
        if problem := _node_problem(path, user):
            return {}, problem
    tools = driver.devices / _TOOLS
    if not _node_problem(tools, user):  # of profilers: nothing here needs it
        found[_TOOLS] = tools
    return found, ""


def libraries(driver: Driver) -> tuple[dict[str, Path], str]:
    """Return the driver's own libraries, or why they cannot be had.

    Of what the loader's cache names only files of the very version that NVML states are taken: a library of
    another driver, or of CUDA's compatibility package, does not fit the kernel's part.

    :return: every name that a program may load to its file, and the problem (empty where there is none)
    """
    found: dict[str, Path] = {}
    for name, listed in sorted(driver.cache.items()):
        path = listed.resolve()
        stem, versioned, version = path.name.partition(".so.")
        if versioned and version == driver.version and stem in _STEMS and path.is_file():
            found |= {name: path, path.name: path}
    stems = {path.name.partition(".so.")[0] for path in found.values()}
    for stem in _NEEDED:
        if stem not in stems:
            return {}, f"the loader's cache (ldconfig -p) names no {stem}.so.{driver.version}"
    return found, ""


def _node_problem(path: Path, user: int) -> str:
    try:
        status = path.stat()
    except OSError as error:
        return f"{path}: {os.strerror(error.errno or 0).lower()}"
    if not stat.S_ISCHR(status.st_mode):
        return f"{path} is no device"
    own = stat.S_IRUSR | stat.S_IWUSR
    if status.st_mode & _ANYBODY == _ANYBODY or (status.st_uid == user and status.st_mode & own == own):
        return ""
    return f"{path} may not be read and written by user {user}, whom the container runs as"
