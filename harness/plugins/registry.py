"""The plugin manager: everything that is known by name, built in or from a third party."""

from __future__ import annotations

import importlib
from collections.abc import Iterable, Sequence
from functools import cache
from typing import TYPE_CHECKING, Protocol, TypeVar

import pluggy

from harness.errors import UsageError
from harness.plugins import hookspecs

if TYPE_CHECKING:
    from harness.analysis.rules.base import Rule
    from harness.environments.base import Environment
    from harness.execution.base import Executor
    from harness.execution.parts import Parts
    from harness.networks.base import NetworkFamily
    from harness.runtimes.base import Runtime

# Each of these modules implements hooks of harness.plugins.hookspecs, exactly as a third party's plugin does.
BUILT_IN: tuple[str, ...] = (
    "harness.networks.builtin",
    "harness.runtimes.onnxruntime.runtime",
    "harness.runtimes.openvino.runtime",
    "harness.runtimes.tensorrt.runtime",
    "harness.runtimes.tensorrt_rtx.runtime",
    "harness.environments.venv",
    "harness.environments.current",
    "harness.environments.docker.environment",
    "harness.execution.local",
    "harness.analysis.rules.builtin",
)


class _Named(Protocol):
    @property
    def name(self) -> str: ...


T = TypeVar("T", bound=_Named)


@cache
def manager() -> pluggy.PluginManager:
    """Return the one plugin manager of this process, with all plugins registered."""
    plugins = pluggy.PluginManager("trtmatrix")
    plugins.add_hookspecs(hookspecs)
    for module in BUILT_IN:
        plugins.register(importlib.import_module(module), name=module)
    plugins.load_setuptools_entrypoints("trtmatrix")
    return plugins


def _by_name(what: str, answers: Iterable[Sequence[T]]) -> dict[str, T]:
    found: dict[str, T] = {}
    # pluggy calls the last registered first; a third party's part of the same name would hide ours silently.
    for part in (part for answer in reversed(list(answers)) for part in answer):
        if part.name in found:
            raise UsageError(f"two plugins register a {what} called '{part.name}'; remove one of them")
        found[part.name] = part
    return found


def parts() -> Parts:
    """Return all parts that a run draws on."""
    from harness.execution.parts import Parts

    return Parts(runtimes(), environments(), networks(), executors())


def runtimes() -> dict[str, Runtime]:
    """Return runtimes by name."""
    return _by_name("runtime", manager().hook.trtmatrix_runtimes())


def environments() -> dict[str, Environment]:
    """Return environments by name."""
    return _by_name("environment", manager().hook.trtmatrix_environments())


def networks() -> dict[str, NetworkFamily]:
    """Return network families by name."""
    return _by_name("network", manager().hook.trtmatrix_networks())


def bottlenecks() -> dict[str, Rule]:
    """Return bottleneck rules by name."""
    return _by_name("bottleneck", manager().hook.trtmatrix_bottlenecks())


def executors() -> dict[str, Executor]:
    """Return executors by name."""
    return _by_name("executor", manager().hook.trtmatrix_executors())
