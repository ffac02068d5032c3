"""ONNX files whose inputs are open, several, old, new, of half precision or beside their weights."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from onnx import TensorProto, helper, numpy_helper

from harness.errors import BadOptionError, NetworkTreatmentError, OnnxModelError, TrtmatrixError, UsageError
from harness.networks.graph import Graph
from harness.networks.input_shapes import check_names, printed, read_shapes
from harness.networks.inputs import probe_inputs
from harness.networks.onnx_check import doubt_of
from harness.networks.reference import probe_reference, reference_outputs
from harness.networks.user_onnx import onnx_family

WEIGHTS = np.random.default_rng(3).standard_normal((4, 3, 3, 3)).astype(np.float32) * 0.3


def segmenter(path: Path, *, kind: int = TensorProto.FLOAT, ir: int = 8) -> onnx.ModelProto:
    """An image and a mask of open height and width, two outputs: what a segmenter looks like."""
    sizes = ["N", 3, "H", "W"]
    nodes = [
        helper.make_node("Conv", ["image", "w"], ["features"], name="conv", pads=[1, 1, 1, 1]),
        helper.make_node("Relu", ["features"], ["active"], name="relu"),
        helper.make_node("Mul", ["active", "mask"], ["masked"], name="weigh"),
        helper.make_node("GlobalAveragePool", ["active"], ["pooled"], name="pool"),
    ]
    graph = helper.make_graph(
        nodes,
        "segmenter",
        [
            helper.make_tensor_value_info("image", kind, sizes),
            helper.make_tensor_value_info("mask", kind, ["N", 1, "H", "W"]),
        ],
        [
            helper.make_tensor_value_info("masked", kind, ["N", 4, "H", "W"]),
            helper.make_tensor_value_info("pooled", kind, ["N", 4, 1, 1]),
        ],
        [numpy_helper.from_array(WEIGHTS.astype(helper.tensor_dtype_to_np_dtype(kind)), "w")],
    )
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=ir)
    path.write_bytes(made.SerializeToString())
    return made


def agrees_with_onnxruntime(graph: Graph) -> bool:
    """Say whether onnxruntime, asked for the user's own file, gives what the reference gives."""
    runtime = pytest.importorskip("onnxruntime")
    session = runtime.InferenceSession(str(graph.meta["onnx"]), providers=["CPUExecutionProvider"])
    inputs = probe_inputs(graph)
    found = dict(zip(graph.outputs, session.run(list(graph.outputs), inputs), strict=True))
    assert doubt_of(graph, inputs, reference_outputs(graph, inputs)) == ""
    return all(
        np.allclose(found[name], array, rtol=1e-3, atol=1e-4)
        for name, array in probe_reference(graph).items()
    )


@pytest.mark.parametrize(("batch", "size"), [(1, 8), (2, 12)])
def test_open_axes_of_several_inputs_are_settled(batch: int, size: int, tmp_path: Path) -> None:
    segmenter(tmp_path / "net.onnx")
    shapes = read_shapes([f"image={batch}x3x{size}x{size}", f"mask={batch}x1x{size}x{size}"])
    family = onnx_family("net", tmp_path / "net.onnx", shapes)
    family.check()
    graph = family.graph(batch)
    assert graph.shapes["image"] == (batch, 3, size, size)
    assert graph.shapes["masked"] == (batch, 4, size, size)
    assert graph.inputs == ("image", "mask")
    assert graph.outputs == ("masked", "pooled")
    assert agrees_with_onnxruntime(graph)


def test_an_open_axis_without_a_shape_says_how_to_give_one(tmp_path: Path) -> None:
    segmenter(tmp_path / "net.onnx")
    with pytest.raises(OnnxModelError, match="the batch may vary: give it with --shape image=1x3xSIZEx"):
        onnx_family("net", tmp_path / "net.onnx").graph()


@pytest.mark.parametrize(
    ("shape", "problem"),
    [
        ("image=1x3x8", "net.onnx has 'image' as Nx3xHxW: 4 sizes are needed"),
        ("image=1x4x8x8", "net.onnx has 'image' as Nx3xHxW: axis 1 is fixed at 3"),
    ],
)
def test_a_shape_that_an_input_cannot_have(shape: str, problem: str, tmp_path: Path) -> None:
    segmenter(tmp_path / "net.onnx")
    with pytest.raises(BadOptionError) as caught:
        onnx_family("net", tmp_path / "net.onnx", read_shapes([shape])).check()
    assert str(caught.value) == f"--shape {shape}: {problem}"


def test_a_name_that_no_file_has_is_answered_with_those_they_have(tmp_path: Path) -> None:
    segmenter(tmp_path / "net.onnx")
    family = onnx_family("net", tmp_path / "net.onnx")
    with pytest.raises(BadOptionError) as caught:
        check_names(read_shapes(["img=1x3x8x8"]), {family.file: family.inputs})
    assert str(caught.value) == (
        "--shape img=1x3x8x8: no input is called 'img': net.onnx has image Nx3xHxW, mask Nx1xHxW"
    )


def test_the_treatment_sets_the_batch(tmp_path: Path) -> None:
    segmenter(tmp_path / "net.onnx")
    family = onnx_family("net", tmp_path / "net.onnx", read_shapes(["image=1x3x8x8", "mask=1x1x8x8"]))
    with pytest.raises(NetworkTreatmentError, match="--shape gives 'image' a batch of 1, 2 was asked for"):
        family.graph(2)


@pytest.mark.parametrize(
    "value", ["", "x", "x=", "=1x2", "x=1x0", "x=1x-2", "x=1X2", "x=1,2", "x=1x2.5", "x=" + "9" * 20]
)
def test_values_that_are_no_shape(value: str) -> None:
    with pytest.raises(BadOptionError, match=r"--shape .*expected NAME=SIZES") as caught:
        read_shapes([value])
    assert "\n" not in str(caught.value)


def test_a_shape_given_twice() -> None:
    with pytest.raises(BadOptionError, match="'x' was given a shape before"):
        read_shapes(["x=1x2", "x=1x2"])


@given(st.text(min_size=1), st.lists(st.integers(1, 999_999_999), min_size=1))
def test_a_printed_shape_is_read_back(name: str, sizes: list[int]) -> None:
    assert read_shapes([f"{name}={printed(sizes)}"]) == {name: tuple(sizes)}


SHAPES = {"image": (1, 3, 8, 8), "mask": (1, 1, 8, 8)}


@pytest.mark.parametrize("ir", [4, 7, 10])
def test_versions_of_the_format_that_are_read(ir: int, tmp_path: Path) -> None:
    segmenter(tmp_path / "net.onnx", ir=ir)
    assert agrees_with_onnxruntime(onnx_family("net", tmp_path / "net.onnx", SHAPES).graph())


@pytest.mark.parametrize(("ir", "problem"), [(999, "ir_version 999"), (1, "not a valid ONNX model")])
def test_versions_of_the_format_that_are_not(ir: int, problem: str, tmp_path: Path) -> None:
    segmenter(tmp_path / "net.onnx", ir=ir)
    with pytest.raises(TrtmatrixError, match=problem) as caught:
        onnx_family("net", tmp_path / "net.onnx", SHAPES).graph()
    assert "\n" not in str(caught.value)


def test_inputs_of_half_precision_are_one_line(tmp_path: Path) -> None:
    segmenter(tmp_path / "net.onnx", kind=TensorProto.FLOAT16)
    with pytest.raises(OnnxModelError, match="'image' is of type FLOAT16, expected FLOAT") as caught:
        onnx_family("net", tmp_path / "net.onnx", SHAPES).graph()
    assert "\n" not in str(caught.value)


def test_weights_beside_the_file(tmp_path: Path) -> None:
    made = segmenter(tmp_path / "whole.onnx")
    onnx.save(made, tmp_path / "net.onnx", save_as_external_data=True, location="w.bin", size_threshold=0)
    assert agrees_with_onnxruntime(onnx_family("net", tmp_path / "net.onnx", SHAPES).graph())
    (tmp_path / "w.bin").unlink()
    with pytest.raises(TrtmatrixError, match=r"w\.bin") as caught:
        onnx_family("net", tmp_path / "net.onnx", SHAPES).graph()
    assert "\n" not in str(caught.value)


def test_an_op_that_no_reference_knows_is_one_line(tmp_path: Path) -> None:
    made = segmenter(tmp_path / "net.onnx")
    made.graph.node[1].op_type, made.graph.node[1].domain = "Glow", "com.example"
    made.opset_import.append(helper.make_opsetid("com.example", 1))
    made.graph.value_info.append(
        helper.make_tensor_value_info("active", TensorProto.FLOAT, ["N", 4, "H", "W"])
    )
    (tmp_path / "net.onnx").write_bytes(made.SerializeToString())
    with pytest.raises((UsageError, OnnxModelError), match=r"Glow|stays unknown") as caught:
        probe_reference(onnx_family("net", tmp_path / "net.onnx", SHAPES).graph())
    assert "\n" not in str(caught.value)
