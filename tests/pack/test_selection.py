"""Which cells of a matrix are packed, and why the others are not."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from harness.errors import UsageError
from harness.matrix.cell import Cell, Treatment
from harness.pack.selection import chosen, in_containers, packable, without_images
from harness.plugins import registry


def _cell(version: str, runtime: str = "tensorrt", **treatment: object) -> Cell:
    return Cell("mobilenet_v2", Treatment(**treatment), runtime, version, "docker")  # type: ignore[arg-type]


def _select(
    *cells: Cell, libraries: str = "auto", capability: str | None = None
) -> tuple[Sequence[Cell], list[str]]:
    said: list[str] = []
    found = packable(cells, registry.runtimes(), libraries=libraries, capability=capability, say=said.append)
    return found, said


def test_versions_that_are_wheels_are_packed_whatever_environment_the_matrix_names() -> None:
    found, said = _select(_cell("8.6.0"), _cell("1.22.1", "onnxruntime"))
    assert [cell.environment for cell in found] == ["venv", "venv"]
    assert said == []


def test_a_version_without_wheels_is_left_out_with_the_reason() -> None:
    found, (line,) = _select(_cell("8.6.0"), _cell("7.2.3"))
    assert [cell.version for cell in found] == ["8.6.0"]
    assert line.startswith("mobilenet_v2-fp32-b1-clip-tensorrt-7.2.3: left out: ")
    assert "wheel" in line


def test_a_version_that_cannot_run_on_the_hosts_gpu_is_left_out() -> None:
    found, said = _select(_cell("8.6.0"), _cell("8.5.3.1"), capability="8.9")
    assert len(found) == 2
    assert said == []
    with pytest.raises(UsageError, match="no cell"):
        _select(_cell("8.6.0"), capability="12.0")


def test_tactic_sources_that_need_the_real_libraries_do_not_go_with_placeholders() -> None:
    cells = _cell("8.6.0", tactic_sources="core"), _cell("8.6.0", tactic_sources="all")
    found, (line,) = _select(*cells, libraries="placeholder")
    assert [cell.treatment.tactic_sources for cell in found] == ["core"]
    assert "need the real cuBLAS and cuDNN" in line


def test_a_release_nobody_knows_the_wheels_of_is_left_out() -> None:
    with pytest.raises(UsageError):
        _select(_cell("0.0.1", "tensorrt_rtx"))


def test_cells_are_chosen_by_patterns_of_their_ids() -> None:
    cells = (_cell("8.6.0"), _cell("8.5.3.1"), _cell("8.6.0", tactic_sources="all"))
    assert chosen(cells, []) == cells
    assert chosen(cells, ["*-all-*", "*-8.5.3.1"]) == cells[1:]
    with pytest.raises(UsageError, match=r"--only \*-v9: matches none of the 3 cells"):
        chosen(cells, ["*-v9"])


def _split(*cells: Cell, capability: str | None = None) -> tuple[list[Cell], list[Cell], list[str]]:
    said: list[str] = []
    contained, rest = in_containers(cells, registry.runtimes(), capability=capability, say=said.append)
    return list(contained), list(rest), said


def test_with_images_cells_of_containers_are_no_wheels_whether_or_not_there_are_any() -> None:
    old, both, wheels = _cell("7.2.3"), _cell("8.6.0"), replace(_cell("8.6.0"), environment="venv")
    assert _split(old, wheels, both) == ([old, both], [wheels], [])


def test_an_image_that_cannot_run_on_the_hosts_gpu_is_not_carried() -> None:
    old, new, wheels = _cell("5.0.2"), _cell("8.6.0"), replace(_cell("8.6.0"), environment="venv")
    contained, _, (line,) = _split(old, new, wheels, capability="9.0")
    assert contained == [new]
    assert line.startswith(f"{old.id}: left out: TensorRT 5.0.2 does not run on compute capability 9.0")


def test_images_alone_or_none_are_refused_with_what_to_do() -> None:
    with pytest.raises(UsageError, match="trtmatrix images save MATRIX -o DIR"):
        _split(_cell("8.6.0"))
    with pytest.raises(UsageError, match="none of the cells can be measured in a container"):
        _split(replace(_cell("8.6.0"), environment="venv"))


def test_without_images_the_containers_arm_is_left_out_and_one_line_counts_what_became_of_them() -> None:
    wheels = replace(_cell("8.6.0"), environment="venv")
    cells = [wheels, replace(_cell("8.6.0"), repeat="docker"), _cell("8.5.3.1"), _cell("7.2.3")]
    found, said = _select(*cells)
    assert [cell.id for cell in found] == [wheels.id, cells[2].id]
    assert said[0] == f"{cells[1].id}: left out: the matrix measures it in a virtual environment too"
    assert without_images(cells, found) == (
        "cells in containers: 1 packed as wheels, 2 left out; --containers brings their images instead"
    )
    assert without_images(cells[:1], found) is None
