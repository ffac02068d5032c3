"""A user's own frozen GraphDef or SavedModel as a network: what TensorFlow wrote, and files made by hand."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.errors import InputError, NetworkTreatmentError, TensorflowModelError
from harness.networks.graph import Graph, OpKind
from harness.networks.graphdef import message
from harness.networks.inputs import probe_inputs
from harness.networks.reference import probe_reference, reference_outputs
from harness.networks.user_tensorflow import TensorflowFamily, tensorflow_family
from tests.runtimes.tensorflow.worker.test_steps import every_kind

WRITTEN = Path(__file__).parents[1] / "data" / "tensorflow"
"""``every_kind`` as TensorFlow 2.21 wrote it, by the worker: GraphDefs of both layouts, and a SavedModel."""


def random(*shape: int) -> np.ndarray:
    return np.random.default_rng(3).standard_normal(shape).astype(np.float32)


def constant(array: np.ndarray) -> Any:
    kinds = {"float32": 1, "int32": 3, "int64": 9}
    made = message("Tensor")(dtype=kinds[array.dtype.name], content=array.tobytes())
    for size in array.shape:
        made.shape.dim.add(size=size)
    return made


class Composed:
    """A GraphDef that is made node by node, as TensorFlow would write it."""

    def __init__(self, *shape: int, dtype: int = 1) -> None:
        self.graph = message("Graph")()
        said = message("Shape")()
        for size in shape:
            said.dim.add(size=size)
        self.node("x", "Placeholder", [], dtype=("type", dtype), shape=("shape", said))

    def node(self, name: str, op: str, inputs: Sequence[str], **attributes: tuple[str, Any]) -> str:
        made = self.graph.node.add(name=name, op=op, input=inputs)
        for key, (kind, value) in attributes.items():
            entry = made.attr.add(key=key).value
            if kind == "list":
                entry.list.i.extend(value)
            elif kind in ("shape", "tensor"):
                getattr(entry, kind).CopyFrom(value)
            else:
                setattr(entry, kind, value)
        return name

    def const(self, name: str, value: Any, kind: str = "float32") -> str:
        tensor = constant(np.ascontiguousarray(value, kind))
        return self.node(name, "Const", [], value=("tensor", tensor))

    def conv(
        self, name: str, source: str, taps: np.ndarray, padding: bytes = b"SAME", stride: int = 1
    ) -> str:
        weights = self.node(f"{name}/read", "Identity", [self.const(f"{name}/w", taps)])
        strides = ("list", [1, stride, stride, 1])
        return self.node(name, "Conv2D", [source, weights], strides=strides, padding=("s", padding))

    def family(self, folder: Path, **said: Any) -> TensorflowFamily:
        path = folder / "own.pb"
        path.write_bytes(self.graph.SerializeToString())
        return tensorflow_family("own", path, **said)


def images(graph: Graph) -> tuple[np.ndarray, np.ndarray]:
    """Return the one input, channels last, and the first output of the reference."""
    inputs = probe_inputs(graph)
    (image,) = inputs.values()
    return image.transpose(0, 2, 3, 1), reference_outputs(graph, inputs)[graph.outputs[0]]


@pytest.mark.parametrize("file", ["kinds-nhwc.pb", "kinds-nchw.pb", "kinds-saved"])
def test_what_tensorflow_wrote_is_the_network_that_it_was_given(file: str) -> None:
    given = every_kind()
    family = tensorflow_family("own", WRITTEN / file)
    family.check()
    graph = family.graph(2, "relu_sub")
    said, found = probe_reference(given), reference_outputs(graph, probe_inputs(given))
    writers = [given.producer(output) for output in given.outputs]
    pairs = {op.name: output for op, output in zip(writers, given.outputs, strict=True) if op is not None}
    assert set(graph.outputs) <= set(pairs)
    assert len(graph.outputs) >= 4
    for name in graph.outputs:
        assert np.array_equal(found[name], said[pairs[name]])
    # TensorFlow has a softmax over the last axis only, and what it adds has names of its own.
    names = {op.name for op in given.ops} - {"h/Softmax"}
    same = [op for op in graph.ops if op.name in names]
    assert len(same) >= len(names) - 1
    for op in same:
        assert (op.kind, op.attributes) == (given.op(op.name).kind, given.op(op.name).attributes)
        for role, key in op.weights.items():
            assert np.array_equal(graph.weights[key], given.weights[given.op(op.name).weights[role]])


def test_signature_says_the_outputs() -> None:
    given = every_kind()
    graph = tensorflow_family("own", WRITTEN / "kinds-saved").graph(2, "relu_sub")
    assert "f/BiasAdd" in graph.outputs  # read by another node, too
    assert len(graph.outputs) == len(given.outputs)


@settings(max_examples=15, deadline=None)
@given(
    stride=st.integers(1, 2),
    size=st.integers(3, 7),
    padding=st.sampled_from([b"SAME", b"VALID"]),
    pieces=st.booleans(),
)
def test_batch_norm_goes_into_the_convolution(
    stride: int, size: int, padding: bytes, pieces: bool, tmp_path_factory: pytest.TempPathFactory
) -> None:
    made = Composed(-1, size, size, 3)
    taps = random(3, 3, 3, 4)
    made.conv("c", "x", taps, padding, stride)
    scale, offset, mean = random(4), random(4) + 1, random(4) - 1
    variance = np.abs(random(4)) + 0.5
    factor = scale / np.sqrt(variance + 1e-3)
    if pieces:
        made.node("m", "Mul", ["c", made.const("f", factor)])
        made.node("y", "AddV2", ["m", made.const("s", offset - mean * factor)])
    else:
        held = [made.const(f"bn{n}", one) for n, one in enumerate((scale, offset, mean, variance))]
        said = {"epsilon": ("f", 1e-3), "is_training": ("b", False)}
        made.node("y", "FusedBatchNormV3", ["c", *held], **said)
    graph = made.family(tmp_path_factory.mktemp("bn")).graph(2)
    (op,) = graph.ops
    assert (op.name, op.kind, op.output) == ("c", OpKind.CONV, "c")
    image, found = images(graph)
    plain = Composed(-1, size, size, 3)
    plain.conv("c", "x", taps, padding, stride)
    _, before = images(plain.family(tmp_path_factory.mktemp("plain")).graph(2))
    wanted = before * factor[:, None, None] + (offset - mean * factor)[:, None, None]
    np.testing.assert_allclose(found, wanted, rtol=1e-4, atol=1e-4)
    assert image.shape == (2, size, size, 3)


def test_nothing_is_folded_into_what_others_read(tmp_path: Path) -> None:
    made = Composed(1, 4, 4, 3)
    made.conv("c", "x", random(1, 1, 3, 3))
    made.node("b", "BiasAdd", ["c", made.const("v", [1.0, 2.0, 3.0])])
    made.node("y", "Add", ["b", "c"])
    graph = made.family(tmp_path).graph()
    assert [op.name for op in graph.ops] == ["c", "b", "y"]
    image, found = images(graph)
    plain = np.einsum("nhwc,ck->nkhw", image, random(1, 1, 3, 3)[0, 0])
    np.testing.assert_allclose(found, 2 * plain + np.array([1, 2, 3])[:, None, None], rtol=1e-4, atol=1e-5)


def test_classifier_of_keras(tmp_path: Path) -> None:
    made = Composed(-1, 7, 7, 3)
    pads = made.const("p/pads", [[0, 0], [0, 1], [0, 1], [0, 0]], "int32")
    made.conv("c", made.node("p", "Pad", ["x", pads]), random(3, 3, 3, 4), b"VALID", 2)
    made.node("r", "Relu6", ["c"])
    made.node("g", "Mean", ["r", made.const("axes", [1, 2], "int32")])
    made.node("m", "MatMul", ["g", made.const("w", random(4, 5))])
    made.node("s", "Softmax", [made.node("b", "BiasAdd", ["m", made.const("v", random(5))])])
    made.node("Identity", "Identity", ["s"])
    graph = made.family(tmp_path).graph(2)
    names = {op.name: op.kind.value for op in graph.ops}
    assert names == {
        "c": "conv", "r": "clip", "g": "global_average_pool", "g/Squeeze": "reshape",
        "m": "matmul", "b": "add_vector", "s": "softmax",
    }  # fmt: skip
    assert graph.op("c").attributes["pads"] == [0, 0, 1, 1]
    assert graph.outputs == ("s",)
    assert graph.shapes["c"] == (2, 4, 3, 3)


@pytest.mark.parametrize("activation", ["Relu", "Sigmoid"])
def test_zeros_around_a_maximum_need_what_is_not_negative(activation: str, tmp_path: Path) -> None:
    made = Composed(1, 4, 4, 2)
    pads = made.const("p/pads", [[0, 0], [1, 1], [1, 1], [0, 0]], "int32")
    made.node("p", "Pad", [made.node("r", activation, ["x"]), pads])
    two = ("list", [1, 2, 2, 1])
    made.node("y", "MaxPool", ["p"], ksize=two, strides=two, padding=("s", b"VALID"))
    if activation == "Relu":
        graph = made.family(tmp_path).graph()
        assert graph.op("y").attributes["pads"] == [1, 1, 1, 1]
        assert graph.shapes["y"] == (1, 2, 3, 3)
    else:
        with pytest.raises(TensorflowModelError, match=r"node 'p' \(Pad\) is not taken in"):
            made.family(tmp_path).graph()


def test_flattened_image_keeps_the_order_of_its_file(tmp_path: Path) -> None:
    made = Composed(-1, 2, 3, 4)
    made.node("n", "Relu", ["x"])
    made.node("y", "Reshape", ["n", made.const("shape", [-1, 24], "int32")])
    image, found = images(made.family(tmp_path).graph(2))
    assert np.array_equal(found, np.maximum(image, 0).reshape(2, 24))


def test_outputs_can_be_named(tmp_path: Path) -> None:
    made = Composed(1, 4)
    made.node("y", "Relu", ["x"])
    made.node("z", "Elu", ["y"])
    with pytest.raises(TensorflowModelError, match=r"node 'z' \(Elu\) has no kind here; name .* --output"):
        made.family(tmp_path).check()
    assert made.family(tmp_path, outputs=["y"]).graph().outputs == ("y",)
    with pytest.raises(TensorflowModelError, match="as an output is named 'w', which no node writes"):
        made.family(tmp_path, outputs=["w"]).check()


def test_open_axes_and_batch(tmp_path: Path) -> None:
    made = Composed(-1, -1, 8, 3)
    made.node("y", "Relu6", ["x"])
    with pytest.raises(TensorflowModelError, match=r"axis 1 of the input 'x' .* --shape x=1xSIZEx8x3"):
        made.family(tmp_path).check()
    graph = made.family(tmp_path, shapes={"x": (1, 6, 8, 3)}).graph()
    assert graph.shapes == {"x": (1, 3, 6, 8), "y": (1, 3, 6, 8)}
    fixed = Composed(4, 8)
    fixed.node("y", "Relu", ["x"])
    family = fixed.family(tmp_path)
    family.check()
    with pytest.raises(NetworkTreatmentError, match="the file fixes a batch of 4, 1 was asked for"):
        family.graph()
    with pytest.raises(NetworkTreatmentError, match="has ReLU6 as clip"):
        family.graph(4, "relu_sub")


def test_digest_does_not_depend_on_the_batch(tmp_path: Path) -> None:
    made = Composed(-1, 5, 5, 2)
    made.conv("c", "x", random(3, 3, 2, 2))
    family = made.family(tmp_path)
    assert family.graph(1).digest == family.graph(8).digest


def bad(kind: str) -> Composed:
    made = Composed(1, 4, 4, 3, dtype=4 if kind == "uint8" else 1)
    if kind == "uint8":
        made.node("y", "Relu", ["x"])
    elif kind == "loop":
        made.node("a", "Add", ["x", "b"])
        made.node("b", "Relu", ["a"])
        made.node("y", "Relu", ["b"])
    elif kind == "twice":
        made.node("y", "Relu", ["x"])
        made.node("y", "Relu", ["x"])
    elif kind == "missing":
        made.node("y", "Relu", ["nobody"])
    elif kind == "weights":
        made.conv("y", "x", random(3, 3, 5, 2))
    elif kind == "variable":
        made.node("w", "VariableV2", [])
        made.node("y", "Conv2D", ["x", "w"])
    elif kind == "training":
        made.node("y", "FusedBatchNorm", ["x", *(made.const(f"v{n}", random(3)) for n in range(4))])
    elif kind == "pad":
        pads = made.const("pads", [[0, 0], [1, 1], [1, 1], [0, 0]], "int32")
        made.node("y", "Relu", [made.node("p", "Pad", ["x", pads])])
    elif kind == "second":
        made.node("y", "Relu", [made.node("a", "Relu", ["x"]) + ":1"])
    elif kind == "empty":
        made.node("y", "Conv2D", [])
    elif kind == "constant":
        made.graph.node.add(name="c", op="Const").attr.add(key="value").value.tensor.dtype = 7
        made.node("y", "Add", ["x", "c"])
    return made


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("uint8", "the input 'x' is of TensorFlow's type 4, expected float32"),
        ("loop", "waits for itself"),
        ("twice", "two nodes are called 'y'"),
        ("missing", r"node 'y' \(Relu\) reads 'nobody', which no node writes"),
        ("weights", r"node 'y' \(Conv2D\): weights of shape \(3, 3, 5, 2\) do not fit 3 channels"),
        ("variable", r"node 'w' \(VariableV2\) is a variable: freeze"),
        ("training", r"node 'y' \(FusedBatchNorm\): computes statistics as in a training"),
        ("pad", r"node 'p' \(Pad\) is not taken in"),
        ("second", r"node 'y' \(Relu\) reads 'a:1', a second output"),
        ("empty", "no input is found"),
        ("constant", r"node 'c' \(Const\): a constant of TensorFlow's type 7 is not read"),
        ("none", "no output is found"),
    ],
)
def test_what_cannot_be_measured_is_said_with_its_node(kind: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(TensorflowModelError, match=said):
        bad(kind).family(tmp_path).check()


def test_folders_that_are_no_frozen_model(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"holds no saved_model.pb"):
        tensorflow_family("own", tmp_path).check()
    folder = shutil.copytree(WRITTEN / "kinds-saved", tmp_path / "saved")
    (folder / "variables").mkdir(exist_ok=True)
    (folder / "variables" / "variables.index").write_bytes(b"")
    with pytest.raises(TensorflowModelError, match="holds variables: freeze the model"):
        tensorflow_family("own", folder).check()


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_torn_and_altered_files_end_in_one_line(
    data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    whole = bytearray(_SMALL.graph.SerializeToString())
    end = data.draw(st.integers(0, len(whole)))
    for place in data.draw(st.lists(st.integers(0, len(whole) - 1), max_size=4)):
        whole[place] = data.draw(st.integers(0, 255))
    path = tmp_path_factory.getbasetemp() / "torn.pb"
    path.write_bytes(whole[:end] if data.draw(st.booleans()) else whole)
    with suppress(InputError, NetworkTreatmentError):
        tensorflow_family("own", path).graph()  # anything else is a traceback at the user's


def _small() -> Composed:
    made = Composed(-1, 6, 6, 2)
    made.conv("c", "x", random(3, 3, 2, 2), stride=2)
    made.node("b", "BiasAdd", ["c", made.const("v", random(2))])
    made.node("g", "AvgPool", ["b"], ksize=("list", [1, 3, 3, 1]), padding=("s", b"VALID"))
    made.node("y", "Reshape", ["g", made.const("shape", [-1, 2], "int32")])
    return made


_SMALL = _small()
