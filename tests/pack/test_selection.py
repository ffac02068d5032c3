"""Which cells of a matrix are packed, and why the others are not."""

from collections.abc import Sequence

import pytest

from harness.errors import UsageError
from harness.matrix.cell import Cell, Treatment
from harness.pack.selection import chosen, packable
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
