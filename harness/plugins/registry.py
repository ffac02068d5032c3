"""The plugin manager: everything that is known by name, built in or from a third party."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Iterator
from functools import cache
from importlib import metadata
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

import pluggy

from harness.errors import PluginNameError, PluginPartError
from harness.plugins import hookspecs
from harness.plugins.guard import blamed, guarded

if TYPE_CHECKING:
    from harness.analysis.rules.base import Rule
    from harness.environments.base import Environment
    from harness.execution.base import Executor
    from harness.execution.parts import Parts
    from harness.networks.base import NetworkFamily
    from harness.runtimes.base import Runtime

GROUP = "trtmatrix"
"""Of entry points, of hooks, and of the plugin manager."""

# Each of these modules implements hooks of harness.plugins.hookspecs, exactly as a third party's plugin does.
BUILT_IN: tuple[str, ...] = (
    "harness.networks.builtin",
    "harness.runtimes.onnxruntime.runtime",
    "harness.runtimes.openvino.runtime",
    "harness.runtimes.tensorflow.runtime",
    "harness.runtimes.tensorrt.runtime",
    "harness.runtimes.tensorrt_rtx.runtime",
    "harness.runtimes.tftrt.runtime",
    "harness.environments.venv",
    "harness.environments.current",
    "harness.environments.docker.environment",
    "harness.execution.local",
    "harness.executors.ray.executor",
    "harness.analysis.rules.builtin",
)


class _Named(Protocol):
    @property
    def name(self) -> str: ...


T = TypeVar("T", bound=_Named)


@cache
def manager() -> pluggy.PluginManager:
    """Return the one plugin manager of this process, with all plugins registered.

    :raises PluginError: one cannot be imported or registered
    """
    plugins = pluggy.PluginManager(GROUP)
    plugins.add_hookspecs(hookspecs)
    for module in BUILT_IN:
        plugins.register(importlib.import_module(module), name=module)
    for entry in metadata.entry_points(group=GROUP):
        where = f"plugin '{entry.name}' of {_distribution(entry)}"
        with blamed(f"{where}: importing it"):
            plugin = entry.load()
        _register(plugins, plugin, where, f"{_distribution(entry)}: {entry.name}")
    return plugins


def register(plugin: object, where: str) -> None:
    """Register what implements hooks and is no entry point: a ``conftest.py``, a plugin of pytest.

    :param where: what it is called in errors
    :raises PluginError: a hook of it is none of :mod:`harness.plugins.hookspecs`
    """
    if not manager().is_registered(plugin):
        _register(manager(), plugin, where, None)


def _register(plugins: pluggy.PluginManager, plugin: object, where: str, name: str | None) -> None:
    try:
        plugins.register(plugin, name=name)
        plugins.check_pending()
    except (pluggy.PluginValidationError, ValueError) as error:
        if plugins.is_registered(plugin):
            plugins.unregister(plugin)
        raise PluginPartError(f"{where}: cannot be registered: {' '.join(str(error).split())}") from None


def _distribution(entry: metadata.EntryPoint) -> str:
    return f"{entry.dist.name} {entry.dist.version}" if entry.dist is not None else entry.value


def _origin(implementation: pluggy.HookImpl) -> str:
    """Return where a hook's implementation comes from: distribution and version, or a file."""
    name = implementation.plugin_name
    if name in BUILT_IN:
        return "trtmatrix"
    distribution, found, _ = name.partition(": ")
    return distribution if found else inspect.getfile(implementation.function)


def _by_name(what: str, hook: pluggy.HookCaller, protocol: type[T]) -> dict[str, T]:
    """Return the parts that implementations of *hook* return, third parties' guarded, built-in ones first.

    :raises PluginError: an implementation raises, a part lacks something, or two have one name
    """
    found: dict[str, tuple[T, str]] = {}
    for implementation in hook.get_hookimpls():
        origin = _origin(implementation)
        for part in _answer(implementation, origin):
            if implementation.plugin_name not in BUILT_IN:
                with blamed(f"a {what} of {origin}: name"):
                    who = f"{what} '{part.name}' of {origin}"
                guarded(part, who, protocol)
            # A third party's part of the same name would hide ours silently.
            if part.name in found:
                both = f"{found[part.name][1]} and {origin}"
                raise PluginNameError(f"the {what} '{part.name}' comes from both {both}; remove one of them")
            found[part.name] = (part, origin)
    return {name: part for name, (part, _) in found.items()}


def _answer(implementation: pluggy.HookImpl, origin: str) -> Iterator[Any]:
    """Yield the parts that one implementation returns."""
    name = implementation.function.__name__
    with blamed(f"{origin}: {name}()"):
        answer: Any = implementation.function()
        yield from answer


def parts() -> Parts:
    """Return all parts that a run draws on."""
    from harness.execution.parts import Parts

    return Parts(runtimes(), environments(), networks(), executors())


def runtimes() -> dict[str, Runtime]:
    """Return runtimes by name."""
    from harness.runtimes.base import Runtime

    return _by_name("runtime", manager().hook.trtmatrix_runtimes, Runtime)  # type: ignore[type-abstract]


def environments() -> dict[str, Environment]:
    """Return environments by name."""
    from harness.environments.base import Environment

    return _by_name("environment", manager().hook.trtmatrix_environments, Environment)  # type: ignore[type-abstract]


def networks() -> dict[str, NetworkFamily]:
    """Return network families by name."""
    from harness.networks.base import NetworkFamily

    return _by_name("network", manager().hook.trtmatrix_networks, NetworkFamily)  # type: ignore[type-abstract]


def check_bottlenecks() -> None:
    """Refuse rules that others bring and that cannot be registered; ours can, and take a while to load.

    :raises PluginError: as :func:`bottlenecks`
    """
    implementations = manager().hook.trtmatrix_bottlenecks.get_hookimpls()
    if any(one.plugin_name not in BUILT_IN for one in implementations):
        bottlenecks()


def bottlenecks() -> dict[str, Rule]:
    """Return bottleneck rules by name."""
    from harness.analysis.rules.base import Rule

    return _by_name("bottleneck", manager().hook.trtmatrix_bottlenecks, Rule)  # type: ignore[type-abstract]


def executors() -> dict[str, Executor]:
    """Return executors by name."""
    from harness.execution.base import Executor

    return _by_name("executor", manager().hook.trtmatrix_executors, Executor)  # type: ignore[type-abstract]
