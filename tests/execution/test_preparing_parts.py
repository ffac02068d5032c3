"""What stands in the manifest of each cell once all was made ready, and what need not be made."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from harness.environments.base import Availability, Environment, Prepared, Progress
from harness.environments.needs import RuntimeNeeds
from harness.errors import PluginPartError, UnavailableError
from harness.execution.inputs import InputStore
from harness.execution.preparing import Preparation, where
from harness.matrix.cell import Cell, Treatment
from harness.runtimes.onnxruntime.runtime import OnnxRuntime
from harness.store.bundle import Bundle
from tests.execution.ground import Ground


class Shelf(Environment):
    """Has some versions ready."""

    name = "shelf"

    def __init__(self, at_once: int = 1) -> None:
        self.prepares_at_once = at_once
        self.asked: list[tuple[str, str]] = []

    def availability(self, runtime: RuntimeNeeds, version: str) -> Availability:
        """Say what of it can be had."""
        self.asked.append(("availability", version))
        assert runtime.name == "onnxruntime"
        return {
            "0.1": Availability("unsupported", "too old"),
            "0.2": Availability("unavailable", "no wheel", "install it"),
        }.get(version, Availability("ok"))

    def prepare(self, runtime: RuntimeNeeds, version: str, progress: Progress) -> Prepared:
        """Make it."""
        self.asked.append(("prepare", version))
        progress(f"making {runtime.name} {version}")
        if version == "0.3":
            raise UnavailableError("the index does not answer")
        if version == "0.4":
            raise PluginPartError("shelf 'x' raised")
        prepared: Any = f"{version} on the shelf"
        return prepared


def prepared(
    ground: Ground, shelf: Shelf, *versions: str, parts: Any = None, **more: Any
) -> tuple[list[Cell], Preparation, dict[str, tuple[str, str, str]], Bundle]:
    cells = [replace(ground.cells[0], version=version, environment="shelf") for version in versions]
    bundle = ground.bundle()
    made = replace(parts or ground.parts(), environments={"shelf": shelf})
    inputs = InputStore(ground.root / "inputs", made.networks, 1)
    device: Callable[[Cell], str] = more.pop("device", lambda cell: f"device of {cell.version}")
    preparation = Preparation(bundle, made, inputs, device, ground.said.append, **more)
    runnable = preparation.runnable(cells)
    said = {
        record.cell.version: (record.status, record.reason, record.digest)
        for record in bundle.cells()
        if record.cell.environment == "shelf"
    }
    return runnable, preparation, said, bundle


@pytest.mark.parametrize("at_once", [1, 2])
def test_each_cell_is_ready_or_has_its_reason(ground: Ground, at_once: int) -> None:
    shelf = Shelf(at_once)
    runnable, preparation, said, bundle = prepared(ground, shelf, "0.1", "0.2", "0.3", "0.4", "1.0", "1.1")
    digest = ground.plan.families["small"].graph(1, "clip").digest
    assert said == {
        "0.1": ("unsupported", "too old", "unknown"),
        "0.2": ("unavailable", "no wheel; install it", "unknown"),
        "0.3": ("unavailable", "the index does not answer", "unknown"),
        "0.4": ("failed", "shelf 'x' raised", "unknown"),
        "1.0": ("pending", "", digest),
        "1.1": ("pending", "", digest),
    }
    assert [cell.version for cell in runnable] == ["1.0", "1.1"]
    assert [preparation.environment(cell) for cell in runnable] == ["1.0 on the shelf", "1.1 on the shelf"]
    assert {cell.version: device for cell, device in preparation.devices.items()} == {
        version: f"device of {version}" for version in said
    }
    assert sorted(ground.said) == [
        f"making onnxruntime {version}" for version in ("0.3", "0.4", "1.0", "1.1")
    ]
    assert bundle.network_path(runnable[0]).is_file()
    assert len(shelf.asked) == len(set(shelf.asked)), "each is made once"


@pytest.mark.parametrize("at_once", [1, 2])
def test_what_a_runtime_refuses_is_not_made(ground: Ground, at_once: int) -> None:
    class Refuses(OnnxRuntime):
        def unsupported(self, cell: Cell) -> str | None:
            return "never" if cell.version == "1.0" else None

    shelf = Shelf(at_once)
    parts = replace(ground.parts(), runtimes={"onnxruntime": Refuses()})
    runnable, _, said, _ = prepared(ground, shelf, "1.0", "1.1", parts=parts)
    assert said["1.0"] == ("unsupported", "never", "unknown")
    assert [cell.version for cell in runnable] == ["1.1"]
    assert {version for _, version in shelf.asked} == {"1.1"}


def test_a_network_that_cannot_have_this_form_is_said_where_its_environment_is_there(ground: Ground) -> None:
    formless = replace(ground.cells[0], treatment=replace(ground.cells[0].treatment, batch=None))
    ground.plan = replace(ground.plan, cells=(formless,))
    runnable, _, said, bundle = prepared(ground, Shelf(), "0.2", "1.0")
    assert runnable == []
    assert said["0.2"][:2] == ("unavailable", "no wheel; install it"), "it comes first"
    status, reason, digest = said["1.0"]
    assert (status, digest) == ("unsupported", "unknown")
    assert reason.endswith("a cell to be measured needs a batch")
    assert not (bundle.root / "networks").exists()


@pytest.mark.parametrize("at_once", [1, 2])
def test_where_cells_are_made_ready_elsewhere_nothing_is_made_here(ground: Ground, at_once: int) -> None:
    shelf = Shelf(at_once)
    refused = {"1.0": ("unavailable", "no node has it")}
    runnable, _, said, _ = prepared(
        ground, shelf, "1.0", "1.1", elsewhere=lambda cell: refused.get(cell.version)
    )
    assert said["1.0"] == ("unavailable", "no node has it", "unknown")
    assert [cell.version for cell in runnable] == ["1.1"]
    assert shelf.asked == []


def test_a_device_that_cannot_be_told_fails_its_cell(ground: Ground) -> None:
    def device(cell: Cell) -> str:
        if cell.version == "1.0":
            raise PluginPartError("runtime 'y' raised")
        return "cpu"

    runnable, _, said, _ = prepared(ground, Shelf(), "1.0", "1.1", device=device)
    assert said["1.0"] == ("failed", "runtime 'y' raised", "unknown")
    assert [cell.version for cell in runnable] == ["1.1"]


def test_an_environment_is_that_of_a_runtime_s_version() -> None:
    cells = [
        Cell("net", Treatment(batch=batch), "r", "1", "e", repeat)
        for batch in (1, 2)
        for repeat in ("", "aa")
    ]
    assert {where(cell) for cell in cells} == {("r", "1", "e")}
