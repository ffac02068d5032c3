"""Finding a Docker engine and knowing what it can do.

The order is that of the docker command: ``DOCKER_HOST``, ``DOCKER_CONTEXT`` or the current context, the
default socket; then the sockets of podman, which speaks the same protocol.
"""

from __future__ import annotations

import os
import shutil
import socket
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import docker
from docker.context import ContextAPI
from docker.tls import TLSConfig

from harness.environments.docker.errors import ENGINE_ERRORS, text_of
from harness.errors import NoDockerEngineError

DEFAULT_SOCKET = Path("/var/run/docker.sock")
# Long enough for a loaded engine; availability must answer in well under a second where nothing listens,
# and a socket nobody listens on refuses at once.
TIMEOUT_SECONDS = 30
# Engine 19.03: the first whose API takes device requests.
_DEVICE_REQUESTS_API = (1, 40)
_HOOKS = ("nvidia-container-runtime-hook", "nvidia-container-toolkit")


@dataclass(frozen=True)
class Endpoint:
    """Where an engine may listen: :param origin: what named it, for messages"""

    url: str
    origin: str
    tls: TLSConfig | None = None

    @property
    def is_local(self) -> bool:
        """Whether the engine runs on this machine and can mount its folders."""
        return self.url.startswith(("unix://", "npipe://"))


@dataclass(frozen=True)
class EngineFacts:
    """What an engine says of itself.

    :param runtimes: names of its OCI runtimes; ``nvidia`` is the old way to a GPU
    :param disk_free_bytes: free space where it keeps images, None where that is not visible from here
    :param user_namespace: ``rootless``, ``remap`` or empty
    :param init: whether it can put a reaping first process into a container
    :param cdi_folders: where it reads specifications of devices (CDI); empty where it takes none
    :param cdi_devices: full names of the devices it says it found there; engines before 28.2 say nothing
    """

    name: str
    version: str
    api: tuple[int, int]
    runtimes: tuple[str, ...] = ()
    root: str = ""
    disk_free_bytes: int | None = None
    user_namespace: str = ""
    init: bool = False
    cgroup_version: str = ""
    cdi_folders: tuple[str, ...] = ()
    cdi_devices: tuple[str, ...] = ()

    @property
    def takes_device_requests(self) -> bool:
        """Whether a GPU is asked for by ``DeviceRequests`` rather than by the nvidia runtime."""
        return self.api >= _DEVICE_REQUESTS_API


@dataclass
class Engine:
    """A connected engine."""

    client: docker.DockerClient
    endpoint: Endpoint
    facts: EngineFacts
    leftovers: set[str] = field(default_factory=set)
    """Ids of containers that could not be removed because the engine went away."""

    def ping(self) -> None:
        """Return where the engine answers.

        :raises ConnectionError: nobody listens; the SDK itself would try, and leak a socket
        """
        if problem := _socket_problem(self.endpoint.url):
            raise ConnectionError(f"{self.endpoint.origin}{problem}")
        self.client.ping()

    @property
    def gpu_runtime(self) -> str:
        """``nvidia runtime``, ``hook`` (of the NVIDIA Container Toolkit), or empty where there is none.

        An engine does not list what serves its device requests, so the hook is looked for on this machine.
        """
        if "nvidia" in self.facts.runtimes:
            return "nvidia runtime"
        return "hook" if self.endpoint.is_local and any(map(shutil.which, _HOOKS)) else ""


def endpoints(environment: Mapping[str, str] | None = None) -> list[Endpoint]:
    """Return where an engine may listen, the preferred place first; one named by the user stands alone."""
    variables = os.environ if environment is None else environment
    if named := variables.get("DOCKER_HOST"):
        return [Endpoint(named, "DOCKER_HOST", _tls(variables))]
    found = []
    name = variables.get("DOCKER_CONTEXT")
    context = ContextAPI.get_context(name) if name else ContextAPI.get_current_context()
    if name and context is None:
        raise NoDockerEngineError(f"DOCKER_CONTEXT names the context '{name}', which does not exist")
    if context is not None and context.name != "default" and context.Host:
        return [Endpoint(context.Host, f"context '{context.name}'", context.TLSConfig)]
    sockets = [(DEFAULT_SOCKET, "docker's default socket")]
    if folder := variables.get("XDG_RUNTIME_DIR"):
        sockets += [
            (Path(folder) / "docker.sock", "rootless docker's socket"),
            (Path(folder) / "podman" / "podman.sock", "podman's socket of this user"),
        ]
    sockets.append((Path("/run/podman/podman.sock"), "podman's socket"))
    found += [Endpoint(f"unix://{path}", origin) for path, origin in sockets]
    return found


def connect(environment: Mapping[str, str] | None = None) -> Engine:
    """Connect to the first engine that answers.

    :raises UnavailableError: none does; names what was tried and how to start or name one
    """
    tried = []
    for endpoint in endpoints(environment):
        if problem := _socket_problem(endpoint.url):
            tried.append(f"{endpoint.origin}{problem}")
            continue
        try:
            client = docker.DockerClient(
                base_url=endpoint.url, tls=endpoint.tls or False, version="auto", timeout=TIMEOUT_SECONDS
            )
            return Engine(client, endpoint, read_facts(client, endpoint))
        except ENGINE_ERRORS as error:
            tried.append(f"{endpoint.origin}: {text_of(error)}")
    raise NoDockerEngineError(
        f"no docker engine answers ({'; '.join(tried)}); start docker or podman, or set DOCKER_HOST"
    )


def read_facts(client: docker.DockerClient, endpoint: Endpoint) -> EngineFacts:
    """Ask an engine what it is (two requests)."""
    info, version = client.info(), client.version()
    major, _, minor = str(version.get("ApiVersion", "1.24")).partition(".")
    security = " ".join(info.get("SecurityOptions") or ())
    root = str(info.get("DockerRootDir") or "")
    is_podman = any("podman" in str(part.get("Name", "")).lower() for part in version.get("Components") or ())
    return EngineFacts(
        name="podman" if is_podman else "docker",
        version=str(version.get("Version", "")),
        api=(int(major), int(minor)),
        runtimes=tuple(sorted(info.get("Runtimes") or ())),
        root=root,
        disk_free_bytes=_free(root) if endpoint.is_local else None,
        user_namespace="rootless" if "rootless" in security else "remap" if "userns" in security else "",
        init=bool((info.get("InitCommit") or {}).get("ID", "N/A") not in ("", "N/A")) or is_podman,
        cgroup_version=str(info.get("CgroupVersion") or ""),
        cdi_folders=tuple(str(folder) for folder in info.get("CDISpecDirs") or ()),
        cdi_devices=tuple(str(d.get("ID")) for d in info.get("DiscoveredDevices") or () if d.get("ID")),
    )


def _socket_problem(url: str) -> str:
    """Return why nothing answers at a Unix socket, before the SDK tries and leaks its own."""
    if not url.startswith("unix://"):
        return ""
    try:
        with socket.socket(socket.AF_UNIX) as connection:
            connection.connect(url.removeprefix("unix://"))
    except FileNotFoundError:
        return " does not exist"
    except PermissionError:
        return ": permission denied (is this user in the group 'docker'?)"
    except ConnectionRefusedError:
        return ": nobody listens on it"
    except OSError as error:
        return f": {error.strerror or error}"
    return ""


def _free(root: str) -> int | None:
    try:
        return shutil.disk_usage(root).free
    except OSError:  # inside a virtual machine, or not readable for this user
        return None


def _tls(variables: Mapping[str, str]) -> TLSConfig | None:
    if not variables.get("DOCKER_TLS_VERIFY"):
        return None
    folder = Path(variables.get("DOCKER_CERT_PATH") or Path.home() / ".docker")
    return TLSConfig(
        client_cert=(str(folder / "cert.pem"), str(folder / "key.pem")),
        ca_cert=str(folder / "ca.pem"),
        verify=True,
    )
