"""Registering: third parties are named by distribution or file, and a clash or a mistake is one line."""

from __future__ import annotations

import types
from collections.abc import Callable, Iterator

import pytest

from harness import hookimpl
from harness.errors import PluginError
from harness.execution.local import LocalExecutor
from harness.networks.mobilenet import MobileNetV2
from harness.plugins import registry
from harness.runtimes.onnxruntime.runtime import OnnxRuntime


@pytest.fixture(autouse=True)
def own_manager() -> Iterator[None]:
    registry.manager.cache_clear()
    yield
    registry.manager.cache_clear()


def plugin(**hooks: object) -> types.ModuleType:
    made = types.ModuleType("acme_plugin")
    for name, answer in hooks.items():
        made.__dict__[name] = hookimpl(_hook(name, answer))
    return made


def _hook(name: str, answer: object) -> Callable[[], object]:
    def implementation() -> object:
        return answer() if callable(answer) else answer

    implementation.__name__ = name
    return implementation


def test_a_plugin_s_parts_stand_behind_the_built_in_ones() -> None:
    registry.register(plugin(trtmatrix_networks=[MobileNetV2(name="narrow")]), "conftest.py")
    assert list(registry.networks())[-1] == "narrow"


def test_a_name_that_is_taken_is_refused_with_both_origins() -> None:
    registry.register(plugin(trtmatrix_executors=[LocalExecutor()]), "conftest.py")
    with pytest.raises(PluginError) as error:
        registry.executors()
    assert "the executor 'local' comes from both trtmatrix and " in str(error.value)
    assert __file__ in str(error.value)


def test_a_hook_that_raises_is_named_with_its_file() -> None:
    def fail() -> object:
        raise ZeroDivisionError("no parts today")

    registry.register(plugin(trtmatrix_runtimes=fail), "conftest.py")
    with pytest.raises(PluginError, match=r"trtmatrix_runtimes\(\) raised ZeroDivisionError: no parts today"):
        registry.runtimes()


@pytest.mark.parametrize("answer", [None, 3])
def test_a_hook_that_returns_no_sequence_is_named(answer: object) -> None:
    registry.register(plugin(trtmatrix_networks=answer), "conftest.py")
    with pytest.raises(PluginError, match=r"trtmatrix_networks\(\) raised TypeError"):
        registry.networks()


def test_a_hook_that_there_is_not_is_refused_and_leaves_nothing_behind() -> None:
    wrong = plugin(trtmatrix_runtime=[OnnxRuntime()])
    with pytest.raises(PluginError, match=r"^conftest.py: cannot be registered: unknown hook"):
        registry.register(wrong, "conftest.py")
    assert "onnxruntime" in registry.runtimes()


def test_a_part_that_lacks_a_member_is_named() -> None:
    class Half:
        name = "half"

    registry.register(plugin(trtmatrix_runtimes=[Half()]), "conftest.py")
    with pytest.raises(PluginError, match=r"^runtime 'half' of .*test_registry.py: lacks "):
        registry.runtimes()


def test_built_in_parts_are_not_guarded() -> None:
    assert type(registry.runtimes()["onnxruntime"]) is OnnxRuntime
