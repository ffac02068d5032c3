"""Layer names of an engine that TF-TRT really built: whose node they name, and what only turns tensors."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from harness.networks.mobilenet import MobileNetV1
from harness.runtimes.tftrt.names import is_constant, nodes_of, turns, type_of

DATA = Path(__file__).parents[2] / "data" / "runtimes" / "tftrt"


@pytest.mark.parametrize(
    ("name", "nodes", "turning", "constant", "kind"),
    [
        ("TRTEngineOp_000_000/a/Conv2D-conv:CONVOLUTION", ("a/Conv2D",), False, False, "CONVOLUTION"),
        ("TRTEngineOp_000_000/a/Conv2D-to_NCHW:SHUFFLE", ("a/Conv2D",), True, False, "SHUFFLE"),
        ("TRTEngineOp_000_000/_tftrt_constant_-0:CONSTANT", ("_tftrt_constant_",), False, True, "CONSTANT"),
        (
            "PWN(TRTEngineOp_000_000/a/BiasAdd-sum:ELEMENTWISE, "
            "PWN(TRTEngineOp_000_000/a/Relu6-activation:ACTIVATION))",
            ("a/BiasAdd", "a/Relu6"), False, False, "ELEMENTWISE",
        ),
        ("TRTEngineOp_000_000/scores:SOFTMAX", ("scores",), False, False, "SOFTMAX"),
        (
            "TRTEngineOp_000_000/a/Conv2D-conv:CONVOLUTION + TRTEngineOp_000_000/a/add:ELEMENTWISE",
            ("a/Conv2D", "a/add"), False, False, "CONVOLUTION",
        ),
        ("Reformatting CopyNode for Input Tensor 0 to x", (), True, False, ""),
    ],
)  # fmt: skip
def test_what_a_name_says(
    name: str, nodes: tuple[str, ...], turning: bool, constant: bool, kind: str
) -> None:
    found = tuple(node.rstrip("0123456789-") if constant else node for node in nodes_of(name))
    assert (found, turns(name), is_constant(name), type_of(name)) == (nodes, turning, constant, kind)


def test_44_per_cent_of_the_engine_of_mobilenet_v1_turn_tensors() -> None:
    layers = json.loads((DATA / "mobilenet_v1_nhwc_layers.json").read_text())["layers"]
    whole = sum(us for _, us in layers)
    assert sum(us for name, us in layers if turns(name)) / whole == pytest.approx(0.44, abs=0.005)
    scopes = {op.name.rsplit("/", 1)[0] for op in MobileNetV1().graph().ops}
    named = {node.rsplit("/", 1)[0] for name, _ in layers if not is_constant(name) for node in nodes_of(name)}
    assert named - {"_tftrt_constant_"} <= scopes | {""}
