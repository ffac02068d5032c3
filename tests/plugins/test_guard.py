"""The guard: whatever a third party's part raises is one line that names it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import cast

import pytest

from harness.environments.base import Prepared
from harness.environments.interpreter import PreparedInterpreter
from harness.environments.needs import RuntimeNeeds, WorkerSource
from harness.errors import PluginError, UnavailableError, UsageError
from harness.execution.base import Block, Executor
from harness.networks.base import NetworkFamily
from harness.plugins.guard import guarded
from harness.runtimes.base import Runtime
from harness.runtimes.onnxruntime.runtime import OnnxRuntime

WHO = "runtime 'acme' of acme-runtime 1.0"


class Broken:
    """Raises in every kind of member."""

    def method(self) -> None:
        raise ValueError("several\n lines")

    @property
    def value(self) -> int:
        raise KeyError("value")

    @cached_property
    def kept(self) -> int:
        raise TypeError

    @staticmethod
    def still() -> None:
        raise RuntimeError("static")

    def rows(self) -> Iterator[int]:
        yield 1
        raise OSError("after the first")

    def inside(self) -> None:
        self.method()


def test_each_kind_of_member_is_blamed_in_one_line() -> None:
    part = guarded(Broken(), WHO)
    with pytest.raises(PluginError) as method:
        part.method()
    assert str(method.value).startswith(f"{WHO}: method() raised ValueError: several lines (")
    assert "test_guard.py:" in str(method.value)
    with pytest.raises(PluginError, match=rf"^{WHO}: value raised KeyError"):
        _ = part.value
    with pytest.raises(PluginError, match=rf"^{WHO}: kept raised TypeError \("):
        _ = part.kept
    with pytest.raises(PluginError, match=r"still\(\) raised RuntimeError: static"):
        part.still()
    rows = part.rows()
    assert next(rows) == 1
    with pytest.raises(PluginError, match=r"rows\(\) raised OSError: after the first"):
        next(rows)


def test_a_generator_is_watched_wherever_it_was_made() -> None:
    class Indirect:
        def rows(self) -> Iterator[int]:
            return Broken().rows()

    rows = guarded(Indirect(), WHO).rows()
    assert next(rows) == 1
    with pytest.raises(PluginError, match=r"rows\(\) raised OSError: after the first"):
        next(rows)


def test_what_trtmatrix_itself_hands_out_stays_as_it_is() -> None:
    class Maker:
        def prepare(self) -> PreparedInterpreter:
            return PreparedInterpreter(Path("python"), WorkerSource("worker", Path("worker")))

    assert type(guarded(Maker(), WHO).prepare()) is PreparedInterpreter


def test_the_innermost_member_is_named_once() -> None:
    with pytest.raises(PluginError) as error:
        guarded(Broken(), WHO).inside()
    assert str(error.value).startswith(f"{WHO}: method() raised")


def test_what_the_protocol_says_passes() -> None:
    class Family:
        def graph(self) -> None:
            raise UsageError("no such form")

        def prepare(self) -> None:
            raise UnavailableError("no wheel")

    part = guarded(Family(), WHO)
    with pytest.raises(UsageError):
        part.graph()
    with pytest.raises(UnavailableError):
        part.prepare()


def test_a_prepared_environment_is_guarded_as_its_maker() -> None:
    @dataclass(frozen=True)
    class Made:
        def run(self) -> None:
            raise ValueError("in the run")

    class Maker:
        def prepare(self) -> Made:
            return Made()

    prepared = guarded(Maker(), "environment 'cellar' of acme 1.0").prepare()
    with pytest.raises(PluginError, match=r"^environment 'cellar' of acme 1.0: run\(\) raised ValueError"):
        prepared.run()
    assert isinstance(prepared, Made)


def test_a_guarded_part_is_what_it_was() -> None:
    @dataclass(frozen=True, slots=True)
    class Slotted:
        name: str

    assert guarded(Slotted("acme"), WHO).name == "acme"
    runtime = OnnxRuntime()
    assert guarded(runtime, WHO, Runtime) is runtime
    assert isinstance(runtime, OnnxRuntime)
    assert runtime.known_versions()[0] == "1.12.1"


def test_a_part_that_is_returned_again_and_again_is_guarded_once() -> None:
    part = Broken()
    kind = type(guarded(part, WHO))
    assert type(guarded(part, WHO)) is kind
    assert type(guarded(Broken(), WHO)) is kind
    assert kind.__mro__[1] is Broken


def test_a_part_that_derives_from_nothing_is_lent_the_defaults() -> None:
    class Plain:
        name = "plain"

        def run(self, _block: Block, _measure: object) -> Iterator[None]:
            yield from ()

    assert cast("Executor", guarded(Plain(), WHO, Executor)).name == "plain"

    class Needs:
        name = device = "plain"
        environments = ("venv",)
        worker = None

    assert cast("RuntimeNeeds", guarded(Needs(), WHO, RuntimeNeeds)).environment_variables == {}

    class Network:
        name = "empty"

    with pytest.raises(PluginError, match=rf"^{WHO}: lacks description, graph$"):
        guarded(Network(), WHO, NetworkFamily)


@pytest.mark.parametrize("part", [None, 3])
def test_what_is_no_object_of_a_class_is_refused(part: object) -> None:
    with pytest.raises(PluginError, match="cannot be a part"):
        guarded(part, WHO)


def test_protocols_of_prepared_environments_have_no_hidden_members() -> None:
    assert Prepared.__abstractmethods__
