"""Parts of TF-TRT's worker that need no TensorFlow: partition, logs, kernels by op."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

import harness
from harness.store.documents.base import document_of
from harness.store.documents.partition import Partition

RUNTIMES = Path(harness.__file__).parent / "runtimes"


def module(name: str) -> ModuleType:
    """Return a module of a worker by its file: the worker's package imports TensorFlow."""
    spec = importlib.util.spec_from_file_location(name.replace("/", "_"), RUNTIMES / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    made = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(made)
    return made


by_op = module("tensorflow/worker/kernels").by_op
partition = module("tftrt/worker/partition").partition
log = module("tftrt/worker/log")


class Attributes(dict[str, Any]):
    """A map of a message: what is not there is an empty value."""

    def __missing__(self, _: str) -> Any:
        return SimpleNamespace(s=b"", b=False, func=SimpleNamespace(name=""))


def node(name: str, op: str, *inputs: str, **attributes: Any) -> Any:
    """Return a NodeDef, as far as the worker reads it."""
    values = {
        key: SimpleNamespace(s=value if isinstance(value, bytes) else b"", b=value is True, func=value)
        for key, value in attributes.items()
    }
    return SimpleNamespace(name=name, op=op, device="", input=list(inputs), attr=Attributes(values))


def test_kernels_of_an_inference_are_told_by_their_order() -> None:
    events = [
        *((0, "a", "x", 1_000_000), (1, "a", "x", 2_000_000), (2, "b", "y", 500_000)),
        *((3, "a", "x", 3_000_000), (4, "a", "x", 4_000_000), (5, "b", "y", 700_000)),
        (6, "c", "copy", 900_000),
    ]
    found = by_op(events, 2)
    assert found["a"]["op_ns"] == [3000.0, 7000.0]
    assert found["b"]["kernels"] == {"y": [500.0, 700.0]}
    assert found["c"]["op_ns"] == [450.0, 450.0]  # one copy in two inferences


@pytest.mark.parametrize("named", [True, False])
def test_the_partition_says_what_went_where_and_why(named: bool) -> None:
    inner = [node("conv", "Conv2D", data_format=b"NCHW"), node("relu", "Relu6")]
    function = SimpleNamespace(signature=SimpleNamespace(name="TRTEngineOp_0_native"), node_def=inner)
    said = {"segment_func": SimpleNamespace(name="TRTEngineOp_0_native")} if named else {}
    engine = node("TRTEngineOp_0", "TRTEngineOp", "x", serialized_segment=b"abc", static_engine=True, **said)
    definition = SimpleNamespace(
        node=[node("x", "Placeholder"), engine, node("nms", "NonMaxSuppressionV3", "TRTEngineOp_0")],
        library=SimpleNamespace(function=[function]),
    )
    lines = [
        "I segment.cc:9] Not a TF-TRT candidate, (Op type: NonMaxSuppressionV3), (Op name: nms), (Reason: no)"
    ]
    found = partition(definition, lines)
    document_of(found, Partition, Path("partition.json"))  # as the harness reads it
    (segment,) = found["segments"]
    assert [(one["name"], one["op"], one["data_format"]) for one in segment["nodes"]] == [
        *(("conv", "Conv2D", "NCHW"), ("relu", "Relu6", None))
    ]
    assert (segment["static"], segment["engine_bytes"], segment["inputs"]) == (True, 3, ["x"])
    assert [(one["name"], one["reason"]) for one in found["outside"]] == [("x", None), ("nms", "no")]


def test_what_tensorrt_says_inside_the_converter_is_told_apart() -> None:
    lines = [
        "2026-01-01 00:00:00.1: I tensorflow/compiler/tf2tensorrt/segment/segment.cc:961] Accepted a",
        "2026-01-01 00:00:00.2: I tensorflow/utils/trt_logger.cc:43] DefaultLogger Tactic: 0x1",
        "of two lines",
        "2026-01-01 00:00:00.3: W tensorflow/compiler/tf2tensorrt/utils/trt_logger.cc:83] DefaultLogger slow",
        "2026-01-01 00:00:00.4: I tensorflow/compiler/tf2tensorrt/convert/convert_graph.cc:9] built",
    ]
    assert log.of_builder(lines) == ["[TRT] [V] Tactic: 0x1", "of two lines", "[TRT] [W] slow"]
    assert log.of_converter(lines) == [lines[0], lines[4]]
