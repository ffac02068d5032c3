"""The files that workers are given: made once for each network, batch and form, and placed beside a job."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest

from harness.errors import UnsupportedOpError, UsageError
from harness.execution.inputs import InputStore, needs_onnx, place
from harness.matrix.cell import Cell, Treatment
from harness.networks.base import NetworkFamily
from harness.networks.graph import Graph
from harness.networks.onnx_export import to_onnx
from harness.networks.package import read_structure
from harness.networks.user_onnx import onnx_family
from harness.runtimes.onnxruntime.runtime import OnnxRuntime
from harness.runtimes.tensorrt.runtime import TensorRT
from tests.execution.ground import SMALL

CELL = Cell("small", Treatment(), "onnxruntime", "1.0", "current")


def treated(**fields: object) -> Cell:
    return replace(CELL, treatment=replace(CELL.treatment, **fields))  # type: ignore[arg-type]


@pytest.fixture
def store(tmp_path: Path) -> InputStore:
    return InputStore(tmp_path / "inputs", {"small": SMALL}, seed=3)


def test_what_a_worker_is_given_is_one_network_with_its_inputs_and_reference(store: InputStore) -> None:
    made = store.get(treated(batch=2))
    assert read_structure(made.network).digest == made.graph.digest
    assert made.graph.batch == 2
    assert made.weights.is_file()
    with np.load(made.inputs, allow_pickle=False) as tensors:
        assert {name: tensors[name].shape for name in tensors.files} == {
            name: made.graph.shapes[name] for name in made.graph.inputs
        }
    assert {name: value.shape for name, value in made.reference.items()} == {
        name: made.graph.shapes[name] for name in made.graph.outputs
    }


def test_cells_of_one_network_batch_and_form_share_their_files(store: InputStore) -> None:
    made = store.get(CELL)
    assert store.get(replace(treated(precision="fp16"), version="2.0")) is made
    others = [store.get(treated(batch=2)), store.get(treated(relu6="relu_sub"))]
    assert len({made.folder, *(other.folder for other in others)}) == 3
    assert [(x.graph.batch, x.graph.relu6) for x in others] == [(2, "clip"), (1, "relu_sub")]


def test_the_input_tensors_are_those_of_the_seed(tmp_path: Path) -> None:
    def tensor(folder: str, seed: int) -> np.ndarray:
        made = InputStore(tmp_path / folder, {"small": SMALL}, seed).get(CELL)
        with np.load(made.inputs) as tensors:
            found: np.ndarray = tensors[made.graph.inputs[0]]
        return found

    first = tensor("a", 3)
    np.testing.assert_array_equal(tensor("b", 3), first)
    assert not np.array_equal(tensor("c", 4), first)


def test_a_cell_without_a_batch_is_refused(store: InputStore) -> None:
    with pytest.raises(UsageError, match="a cell to be measured needs a batch"):
        store.get(treated(batch=None))


def test_an_onnx_file_is_made_once_for_each_opset(store: InputStore) -> None:
    made = store.get(CELL)
    path = made.onnx(13)
    first = path.stat().st_mtime_ns
    assert onnx.load(str(path)).opset_import[0].version == 13
    assert made.onnx(13) == path
    assert path.stat().st_mtime_ns == first
    other = made.onnx(11)
    assert other != path
    assert onnx.load(str(other)).opset_import[0].version == 11


def test_a_user_s_own_file_is_written_with_its_batch_whatever_the_opset(
    store: InputStore, tmp_path: Path
) -> None:
    own = tmp_path / "own.onnx"
    own.write_bytes(store.get(CELL).onnx(13).read_bytes())
    families = {"own": onnx_family("own", own)}
    made = InputStore(tmp_path / "theirs", families, seed=3).get(replace(CELL, network="own"))
    path = made.onnx(7)
    assert path == made.onnx(13)
    assert path.parent == made.folder
    model = onnx.load(str(path))
    assert model.opset_import[0].version == 13
    assert model.graph.input[0].type.tensor_type.shape.dim[0].dim_value == 1


def test_a_worker_reads_onnx_where_asked_or_where_its_runtime_reads_nothing_else() -> None:
    assert needs_onnx(OnnxRuntime(), CELL)
    assert not needs_onnx(TensorRT(), CELL)
    assert needs_onnx(TensorRT(), treated(source="onnx"))


def test_a_file_is_linked_where_that_can_be_else_copied(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source, folder = tmp_path / "network.json", tmp_path / "job"
    source.write_bytes(b"content")
    folder.mkdir()
    linked = place(source, folder, "a.json")
    assert linked == folder / "a.json"
    assert linked.samefile(source)

    def across_file_systems(*_paths: object) -> None:
        raise OSError(18, "Invalid cross-device link")

    monkeypatch.setattr(os, "link", across_file_systems)
    copied = place(source, folder, "b.json")
    assert copied.read_bytes() == b"content"
    assert not copied.samefile(source)


class Contradicted:
    """A user's network whose file computes something else than what was read of it."""

    def __init__(self, family: NetworkFamily) -> None:
        self._family = family
        self.name = family.name

    def graph(self, batch: int = 1, relu6: str = "clip") -> Graph:
        """Return the graph, its file with one weight changed."""
        graph = self._family.graph(batch=batch, relu6=relu6)
        other = onnx.ModelProto()
        other.CopyFrom(graph.meta["proto"])
        weight = max(other.graph.initializer, key=lambda tensor: int(np.prod(tensor.dims)))
        weight.CopyFrom(onnx.numpy_helper.from_array(onnx.numpy_helper.to_array(weight) + 1.0, weight.name))
        return replace(graph, meta={**graph.meta, "proto": other})


def test_every_cell_of_a_network_in_doubt_is_refused_with_its_name(tmp_path: Path) -> None:
    path = tmp_path / "mine.onnx"
    onnx.save(to_onnx(SMALL.graph(), 13), str(path))
    known = onnx_family("mine", path)
    store = InputStore(tmp_path / "inputs", {"mine": Contradicted(known), "sound": known}, seed=3)
    cell = replace(CELL, network="mine")
    for asked in (cell, replace(cell, version="2.0")):
        with pytest.raises(
            UnsupportedOpError, match=r"^network 'mine': the reference of output '.*' differs"
        ):
            store.get(asked)
    assert store.get(replace(CELL, network="sound")).graph.name == known.graph().name
