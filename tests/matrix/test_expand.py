from __future__ import annotations

from pathlib import Path

import pytest

from harness.errors import InputError
from harness.matrix.cell import Cell
from harness.matrix.expand import expand
from harness.matrix.file import read_matrix
from harness.resources import data_folder

RUNTIMES = {"openvino": ("venv", "current"), "onnxruntime": ("venv", "current"), "tensorrt": ("docker",)}


def cells(tmp_path: Path, text: str) -> list[Cell]:
    path = tmp_path / "m.toml"
    path.write_text('schema = "trtmatrix.matrix/1"\n' + text, encoding="utf-8")
    return expand(
        read_matrix(path),
        networks=["mobilenet_v1", "mobilenet_v2"],
        runtimes=RUNTIMES,
        environments=["docker", "venv", "current"],
        resolve=lambda _runtime, _environment, said: {"newest": ["9", "10"]}.get(said, [said]),
    )


ONE = """
[[versions]]
runtime = "openvino"
versions = ["2023.1.0", "2024.6.0"]
repeat = ["2024.6.0"]
[[block]]
networks = ["mobilenet_v2"]
"""


def test_versions_and_the_second_arm_of_an_aa_pair(tmp_path: Path) -> None:
    assert [c.id for c in cells(tmp_path, ONE)] == [
        "mobilenet_v2-fp32-b1-clip-openvino-2023.1.0",
        "mobilenet_v2-fp32-b1-clip-openvino-2024.6.0",
        "mobilenet_v2-fp32-b1-clip-openvino-2024.6.0-aa",
    ]
    assert {c.environment for c in cells(tmp_path, ONE)} == {"venv"}


def test_one_version_in_two_environments_has_two_ids(tmp_path: Path) -> None:
    text = ONE.replace('repeat = ["2024.6.0"]', 'environment = ["venv", "current"]')
    ids = [c.id for c in cells(tmp_path, text)]
    assert len(set(ids)) == 4
    assert "mobilenet_v2-fp32-b1-clip-openvino-2024.6.0-current" in ids


def test_patterns_exclude_cells(tmp_path: Path) -> None:
    assert [c.version for c in cells(tmp_path, 'exclude = ["*-aa", "*-2023.1.0"]' + ONE)] == ["2024.6.0"]


def test_a_block_may_name_its_runtimes(tmp_path: Path) -> None:
    text = ONE + 'runtimes = ["onnxruntime"]\n[[versions]]\nruntime = "onnxruntime"\nversions = ["1.22.1"]'
    assert [c.runtime for c in cells(tmp_path, text)] == ["onnxruntime"]


def test_version_expressions_are_resolved(tmp_path: Path) -> None:
    text = '[[versions]]\nruntime = "tensorrt"\nversions = ["newest"]\n[[block]]\nnetworks = ["mobilenet_v1"]'
    assert [c.version for c in cells(tmp_path, text)] == ["9", "10"]


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('"mobilenet_v2"', '"mobilenet_v3"', "unknown name 'mobilenet_v3'; did you mean 'mobilenet_v"),
        (
            '"openvino"',
            '"openvimo"',
            r"\[\[versions\]\] 1: key 'runtime': unknown name 'openvimo'; did you mean",
        ),
        (
            "repeat",
            'environment = "vnev"\nrepeat',
            "key 'environment': unknown name 'vnev'; did you mean 'venv'",
        ),
    ],
)
def test_an_unknown_name_is_one_line(tmp_path: Path, old: str, new: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        cells(tmp_path, ONE.replace(old, new, 1))


@pytest.mark.parametrize("version", ["1/../2", "1 2", "1\\n2", "9" * 200])
def test_a_version_that_cannot_be_part_of_an_id_is_one_line(tmp_path: Path, version: str) -> None:
    text = ONE.replace('"2023.1.0"', f'"{version}"')
    with pytest.raises(
        InputError, match=r"cannot be a cell id: use letters, digits, '_', '\.', '\+' and '-'"
    ):
        cells(tmp_path, text)


def test_options_of_no_runtime_are_one_line(tmp_path: Path) -> None:
    with pytest.raises(
        InputError, match=r"\[options.openvimo\]: no runtime is called 'openvimo'; did you mean 'openvino'"
    ):
        cells(tmp_path, ONE + "[options.openvimo]\nstreams = 1\n")


def test_nothing_left_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no cell is left"):
        cells(tmp_path, 'exclude = ["*"]' + ONE)


def test_the_embedded_default_has_an_aa_pair_of_each_runtime() -> None:
    found = expand(
        read_matrix(data_folder("suites") / "default.toml"),
        networks=["mobilenet_v1", "mobilenet_v2"],
        runtimes=RUNTIMES,
        environments=["venv"],
    )
    assert len({c.id for c in found}) == len(found)
    assert {c.runtime for c in found if c.repeat == "aa"} == {"openvino", "onnxruntime"}
    assert {c.network for c in found} == {"mobilenet_v1", "mobilenet_v2"}
    for runtime in ("openvino", "onnxruntime"):
        assert len({c.version for c in found if c.runtime == runtime}) == 3
