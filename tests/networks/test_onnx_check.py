"""Training leftovers in ONNX files, an open batch, and a second opinion on the reference."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from harness.errors import TrtmatrixError
from harness.networks.inputs import probe_inputs
from harness.networks.onnx_check import doubt_of
from harness.networks.reference import reference_outputs
from harness.networks.user_onnx import onnx_family

CHANNELS = 4


def model(
    opset: int, batch: int | str = "N", *, nodes: list[onnx.NodeProto] | None = None
) -> onnx.ModelProto:
    """A convolution, a BatchNormalization and a Relu, or other *nodes* from ``x`` to ``y``."""
    draw = np.random.default_rng(5)
    weights = {
        "kernel": draw.normal(0, 0.3, (CHANNELS, 3, 3, 3)),
        "scale": [1.3, 0.7, 1.8, 1.2],
        "shift": [0.1, -0.2, 0.4, 0.0],
        "mean": [0.5, -0.6, 0.4, 0.9],
        "variance": [2.0, 0.5, 1.7, 0.9],
    }
    made = nodes or [
        helper.make_node("Conv", ["x", "kernel"], ["mixed"], name="stem", pads=[1, 1, 1, 1]),
        helper.make_node(
            "BatchNormalization", ["mixed", "scale", "shift", "mean", "variance"], ["even"], name="norm"
        ),
        helper.make_node("Relu", ["even"], ["y"], name="act"),
    ]
    sides = [
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, [batch, channels, 8, 8])]
        for name, channels in (("x", 3), ("y", CHANNELS))
    ]
    constants = [numpy_helper.from_array(np.asarray(v, np.float32), k) for k, v in weights.items()]
    read = {name for node in made for name in node.input}
    kept = [constant for constant in constants if constant.name in read]
    graph = helper.make_graph(made, "net", *sides, kept)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=8)


def expected(path: Path, inputs: dict[str, np.ndarray]) -> np.ndarray:
    """What onnxruntime's CPU provider makes of the file."""
    onnxruntime = pytest.importorskip("onnxruntime")
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    return np.asarray(session.run(None, inputs)[0])


@pytest.mark.parametrize("opset", [7, 8, 9, 11, 13, 14, 15])
def test_a_batch_normalization_of_any_opset_is_one_of_inference(opset: int, tmp_path: Path) -> None:
    path = tmp_path / "net.onnx"
    onnx.save(model(opset), path)
    graph = onnx_family("net", path).graph(batch=2)
    inputs = probe_inputs(graph, 1)
    (found,) = reference_outputs(graph, inputs).values()
    np.testing.assert_allclose(found, expected(path, inputs), rtol=1e-4, atol=1e-5)
    assert doubt_of(graph, inputs, reference_outputs(graph, inputs)) == ""


@pytest.mark.parametrize("opset", [7, 10, 12, 13])
def test_a_dropout_passes_its_input_on(opset: int, tmp_path: Path) -> None:
    inputs = ["mixed"] if opset < 12 else ["mixed", "ratio", "training"]
    nodes = [
        helper.make_node("Conv", ["x", "kernel"], ["mixed"], name="stem", pads=[1, 1, 1, 1]),
        helper.make_node("Dropout", inputs, ["y", "mask"], name="drop"),
    ]
    made = model(opset, nodes=nodes)
    made.graph.initializer.append(numpy_helper.from_array(np.float32(0.9), "ratio"))
    made.graph.initializer.append(numpy_helper.from_array(np.array(True), "training"))
    path = tmp_path / "net.onnx"
    onnx.save(made, path)
    graph = onnx_family("net", path).graph(batch=1)
    (found,) = reference_outputs(graph, probe_inputs(graph, 1)).values()
    assert np.count_nonzero(found) == found.size


@pytest.mark.parametrize("batch", [-1, 0, "N"])
def test_an_open_batch_however_it_is_written(batch: int | str, tmp_path: Path) -> None:
    path = tmp_path / "net.onnx"
    onnx.save(model(15, batch), path)
    assert onnx_family("net", path).graph(batch=3).shapes["x"] == (3, 3, 8, 8)


def test_a_reference_that_another_runtime_contradicts_is_in_doubt(tmp_path: Path) -> None:
    pytest.importorskip("onnxruntime")
    path = tmp_path / "net.onnx"
    onnx.save(model(15), path)
    graph = onnx_family("net", path).graph(batch=1)
    inputs = probe_inputs(graph, 1)
    wrong = {name: array * 1.01 for name, array in reference_outputs(graph, inputs).items()}
    assert "differs from onnxruntime's CPU provider by 0.0099" in doubt_of(graph, inputs, wrong)
    assert "has shape" in doubt_of(graph, inputs, {"y": np.zeros((1, 2), np.float32)})


def test_inputs_of_half_precision_are_refused_in_one_line(tmp_path: Path) -> None:
    made = model(15)
    made.graph.input[0].type.tensor_type.elem_type = TensorProto.FLOAT16
    path = tmp_path / "net.onnx"
    path.write_bytes(made.SerializeToString())
    with pytest.raises(TrtmatrixError) as caught:
        onnx_family("net", path).graph()
    assert "\n" not in str(caught.value)
    assert "FLOAT16, expected FLOAT; export the network in FP32" in str(caught.value)
