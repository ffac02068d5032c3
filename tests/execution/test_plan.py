"""What a run will measure: the user's choices over the matrix file."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.errors import InputError, UsageError
from harness.execution.plan import Choices, make_plan
from harness.plugins import registry

MATRIX = """
schema = "trtmatrix.matrix/1"
[run]
executor = "{executor}"
[[versions]]
runtime = "onnxruntime"
versions = ["1.22.1"]
[[block]]
networks = ["mobilenet_v2"]
"""


def matrix(folder: Path, executor: str) -> Path:
    path = folder / "matrix.toml"
    path.write_text(MATRIX.format(executor=executor), encoding="utf-8")
    return path


def test_the_executor_is_the_file_s_unless_the_user_names_one(tmp_path: Path) -> None:
    path = matrix(tmp_path, "local")
    assert make_plan(Choices(matrix=path), registry.parts()).executor == "local"
    path = matrix(tmp_path, "elsewhere")
    assert make_plan(Choices(matrix=path, executor="local"), registry.parts()).executor == "local"


def test_an_executor_that_nobody_registers_is_refused_where_it_was_named(tmp_path: Path) -> None:
    path = matrix(tmp_path, "locl")
    with pytest.raises(InputError, match=r"\[run\]: key 'executor': .*'locl'; did you mean 'local'"):
        make_plan(Choices(matrix=path), registry.parts())
    with pytest.raises(UsageError, match=r"--executor: no executor is called 'ray'"):
        make_plan(Choices(matrix=path, executor="ray"), registry.parts())
