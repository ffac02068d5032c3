from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from harness.environments import gpus, pythons
from harness.execution.plan import Choices, make_plan
from harness.execution.preflight import preflight
from harness.matrix.cell import Cell, Treatment
from harness.plugins import registry
from harness.resources import data_folder

CPU = Cell("mobilenet_v2", Treatment(), "onnxruntime", "1.22.1", "venv")


@pytest.fixture
def python310(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A ``python3.10`` on the search path, which TensorRT's wheels need: preflight only asks it who it is."""
    if os.name == "nt":
        pytest.skip("the interpreter made here is a shell script")
    path = tmp_path / "python3.10"
    path.write_text(f"#!/bin/sh\necho 3 10 14 {path}\n")
    path.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    pythons._find_release.cache_clear()
    yield path
    pythons._find_release.cache_clear()


def test_a_cell_that_can_run_is_ok() -> None:
    (found,) = preflight([CPU], registry.parts())
    assert (found.state, found.reason) == ("ok", "")
    assert found.checks


def test_a_version_that_is_not_installed_says_what_to_do() -> None:
    (found,) = preflight([replace(CPU, version="1.0.0", environment="current")], registry.parts())
    assert found.state == "unavailable"
    assert "1.0.0" in found.reason + found.remedy


def test_a_treatment_that_a_runtime_cannot_honour_is_unsupported() -> None:
    (found,) = preflight([replace(CPU, treatment=Treatment(precision="int8"))], registry.parts())
    assert found.state == "unsupported"
    assert found.reason


def test_a_field_that_a_runtime_does_not_know_is_unsupported() -> None:
    (found,) = preflight([replace(CPU, treatment=Treatment(cuda_graph="on"))], registry.parts())
    assert found.state == "unsupported"
    assert found.reason == "onnxruntime knows no treatment 'cuda_graph' (asked for: 'on')"


@pytest.mark.parametrize("change", [{"runtime": "nothing"}, {"environment": "nowhere"}])
def test_a_part_that_nobody_registers_is_named(change: dict[str, str]) -> None:
    (found,) = preflight([replace(CPU, **change)], registry.parts())
    assert found.state == "unsupported"
    assert next(iter(change.values())) in found.reason


@pytest.mark.usefixtures("python310")
def test_without_a_gpu_a_cell_that_needs_one_is_unavailable_before_anything_is_fetched(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(gpus, "host", gpus.Host)
    monkeypatch.setattr("harness.runtimes.tensorrt.runtime.gpus", list)
    cell = Cell("mobilenet_v2", Treatment(tactic_sources="core"), "tensorrt", "8.6.0", "venv")
    builds_without = Cell("mobilenet_v2", Treatment(), "tensorrt_rtx", "1.4.0.76", "venv")
    needs, cpu, rtx = preflight([cell, CPU, builds_without], registry.parts())
    assert needs.state == "unavailable"
    assert needs.reason == "tensorrt measures on an NVIDIA GPU, and none answers on this machine"
    assert "trtmatrix pack" in needs.remedy
    assert (cpu.state, rtx.state) == ("ok", "ok")


@pytest.mark.usefixtures("python310")
def test_with_a_gpu_it_is_the_version_that_decides(monkeypatch: pytest.MonkeyPatch) -> None:
    here = gpus.Host("580.159.04", (gpus.Gpu("GPU-1", "NVIDIA H100", "9.0"),))
    monkeypatch.setattr(gpus, "host", lambda: here)
    (found,) = preflight([Cell("mobilenet_v2", Treatment(), "tensorrt", "8.6.0", "venv")], registry.parts())
    assert found.state == "ok"


def test_without_an_engine_every_container_cell_has_its_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", "unix:///nowhere/docker.sock")
    cells = make_plan(Choices(matrix=data_folder("suites") / "ngc.toml"), registry.parts()).cells
    found = preflight(cells, registry.parts())
    assert [item.cell for item in found] == list(cells)
    assert {item.state for item in found} <= {"unsupported", "unavailable"}
    assert all(item.reason and "\n" not in item.reason for item in found)


def test_what_nobody_ever_ran_is_said_of_cells_that_may_run() -> None:
    tried = Cell("mobilenet_v2", Treatment(), "tftrt", "2.14.1", "current")
    (never,) = preflight([replace(tried, treatment=Treatment(own=(("converter", "v2"),)))], registry.parts())
    assert never.note == "never run by us: TrtGraphConverterV2"
    assert [found.note for found in preflight([tried, CPU], registry.parts())] == ["", ""]
