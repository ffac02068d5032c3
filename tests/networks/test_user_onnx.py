"""A user's own ONNX file as a network: classification, batch, reference, and files that cannot be used."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper, parser

from harness.errors import InputError, UsageError
from harness.networks.accounting import op_costs, total
from harness.networks.bounds import UNIT_ROUNDOFF, check_outputs, error_bound
from harness.networks.emulation import PRECISIONS
from harness.networks.graph import Graph, OpClass, OpKind, op_class
from harness.networks.inputs import probe_inputs
from harness.networks.mobilenet import MobileNetV1, MobileNetV2
from harness.networks.onnx_export import to_onnx
from harness.networks.package import read_structure, write_package
from harness.networks.reference import probe_reference
from harness.networks.user_onnx import OnnxFamily, onnx_family, write_own_onnx

SMALL = MobileNetV2(width=0.25, resolution=32, classes=11)


def save(tmp_path: Path, text: str, **weights: np.ndarray) -> OnnxFamily:
    """Write a model from ONNX's own textual form and return its family."""
    model = parser.parse_model(text)
    model.graph.initializer.extend(numpy_helper.from_array(array, key) for key, array in weights.items())
    path = tmp_path / "own.onnx"
    path.write_bytes(model.SerializeToString())
    return onnx_family("own", path)


def header(opset: int = 13) -> str:
    return f'<ir_version: 7, opset_import: ["" : {opset}]>'


def random(*shape: int) -> np.ndarray:
    return np.random.default_rng(5).standard_normal(shape).astype(np.float32)


def kinds(graph: Graph) -> dict[str, OpKind]:
    return {op.name: op.kind for op in graph.ops}


def assert_runs_the_same(graph: Graph) -> None:
    """The graph's own reference must agree with onnxruntime on the user's file."""
    session = onnxruntime.InferenceSession(str(graph.meta["onnx"]), providers=["CPUExecutionProvider"])
    found = session.run(list(graph.outputs), probe_inputs(graph))
    for name, array in zip(graph.outputs, found, strict=True):
        np.testing.assert_allclose(array, probe_reference(graph)[name], rtol=1e-3, atol=1e-4)


def write_onnx(graph: Graph, path: Path, opset: int = 13) -> Path:
    """Write our own export of *graph* as a user's file would lie there."""
    path.write_bytes(to_onnx(graph, opset).SerializeToString())
    return path


@pytest.mark.parametrize("opset", [7, 10, 13, 20])
@pytest.mark.parametrize("relu6", ["clip", "relu_sub"])
@pytest.mark.parametrize("family", [SMALL, MobileNetV1(width=0.25, resolution=32, classes=11)])
def test_our_own_export_is_recognized(
    family: MobileNetV1 | MobileNetV2, relu6: str, opset: int, tmp_path: Path
) -> None:
    built_in = family.graph(batch=2, relu6=relu6)
    graph = onnx_family("own", write_onnx(built_in, tmp_path / "own.onnx", opset)).graph(2, relu6)
    assert kinds(graph) == kinds(built_in)
    assert graph.shapes == built_in.shapes
    assert [op_class(op) for op in graph.ops] == [op_class(op) for op in built_in.ops]
    assert [dict(op.attributes) for op in graph.ops] == [dict(op.attributes) for op in built_in.ops]
    assert total(op_costs(graph).values()) == total(op_costs(built_in).values())
    assert graph.digest == built_in.digest
    assert graph.meta["other"] == {}
    assert np.array_equal(probe_reference(graph)["logits"], probe_reference(built_in)["logits"])


def test_symbolic_batch_is_set(tmp_path: Path) -> None:
    model = to_onnx(SMALL.graph())
    model.graph.input[0].type.tensor_type.shape.dim[0].dim_param = "N"
    model.graph.output[0].type.tensor_type.shape.dim[0].dim_param = "N"
    path = tmp_path / "own.onnx"
    path.write_bytes(model.SerializeToString())
    family = onnx_family("own", path)
    one, four = family.graph(), family.graph(batch=4)
    assert one.shapes["logits"] == (1, 11, 1, 1)
    assert four.shapes["logits"] == (4, 11, 1, 1)
    assert one.digest == four.digest
    assert_runs_the_same(four)
    fixed = onnx.load(write_own_onnx(four, tmp_path / "fixed.onnx"))
    onnx.checker.check_model(fixed, full_check=True)
    assert fixed.graph.input[0].type.tensor_type.shape.dim[0].dim_value == 4


def test_fixed_batch_is_kept(tmp_path: Path) -> None:
    family = onnx_family("own", write_onnx(SMALL.graph(), tmp_path / "own.onnx"))
    with pytest.raises(UsageError, match="'own': the file fixes the batch at 1, 8 was asked for"):
        family.graph(batch=8)
    with pytest.raises(UsageError, match="a batch of 0"):
        family.graph(batch=0)


def test_other_form_of_relu6_is_refused(tmp_path: Path) -> None:
    family = onnx_family("own", write_onnx(SMALL.graph(), tmp_path / "own.onnx"))
    with pytest.raises(UsageError, match="has ReLU6 as clip, relu_sub was asked for"):
        family.graph(relu6="relu_sub")


def test_package_and_bounds(tmp_path: Path) -> None:
    graph = onnx_family("own", write_onnx(SMALL.graph(), tmp_path / "own.onnx")).graph()
    network, _ = write_package(graph, tmp_path)
    assert read_structure(network).ops == graph.ops
    reference = probe_reference(graph)
    assert check_outputs(reference, reference, error_bound(graph, "fp16")).valid


CLASSIFIER = (
    header()
    + """
classifier (float[N, 4, 8, 8] x) => (float[N, 5] y) {
    shape = Shape(x)
    index = Constant <value = int64[1] {0}> ()
    n = Gather(shape, index)
    rest = Constant <value = int64[1] {-1}> ()
    target = Concat <axis = 0> (n, rest)
    a = Conv <pads = [1, 1, 1, 1], group = 4> (x, kernel)
    zero = Constant <value = float {0.0}> ()
    six = Constant <value = float {6.0}> ()
    b = Max(a, zero)
    c = Min(six, b)
    d = ReduceMean <axes = [2, 3]> (c)
    e = Reshape(d, target)
    f = Dropout(e)
    y = Gemm <transB = 1> (f, matrix, bias)
}"""
)


def test_classifier_as_exporters_write_it(tmp_path: Path) -> None:
    family = save(tmp_path, CLASSIFIER, kernel=random(4, 1, 3, 3), matrix=random(5, 4), bias=random(5))
    graph = family.graph(batch=3)
    assert kinds(graph) == {
        "a": OpKind.CONV,
        "b": OpKind.RELU,
        "c": OpKind.CLIP,
        "d": OpKind.GLOBAL_AVERAGE_POOL,
        "e": OpKind.RESHAPE,
        "f": OpKind.RESHAPE,
        "y": OpKind.MATMUL,
        "y/bias": OpKind.ADD_VECTOR,
    }
    assert op_class(graph.op("a")) is OpClass.DEPTHWISE
    assert graph.op("c").attributes["maximum"] == 6.0
    assert graph.op("e").attributes["shape"] == [0, 4]
    assert graph.meta["other"] == {}
    assert_runs_the_same(graph)


FOREIGN = (
    header()
    + """
foreign (float[N, 6, 8, 8] x) => (float[N, 6, 8, 8] y, float[N, 4, 8, 8] z) {
    a = HardSigmoid(x)
    b = Mul(a, x)
    sizes = Constant <value = int64[2] {2, 4}> ()
    c, d = Split <axis = 1> (b, sizes)
    e = Concat <axis = 1> (d, c)
    y = Add(e, scale)
    z = Identity(d)
}"""
)


def test_unknown_ops_are_counted_and_computed(tmp_path: Path) -> None:
    graph = save(tmp_path, FOREIGN, scale=random(1, 6, 1, 1)).graph(batch=2)
    assert graph.meta["other"] == {"Add": 1, "HardSigmoid": 1, "Mul": 1, "Split": 1}
    assert kinds(graph)["c"] is OpKind.OTHER
    assert kinds(graph)["c:1"] is OpKind.OTHER
    assert graph.op("a").attributes["op_type"] == "HardSigmoid"
    assert op_class(graph.op("a")) is OpClass.OTHER
    assert total(op_costs(graph).values()).unknown == 5
    assert_runs_the_same(graph)
    for precision in PRECISIONS:
        assert UNIT_ROUNDOFF[precision] < error_bound(graph, precision).value < 0.5


def test_digest_sees_the_constants_of_unknown_ops(tmp_path: Path) -> None:
    first = save(tmp_path, FOREIGN, scale=random(1, 6, 1, 1)).graph().digest
    second = save(tmp_path, FOREIGN, scale=random(1, 6, 1, 1) + 1).graph().digest
    assert first != second
    assert save(tmp_path, FOREIGN, scale=random(1, 6, 1, 1)).graph(batch=2).digest == first
    other_attribute = FOREIGN.replace("HardSigmoid(x)", "HardSigmoid <alpha = 0.3> (x)")
    assert save(tmp_path, other_attribute, scale=random(1, 6, 1, 1)).graph().digest != first


VARIANTS = [
    ('Conv <auto_pad = "SAME_UPPER", strides = [2, 2]> (x, kernel)', OpKind.CONV),
    ('Conv <auto_pad = "SAME_LOWER", strides = [2, 2]> (x, kernel)', OpKind.CONV),
    ('Conv <auto_pad = "VALID"> (x, kernel)', OpKind.CONV),
    ("Conv <dilations = [2, 2], pads = [1, 2, 3, 0]> (x, kernel)", OpKind.CONV),
    ("Clip(x)", OpKind.CLIP),
    ("Clip(x, zero)", OpKind.RELU),
    ("Clip(x, , six)", OpKind.CLIP),
    ("Relu(x)", OpKind.RELU),
    ("Max(zero, x)", OpKind.RELU),
    ("Min(x, six)", OpKind.CLIP),
    ("Add(x, six)", OpKind.SHIFT),
    ("Sub(x, six)", OpKind.SHIFT),
    ("Sub(six, x)", OpKind.OTHER),
    ("Add(x, x)", OpKind.ADD),
    ("Sub(x, x)", OpKind.SUB),
    ("Max(x, plane)", OpKind.OTHER),
    ("Mul(x, six)", OpKind.OTHER),
    ("AveragePool <kernel_shape = [3, 3], pads = [1, 1, 1, 1], strides = [2, 2]> (x)", OpKind.AVERAGE_POOL),
    ("AveragePool <kernel_shape = [3, 3], pads = [1, 1, 1, 1], count_include_pad = 1> (x)", OpKind.OTHER),
    ("AveragePool <kernel_shape = [2, 2], count_include_pad = 1> (x)", OpKind.AVERAGE_POOL),
    ('MaxPool <kernel_shape = [3, 3], auto_pad = "SAME_UPPER", strides = [2, 2]> (x)', OpKind.MAX_POOL),
    ("MaxPool <kernel_shape = [3, 3], strides = [2, 2], ceil_mode = 1> (x)", OpKind.OTHER),
    ("GlobalAveragePool(x)", OpKind.GLOBAL_AVERAGE_POOL),
    ("ReduceMean <axes = [-1, -2]> (x)", OpKind.GLOBAL_AVERAGE_POOL),
    ("ReduceMean <axes = [2, 3], keepdims = 0> (x)", OpKind.OTHER),
    ("ReduceMean <axes = [1]> (x)", OpKind.OTHER),
    ("Concat <axis = -3> (x, x)", OpKind.CONCAT),
    ("Concat <axis = 2> (x, x)", OpKind.OTHER),
    ("Sigmoid(x)", OpKind.SIGMOID),
    ("Softmax <axis = 1> (x)", OpKind.SOFTMAX),
    ("Softmax(x)", OpKind.OTHER),
    ("Transpose <perm = [0, 2, 3, 1]> (x)", OpKind.TRANSPOSE),
    ("Flatten(x)", OpKind.RESHAPE),
    ("MatMul(x, square)", OpKind.OTHER),
]


@pytest.mark.parametrize(("call", "kind"), VARIANTS)
def test_variants(call: str, kind: OpKind, tmp_path: Path) -> None:
    """Each is recognized for what it is, and computes what onnxruntime computes."""
    rank = 2 if "Flatten" in call else 3 if "keepdims = 0" in call and "[2, 3]" in call else 4
    axes = ", ".join("ABCD"[:rank]).replace("A", "N")
    if "keepdims = 0" in call:
        axes = "N, B"
    text = f"{header()}\nvariant (float[N, 4, 8, 8] x) => (float[{axes}] y) {{ y = {call} }}"
    graph = save(
        tmp_path,
        text,
        kernel=random(6, 4, 3, 3),
        zero=np.float32(0),
        six=np.float32(6),
        plane=random(8, 8),
        square=random(8, 8),
    ).graph(batch=2)
    assert graph.op("y").kind is kind
    assert_runs_the_same(graph)


PIECES = (
    header(9)
    + """
pieces (float[N, 4] x) => (float[N, 4] y) {
    a = Relu(x)
    b = Sub(x, six)
    c = Relu(b)
    y = Sub(a, c)
}"""
)


def test_relu6_in_pieces_is_detected(tmp_path: Path) -> None:
    family = save(tmp_path, PIECES, six=np.float32(6))
    assert family.graph(relu6="relu_sub").relu6 == "relu_sub"
    with pytest.raises(UsageError, match="has ReLU6 as relu_sub, clip was asked for"):
        family.graph()
    assert save(tmp_path, PIECES, six=np.float32(5)).graph().relu6 == "clip"


@pytest.mark.parametrize("opset", [9, 13])
def test_dense_layers(opset: int, tmp_path: Path) -> None:
    text = (
        header(opset)
        + """
    dense (float[N, 4] x) => (float[N, 3] y) {
        a = MatMul(x, matrix)
        b = Add(vector, a)
        y = Softmax <axis = 1> (b)
    }"""
    )
    graph = save(tmp_path, text, matrix=random(4, 3), vector=random(3)).graph(batch=2)
    assert list(kinds(graph).values()) == [OpKind.MATMUL, OpKind.ADD_VECTOR, OpKind.SOFTMAX]
    assert total(op_costs(graph).values()).multiply_adds == 2 * 12
    assert_runs_the_same(graph)


def test_dequantized_weights_are_weights(tmp_path: Path) -> None:
    text = (
        header()
        + """
    quantized (float[N, 4, 8, 8] x) => (float[N, 6, 8, 8] y) {
        kernel = DequantizeLinear(stored, step)
        y = Conv(x, kernel)
    }"""
    )
    stored = np.random.default_rng(1).integers(-128, 127, (6, 4, 1, 1)).astype(np.int8)
    graph = save(tmp_path, text, stored=stored, step=np.float32(0.1)).graph()
    assert kinds(graph) == {"y": OpKind.CONV}
    np.testing.assert_allclose(graph.weights["kernel"], stored * np.float32(0.1))


def test_unnamed_and_repeated_names(tmp_path: Path) -> None:
    value = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, 4]) for name in ("x", "z")]
    nodes = [
        helper.make_node("Relu", ["x"], ["y"], name="same"),
        helper.make_node("Relu", ["y"], ["z"], name="same"),
    ]
    model = helper.make_model(helper.make_graph(nodes, "g", value[:1], value[1:]), ir_version=7)
    (tmp_path / "own.onnx").write_bytes(model.SerializeToString())
    assert list(kinds(onnx_family("own", tmp_path / "own.onnx").graph())) == ["y", "z"]


def test_external_weights(tmp_path: Path) -> None:
    path = tmp_path / "own.onnx"
    onnx.save(to_onnx(SMALL.graph()), path, save_as_external_data=True, location="own.bin", size_threshold=0)
    assert (tmp_path / "own.bin").exists()
    graph = onnx_family("own", path).graph()
    assert graph.digest == SMALL.graph().digest
    alone = write_own_onnx(graph, tmp_path / "alone.onnx")
    (tmp_path / "own.bin").unlink()
    assert onnx_family("own", alone).graph().digest == graph.digest
    with pytest.raises(InputError, match=r"own\.onnx"):
        onnx_family("own", path).graph()


@pytest.mark.parametrize("content", [b"", b"not a model", b"\x00" * 100, b"\xff" * 100])
def test_no_model(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "own.onnx"
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"own\.onnx: not a") as caught:
        onnx_family("own", path).graph()
    assert "\n" not in str(caught.value)


def test_missing_file(tmp_path: Path) -> None:
    family = onnx_family("own", tmp_path / "none.onnx")
    assert family.description == "ONNX file none.onnx"
    with pytest.raises(InputError, match=r"none\.onnx: cannot be read: No such file"):
        family.graph()


def test_cut_file(tmp_path: Path) -> None:
    whole = to_onnx(SMALL.graph()).SerializeToString()
    path = tmp_path / "own.onnx"
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(InputError, match="not a"):
        onnx_family("own", path).graph()


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (
            "g (float[N, C] x) => (float[N, C] y) { y = Relu(x) }",
            r"axis 1 \('C'\) of the input 'x' has no size",
        ),
        ("g (int64[N, 4] x) => (int64[N, 4] y) { y = Neg(x) }", "the input 'x' is of type INT64"),
        ("g (float[N, 4] x) => (float[N, 5] y) { y = MatMul(x, w) }", "shapes cannot be inferred"),
        ("g (float[N, 4] x) => (float[N, 4] y) { y = Wonder(x) }", "not a valid ONNX model"),
        ("g (float[N, 4] x) => (float[3] y) { y = Relu(w) }", "'y' does not depend on any input"),
        (
            "g (float[N, 4] x) => (float[N, 4] y) { a = RandomNormalLike(x) y = Add(a, x) }",
            "draws random numbers",
        ),
        ("g (float[N, 4] x) => (int64[A, B] y) { y = NonZero(x) }", "the shape of 'y' .* stays unknown"),
    ],
)
def test_models_that_cannot_be_used(text: str, problem: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=problem) as caught:
        save(tmp_path, f"{header()}\n{text}", w=random(3)).graph(batch=2)
    assert "\n" not in str(caught.value)


def test_batch_that_is_lost_on_the_way(tmp_path: Path) -> None:
    text = f"{header()}\ng (float[N, 4] x) => (float[A, B] y) {{ y = Reshape(x, target) }}"
    family = save(tmp_path, text, target=np.array([1, -1], np.int64))
    assert family.graph().shapes["y"] == (1, 4)
    with pytest.raises(UsageError, match=r"output 'y' has shape \(1, 8\) at batch 2"):
        family.graph(batch=2)


def test_own_file_of_a_built_in_network(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="does not come from an ONNX file"):
        write_own_onnx(SMALL.graph(), tmp_path / "own.onnx")
