"""What a user may set for containers; the command line sets the variables, so that every process agrees."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field

from harness.environments.docker.posture import Posture

NO_BUILD = "TRTMATRIX_DOCKER_NO_BUILD"
BASE = "TRTMATRIX_DOCKER_BASE"
BUILD_NETWORK = "TRTMATRIX_DOCKER_BUILD_NETWORK"


@dataclass(frozen=True)
class DockerSettings:
    """Settings of the environment ``docker``.

    :param build: False: use images as they are; the worker then takes ctypes where PyCUDA is missing
    :param base: base image for runtimes that live in wheels; empty: the recipe's, else this machine's Python
    :param build_network: network of image builds (``host`` where the engine has no bridge), or empty
    :param restart_seconds: how long a run waits for an engine that went away
    """

    build: bool = True
    base: str = ""
    build_network: str = ""
    restart_seconds: float = 60.0
    posture: Posture = field(default_factory=Posture)

    @classmethod
    def from_environment(cls, variables: Mapping[str, str] | None = None) -> DockerSettings:
        """Read ``TRTMATRIX_DOCKER_NO_BUILD``, ``..._BASE`` and ``..._BUILD_NETWORK``."""
        found = os.environ if variables is None else variables
        return cls(
            build=found.get(NO_BUILD, "") in ("", "0", "false", "no"),
            base=found.get(BASE, ""),
            build_network=found.get(BUILD_NETWORK, ""),
        )
