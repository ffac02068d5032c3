"""The registered parts that a run draws on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from harness.environments.base import Environment
from harness.execution.base import Executor
from harness.networks.base import NetworkFamily
from harness.runtimes.base import Runtime


@dataclass(frozen=True)
class Parts:
    """Everything that is known by name, built in or from a third party."""

    runtimes: Mapping[str, Runtime]
    environments: Mapping[str, Environment]
    networks: Mapping[str, NetworkFamily]
    executors: Mapping[str, Executor]
