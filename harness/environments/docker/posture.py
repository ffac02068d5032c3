"""How a container of ours is confined: what it may write, reach, become and use up.

Nothing inside needs to be trusted: images come from elsewhere and hold old software.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.environments.base import Limits
from harness.environments.docker import gpu_access

if TYPE_CHECKING:
    from harness.environments.docker.engine import EngineFacts
    from harness.environments.docker.gpu_access import GpuAccess

INSIDE = "/opt/trtmatrix"
WORKER = f"{INSIDE}/worker-root"
JOB = f"{INSIDE}/job"
RESULT = f"{INSIDE}/result"
HOME = f"{INSIDE}/home"

NOBODY = 65534
_MIB = 1 << 20


@dataclass(frozen=True)
class Posture:
    """Sizes of what a container may use, beside the limits of its job.

    :param processes: processes and threads; TensorFlow starts several threads a core
    :param shared_memory_bytes: /dev/shm; the 64 MiB of an engine's default are too small for the images
    """

    processes: int = 1024
    tmp_bytes: int = 2048 * _MIB
    home_bytes: int = 512 * _MIB
    shared_memory_bytes: int = 1024 * _MIB


@dataclass(frozen=True)
class Folders:
    """Folders of this machine that a container sees; only *result* is writable inside."""

    worker: Path
    job: Path
    result: Path


def user_ids(facts: EngineFacts) -> tuple[int, int]:
    """Return user and group that the worker runs as inside: never one with rights over the host.

    In a rootless docker the caller is user 0 inside, and user 0 has no more rights than the caller.
    """
    if sys.platform == "win32":
        return NOBODY, NOBODY
    if facts.user_namespace == "rootless" and facts.name == "docker":
        return 0, 0
    return (os.getuid(), os.getgid()) if os.getuid() else (NOBODY, NOBODY)


def container_arguments(
    facts: EngineFacts, limits: Limits, posture: Posture, folders: Folders, gpu: GpuAccess | None
) -> dict[str, Any]:
    """Return arguments of ``docker.containers.create`` that confine a worker's container.

    :param gpu: None where the container gets no GPU
    """
    from docker.types import LogConfig, Mount, Ulimit

    user, group = user_ids(facts)
    # Podman 4.3 takes no owner for a tmpfs; nobody else is inside.
    owned = "mode=1777" if facts.name == "podman" else f"uid={user},gid={group},mode=0700"
    return {
        "user": f"{user}:{group}",
        "network_mode": "none",
        "cap_drop": ["ALL"],
        "security_opt": ["no-new-privileges:true"],
        "read_only": True,
        "tmpfs": {
            "/tmp": f"rw,nosuid,nodev,size={posture.tmp_bytes},mode=1777",
            HOME: f"rw,nosuid,nodev,size={posture.home_bytes},{owned}",
        },
        "mem_limit": limits.memory_bytes,
        "memswap_limit": limits.memory_bytes,  # the same value: no swap on top
        "pids_limit": posture.processes,
        "shm_size": posture.shared_memory_bytes,
        "ulimits": [
            # Pinned host memory; an engine without the right to raise limits refuses it.
            *(
                [Ulimit(name="memlock", soft=-1, hard=-1)]
                if gpu and facts.user_namespace != "rootless"
                else []
            ),
            Ulimit(name="stack", soft=64 * _MIB, hard=64 * _MIB),
            Ulimit(name="core", soft=0, hard=0),
            # The folder is watched from outside; this stops one file between two looks.
            Ulimit(name="fsize", soft=limits.result_bytes + _MIB, hard=limits.result_bytes + _MIB),
        ],
        "mounts": [
            Mount(WORKER, str(folders.worker), type="bind", read_only=True),
            Mount(JOB, str(folders.job), type="bind", read_only=True),
            Mount(RESULT, str(folders.result), type="bind", read_only=False),
            *gpu_access.mounts(gpu),
        ],
        "working_dir": RESULT,
        # Commands come on standard input, which ends with the one connection that we hold.
        "stdin_open": True,
        # The log is streamed and capped by the harness; the engine keeps no second copy.
        "log_config": LogConfig(type=LogConfig.types.NONE),
        "init": facts.init or None,
        **_user_namespace(facts),
        **gpu_access.arguments(gpu, facts),
    }


def environment_inside(
    image: Mapping[str, str], extra: Mapping[str, str], gpu: GpuAccess | None, facts: EngineFacts
) -> dict[str, str]:
    """Return environment variables of the worker's process.

    :param image: the image's own variables, whose ``PYTHONPATH`` is kept behind ours
    :param extra: what the runtime wants
    """
    path = os.pathsep.join(filter(None, (WORKER, image.get("PYTHONPATH", ""))))
    return {
        "HOME": HOME,
        "TMPDIR": "/tmp",
        "PYTHONPATH": path,
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONNOUSERSITE": "1",
        "PYTHONUNBUFFERED": "1",
        "PYTHONFAULTHANDLER": "1",
        "PYTHONIOENCODING": "utf-8",
        **gpu_access.variables(gpu, facts, image),
        **extra,
    }


def _user_namespace(facts: EngineFacts) -> dict[str, Any]:
    if facts.user_namespace == "rootless" and facts.name == "podman":
        return {"userns_mode": "keep-id"}
    # Remapped ids own nothing on this side, so the result folder could not be written.
    return {"userns_mode": "host"} if facts.user_namespace == "remap" else {}
