"""Networks drawn by hypothesis, as ONNX: chains with branches, sums, concatenations and convolutions."""

from __future__ import annotations

import numpy as np
import onnx
from hypothesis import strategies as st
from onnx import TensorProto, helper, numpy_helper

KINDS = ("Conv", "Depthwise", "Clip", "Relu", "Add", "Concat")
SIDE = 4


@st.composite
def networks(draw: st.DrawFn) -> onnx.ModelProto:
    """A network of 2 to 9 nodes with random weights; each node reads tensors that stand before it."""
    draws = np.random.default_rng(draw(st.integers(0, 2**16)))
    channels, nodes, weights = {"x": 3}, list[onnx.NodeProto](), list[onnx.TensorProto]()

    def weight(name: str, *shape: int) -> str:
        array = draws.standard_normal(shape).astype(np.float32)
        weights.append(numpy_helper.from_array(array, name))
        return name

    limits = [weight("low"), weight("high")]
    for number in range(draw(st.integers(2, 9))):
        kind = draw(st.sampled_from(KINDS))
        first = draw(st.sampled_from(sorted(channels)))
        own, out, name = channels[first], f"t{number}", f"n{number}"
        if kind in ("Conv", "Depthwise"):
            groups, made = (own, own) if kind == "Depthwise" else (1, draw(st.integers(1, 4)))
            kernel = weight(f"{name}/w", made, own // groups, *((3, 3) if groups > 1 else (1, 1)))
            pads = [1, 1, 1, 1] if groups > 1 else [0, 0, 0, 0]
            nodes.append(
                helper.make_node(
                    "Conv", [first, kernel, weight(f"{name}/b", made)], [out], name, pads=pads, group=groups
                )
            )
        elif kind in ("Add", "Concat"):
            fit = [t for t, c in channels.items() if kind == "Concat" or c == own]
            second = draw(st.sampled_from(sorted(fit)))
            made = own + channels[second] if kind == "Concat" else own
            axis = {"axis": 1} if kind == "Concat" else {}
            nodes.append(helper.make_node(kind, [first, second], [out], name, **axis))
        else:
            made = own
            operands = [first, *limits] if kind == "Clip" else [first]
            nodes.append(helper.make_node(kind, operands, [out], name))
        channels[out] = made
    read = {tensor for node in nodes for tensor in node.input}
    outputs = [
        helper.make_tensor_value_info(tensor, TensorProto.FLOAT, [1, made, SIDE, SIDE])
        for tensor, made in channels.items()
        if tensor not in read
    ]
    image = helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 3, SIDE, SIDE])
    graph = helper.make_graph(nodes, "drawn", [image], outputs, [w for w in weights if w.name in read])
    model: onnx.ModelProto = helper.make_model(
        graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=7
    )
    return model
