"""The matrix files that come along: each says what can be planned, none of it twice, and the docs name it."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.execution.plan import Choices, make_plan
from harness.matrix.file import read_matrix
from harness.plugins import registry
from harness.resources import data_folder

MATRICES = sorted(data_folder("suites").glob("*.toml"))
DOCS = Path(__file__).resolve().parents[2] / "docs"


@pytest.mark.parametrize("path", MATRICES, ids=lambda path: path.stem)
def test_every_cell_can_be_planned_and_is_one_that_its_runtime_knows(path: Path) -> None:
    parts = registry.parts()
    cells = make_plan(Choices(matrix=path), parts).cells
    assert len({cell.id for cell in cells}) == len(cells) > 0
    for cell in cells:
        # A stand-in of an image is named behind the version that it holds.
        assert cell.version.partition("+stand-in")[0] in parts.runtimes[cell.runtime].known_versions()
        reason = parts.runtimes[cell.runtime].unsupported(cell)
        # The machine that plans may have a GPU that an old version does not run on.
        assert reason is None or "compute capability" in reason


@pytest.mark.parametrize("path", MATRICES, ids=lambda path: path.stem)
def test_every_matrix_file_says_what_it_is_and_is_in_the_docs(path: Path) -> None:
    assert read_matrix(path, registry.parts().treatments).description
    assert f"`suites/{path.name}`" in (DOCS / "reference/matrix-file.md").read_text(encoding="utf-8")


def test_tensorrt_rtx_is_built_in_every_release_of_complete_wheels() -> None:
    (versions,) = read_matrix(data_folder("suites") / "tensorrt_rtx.toml").versions
    assert (versions.runtime, versions.environments) == ("tensorrt_rtx", ("venv",))
    assert list(versions.versions) == list(registry.runtimes()["tensorrt_rtx"].known_versions())
