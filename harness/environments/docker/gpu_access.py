"""How a GPU comes into a container: by CDI, by the engine's GPU runtime, or explicitly; exactly one GPU.

The first way that the engine and this machine offer is taken, and stands in what is recorded of a build.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from harness.environments.docker import cdi, driver

if TYPE_CHECKING:
    from harness.environments.docker.engine import Engine, EngineFacts

DRIVER = "/opt/trtmatrix/driver"
"""Where a container finds the driver's libraries that are mounted one by one."""

REMEDY = (
    "install the NVIDIA Container Toolkit and run 'nvidia-ctk runtime configure --runtime=docker', or "
    "'nvidia-ctk cdi generate --device-name-strategy=uuid --output=/etc/cdi/nvidia.yaml'"
)

# Podman's API for docker clients takes CDI devices from here on; before, it drops every request in silence.
_PODMAN_CDI = (5, 4)


@dataclass(frozen=True)
class GpuAccess:
    """The way of one GPU into a container.

    :param uuid: of the GPU, or empty for any one, which only a GPU runtime can give
    :param device: its name for CDI
    :param runtime: what serves the request: ``nvidia runtime`` or ``hook``
    :param nodes: names under ``/dev`` inside to device nodes of this machine
    :param libraries: names of the driver's libraries inside to files of this machine
    """

    way: Literal["cdi", "runtime", "explicit"]
    uuid: str = ""
    device: str = ""
    runtime: str = ""
    nodes: Mapping[str, Path] = field(default_factory=dict)
    libraries: Mapping[str, Path] = field(default_factory=dict)
    driver: str = ""

    @property
    def said(self) -> str:
        """One line for people."""
        if self.way == "cdi":
            return f"by CDI, as {self.device}"
        if self.way == "runtime":
            return f"by the engine's {self.runtime}"
        files = len(set(self.libraries.values()))
        nodes = ", ".join(f"/dev/{name}" for name in self.nodes)
        return f"explicitly: {nodes} and {files} libraries of driver {self.driver}"

    @property
    def record(self) -> dict[str, Any]:
        """What is kept with a build."""
        return {
            "way": self.way,
            "uuid": self.uuid or None,
            "said": self.said,
            "device": self.device or None,
            "runtime": self.runtime or None,
            "nodes": [f"/dev/{name}" for name in self.nodes],
            "libraries": sorted({path.name for path in self.libraries.values()}),
        }


@dataclass(frozen=True)
class Offer:
    """What an engine and its machine have for GPUs.

    :param cdi_devices: full names of the GPUs in the engine's CDI specifications
    :param runtime: ``nvidia runtime``, ``hook``, or empty where there is none
    :param local: whether the engine runs on this machine, whose nodes and files it can then be given
    :param user: number of the user that a container runs as
    """

    facts: EngineFacts
    cdi_devices: tuple[str, ...]
    runtime: str
    local: bool
    user: int
    driver: driver.Driver


def offer_of(engine: Engine, user: int) -> Offer:
    """Ask *engine* and this machine what they have for GPUs; :param user: whom a container runs as"""
    facts, local = engine.facts, engine.endpoint.is_local
    # Specifications are read here where the engine does not say what it found in them.
    known = facts.cdi_devices or (cdi.devices(cdi_folders(facts)) if local else ())
    return Offer(facts, known, engine.gpu_runtime, local, user, driver.read())


def gpu_access(offer: Offer, uuid: str) -> tuple[GpuAccess | None, str]:
    """Return the way of the GPU *uuid* into a container, or why there is none, for one line.

    :param uuid: empty for the first GPU
    """
    uuid = uuid or next(iter(offer.driver.minors), "")
    refused = []
    for way in (_cdi, _runtime, _explicit):
        found = way(offer, uuid)
        if isinstance(found, GpuAccess):
            return found, ""
        refused.append(found)
    return None, f"{offer.facts.name} {offer.facts.version} has no way to a GPU: {'; '.join(refused)}"


def cdi_folders(facts: EngineFacts) -> tuple[str, ...]:
    """Return where the engine reads CDI specifications; empty where it takes no such devices by its API."""
    if facts.name == "podman":
        release = tuple(int(part) for part in facts.version.split(".")[:2] if part.isdigit())
        return ("/etc/cdi", "/var/run/cdi") if release >= _PODMAN_CDI else ()
    return facts.cdi_folders


def _cdi(offer: Offer, uuid: str) -> GpuAccess | str:
    if device := cdi.device_of(uuid, offer.cdi_devices):
        return GpuAccess("cdi", uuid, device=device)
    if not cdi_folders(offer.facts):
        return "no CDI"
    return f"no CDI specification names {cdi.KIND}={uuid or 'UUID'}"


def _runtime(offer: Offer, uuid: str) -> GpuAccess | str:
    # Podman's API for docker clients drops a request for a GPU without a word.
    if offer.runtime and offer.facts.name != "podman":
        return GpuAccess("runtime", uuid, runtime=offer.runtime)
    return "no NVIDIA runtime or hook"


def _explicit(offer: Offer, uuid: str) -> GpuAccess | str:
    if not offer.local:
        return "it is not on this machine, whose device nodes could be handed in"
    if not offer.driver.version:
        return "no NVIDIA driver answers on this machine"
    nodes, problem = driver.nodes(offer.driver, uuid, offer.user)
    if problem:
        return problem
    libraries, problem = driver.libraries(offer.driver)
    if problem:
        return problem
    return GpuAccess("explicit", uuid, nodes=nodes, libraries=libraries, driver=offer.driver.version)


def arguments(access: GpuAccess | None, facts: EngineFacts) -> dict[str, Any]:
    """Return arguments of ``docker.containers.create`` that bring the GPU in, but for its mounts."""
    from docker.types import DeviceRequest

    if access is None:
        return {}
    if access.way == "cdi":
        return {"device_requests": [DeviceRequest(driver="cdi", device_ids=[access.device])]}
    if access.way == "explicit":
        # No right to make nodes, only to use these.
        return {"devices": [f"{path}:/dev/{name}:rw" for name, path in access.nodes.items()]}
    if not facts.takes_device_requests:
        return {"runtime": "nvidia"}
    which: dict[str, Any] = {"device_ids": [access.uuid]} if access.uuid else {"count": 1}
    return {"device_requests": [DeviceRequest(driver="nvidia", capabilities=[["gpu"]], **which)]}


def mounts(access: GpuAccess | None) -> list[Any]:
    """Return read-only mounts of the driver's libraries, one file a name that a program may load."""
    from docker.types import Mount

    if access is None:
        return []
    return [
        Mount(f"{DRIVER}/{name}", str(path), type="bind", read_only=True)
        for name, path in sorted(access.libraries.items())
    ]


def variables(access: GpuAccess | None, facts: EngineFacts, image: Mapping[str, str]) -> dict[str, str]:
    """Return environment variables that belong to the way.

    :param image: the image's own, whose ``LD_LIBRARY_PATH`` is kept behind the driver's folder
    """
    if access is None:
        return {}
    found = {"NVIDIA_DRIVER_CAPABILITIES": "compute,utility"}
    if access.way != "runtime":
        # Images of CUDA ask a hook for all GPUs; where one runs by default it must add no second one.
        found["NVIDIA_VISIBLE_DEVICES"] = "void"
    elif not facts.takes_device_requests:
        found["NVIDIA_VISIBLE_DEVICES"] = access.uuid or "0"
    if access.libraries:
        found["LD_LIBRARY_PATH"] = ":".join(filter(None, (DRIVER, image.get("LD_LIBRARY_PATH", ""))))
    return found
