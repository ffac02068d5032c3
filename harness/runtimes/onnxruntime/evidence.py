"""What onnxruntime leaves of a session: the optimized graph it saved and the trace of its profiler.

The trace (``enable_profiling``) has one event of category ``Node`` a node and run, named
``<node>_kernel_time``, with the duration in whole microseconds, the operator and the types and shapes of
inputs and outputs; versions up to 1.20 add ``_fence_before`` and ``_fence_after``. It names no kernel: the
name composed here (``nchwc Conv 1x1``) is operator domain, operator, and shape of the convolution.
"""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from harness.errors import DamagedBundleError
from harness.evidence.records import EngineLayer, Evidence, LayerTime, ReaderWarning, TensorInfo
from harness.store.documents.profile import ProfileRuns, counted, read_profile_runs

MODEL, GRAPH, TRACE = "optimized.onnx", "optimized.json", "trace.json"
NCHWC = "com.microsoft.nchwc"

_SUFFIX = "_kernel_time"
_REORDERS = ("ReorderInput", "ReorderOutput")
# Spelled as NumPy does, as everywhere in the harness.
_TYPES = {"float": "float32", "float16": "float16", "double": "float64"}


@dataclass(slots=True)
class _Event:
    """All runs of one node: durations in microseconds, types and shapes of the last run."""

    name: str
    op_type: str
    durations: list[float] = field(default_factory=list)
    outputs: Sequence[Mapping[str, Sequence[int]]] = ()
    inputs: Sequence[Mapping[str, Sequence[int]]] = ()


def condense(folder: Path) -> None:
    """Reduce the saved graph to its nodes (weights go) and compress the trace, in the evidence *folder*.

    :raises InputError: the saved graph cannot be read
    """
    model, trace = folder / MODEL, folder / TRACE
    if model.is_file():
        (folder / GRAPH).write_text(json.dumps(graph_nodes(model)), encoding="utf-8")
        model.unlink()
    if trace.is_file():
        # No time stamp inside: the same trace gives the same file.
        (folder / f"{TRACE}.gz").write_bytes(gzip.compress(trace.read_bytes(), compresslevel=6, mtime=0))
        trace.unlink()


def graph_nodes(model: Path) -> dict[str, object]:
    """Return ``inputs``, ``outputs``, ``initializers`` (name to shape) and ``nodes`` of an ONNX file.

    :raises InputError: no ONNX file
    """
    import onnx  # heavy, and only needed right after a measurement
    from google.protobuf.message import DecodeError

    try:
        graph = onnx.load(str(model), load_external_data=False).graph
    except (OSError, DecodeError) as error:
        raise DamagedBundleError(model, f"not an ONNX file: {error}") from None
    return {
        "inputs": [value.name for value in graph.input],
        "outputs": [value.name for value in graph.output],
        "initializers": {tensor.name: list(tensor.dims) for tensor in graph.initializer},
        "nodes": [
            {
                "name": node.name,
                "op_type": node.op_type,
                "domain": node.domain,
                "inputs": list(node.input),
                "outputs": list(node.output),
                "attributes": {a.name: _plain(onnx.helper.get_attribute_value(a)) for a in node.attribute},
            }
            for node in graph.node
        ],
    }


def _plain(value: Any) -> object:
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    if isinstance(value, int | float | str):
        return value
    if isinstance(value, Iterable):
        return [_plain(item) for item in value]
    return type(value).__name__  # a tensor or a subgraph: that there is one is all that is kept


def read_onnxruntime(folder: Path, warmup: int = 0) -> Evidence:
    """Read an evidence folder after :func:`condense`; layers in execution order.

    :param warmup: runs at the start of the trace that are not to be counted, where no profile's rounds say so
    :raises InputError: a file is torn or not what onnxruntime writes
    """
    graph, trace = folder / GRAPH, folder / f"{TRACE}.gz"
    if not graph.is_file() or not trace.is_file():
        return Evidence()
    events = _events(trace)
    profile = read_profile_runs(folder)
    nodes, warnings = _match(_load(graph), events, graph)
    layers = tuple(_layer(position, *pair) for position, pair in enumerate(nodes))
    layers = _with_layouts(layers)
    names = _stable_names(layers)
    layers = tuple(_renamed(layer, names[layer.position]) for layer in layers)
    times = tuple(
        _time(position, names[position], _counted(event.durations, profile, warmup))
        for position, (_, event) in enumerate(nodes)
    )
    return Evidence(
        layers=layers,
        times=times,
        iterations=max((len(time.samples_ms) for time in times), default=0),
        warnings=tuple(warnings),
        profile=profile,
    )


def _counted(durations: Sequence[float], profile: ProfileRuns | None, warmup: int) -> Sequence[float]:
    if profile is None:  # as the release before left it
        return durations[warmup:]
    return [durations[number] for number in counted(profile, len(durations))]


def _load(path: Path) -> Any:
    try:
        content = path.read_bytes()
        return json.loads(gzip.decompress(content) if path.suffix == ".gz" else content)
    except (OSError, EOFError, ValueError, zlib.error) as error:
        raise DamagedBundleError(path, f"not JSON as it was written: {error}") from None


def _events(path: Path) -> list[_Event]:
    """Return the nodes of a trace in the order of their first run."""
    found: dict[tuple[str, str], _Event] = {}
    data = _load(path)
    if not isinstance(data, list):
        raise DamagedBundleError(path, "expected a list of trace events")
    for event in data:
        if event.get("cat") != "Node" or not str(event.get("name", "")).endswith(_SUFFIX):
            continue
        name, arguments = str(event["name"])[: -len(_SUFFIX)], event.get("args", {})
        # Unnamed nodes of one type would fall together without their index.
        key = (name, str(arguments.get("node_index", "")))
        row = found.setdefault(key, _Event(name, str(arguments.get("op_name", ""))))
        row.durations.append(float(event["dur"]))
        row.inputs = arguments.get("input_type_shape", ())
        row.outputs = arguments.get("output_type_shape", ())
    return list(found.values())


def _match(
    graph: Mapping[str, Any], events: Sequence[_Event], path: Path
) -> tuple[list[tuple[Mapping[str, Any], _Event]], list[ReaderWarning]]:
    """Pair events with nodes of the graph: by name, unnamed nodes by operator in order."""
    try:
        nodes: list[Mapping[str, Any]] = [
            {**node, "initializers": graph["initializers"]} for node in graph["nodes"]
        ]
    except (KeyError, TypeError) as error:
        raise DamagedBundleError(path, f"expected nodes and initializers: {error}") from None
    waiting: dict[tuple[str, str], list[Mapping[str, Any]]] = {}
    for node in nodes:
        waiting.setdefault((node["name"], node["op_type"]), []).append(node)
    pairs, warnings = [], []
    for event in events:
        same = waiting.get((event.name, event.op_type)) or waiting.get(("", event.op_type))
        if same:
            pairs.append((same.pop(0), event))
        else:
            warnings.append(ReaderWarning(None, f"the trace has '{event.name}', the graph has not"))
    return pairs, warnings


def _layer(position: int, node: Mapping[str, Any], event: _Event) -> EngineLayer:
    initializers = node["initializers"]
    attributes = dict(node["attributes"])
    data = [(i, name) for i, name in enumerate(node["inputs"]) if name and name not in initializers]
    weights = [initializers[name] for name in node["inputs"] if name in initializers]
    if node["op_type"].endswith("Conv") and weights:
        attributes.setdefault("kernel_shape", list(weights[0][2:]))
    shaped = {
        "op_type": node["op_type"],
        "domain": node["domain"],
        "printed_name": event.name,
        "groups": attributes.get("group", 1),
        "kernel": attributes.get("kernel_shape"),
        "activation": attributes.get("activation"),
        "sum_input": node["inputs"][3] if len(node["inputs"]) > 3 and "Conv" in node["op_type"] else None,
    }
    return EngineLayer(
        position=position,
        name=event.name,
        type=node["op_type"],
        kernel=_kernel(node["domain"], node["op_type"], attributes, event),
        inputs=tuple(_tensor(name, event.inputs, i) for i, name in data),
        outputs=tuple(_tensor(name, event.outputs, i) for i, name in enumerate(node["outputs"]) if name),
        attributes={key: value for key, value in shaped.items() if value is not None},
    )


def _kernel(domain: str, op_type: str, attributes: Mapping[str, Any], event: _Event) -> str:
    words = [domain.rsplit(".", 1)[-1], op_type] if domain not in ("", "ai.onnx") else [op_type]
    if op_type.endswith("Conv"):
        words.append("x".join(str(size) for size in attributes.get("kernel_shape", ())))
        if (groups := attributes.get("group", 1)) > 1:
            channels = [shape[1] for types in event.outputs[:1] for shape in types.values() if len(shape) > 1]
            # One output channel a group; blocked tensors are padded to 8 or 16 of them.
            padded = {groups, -(-groups // 8) * 8, -(-groups // 16) * 16}
            words.append("depthwise" if padded & set(channels) else f"groups {groups}")
    return " ".join(word for word in words if word)


def _tensor(name: str, printed: Sequence[Mapping[str, Sequence[int]]], index: int) -> TensorInfo:
    if index >= len(printed) or not printed[index]:
        return TensorInfo(name)
    kind, shape = next(iter(printed[index].items()))
    return TensorInfo(name, tuple(int(size) for size in shape), None, _TYPES.get(kind, kind))


def _with_layouts(layers: Sequence[EngineLayer]) -> tuple[EngineLayer, ...]:
    """Fill in tensor layouts: what the blocked domain writes is NCHWc until a ReorderOutput undoes it."""
    blocked: set[str] = set()
    done = []
    for layer in layers:
        own = layer.attributes.get("domain") == NCHWC and layer.type != "ReorderOutput"
        # Elementwise nodes run on blocked tensors as they are.
        if own or (layer.type not in _REORDERS and any(tensor.name in blocked for tensor in layer.inputs)):
            blocked.update(tensor.name for tensor in layer.outputs)
        done.append(
            EngineLayer(
                position=layer.position,
                name=layer.name,
                type=layer.type,
                kernel=layer.kernel,
                inputs=tuple(_laid_out(tensor, blocked) for tensor in layer.inputs),
                outputs=tuple(_laid_out(tensor, blocked) for tensor in layer.outputs),
                attributes=layer.attributes,
            )
        )
    return tuple(done)


def _laid_out(tensor: TensorInfo, blocked: set[str]) -> TensorInfo:
    return TensorInfo(
        tensor.name, tensor.dimensions, "NCHWc" if tensor.name in blocked else "NCHW", tensor.datatype
    )


def _stable_names(layers: Sequence[EngineLayer]) -> list[str]:
    """Return names that are the same in every process: a reorder is named after the tensor it reorders."""
    names = []
    for layer in layers:
        if layer.type in _REORDERS:
            tensor = layer.outputs[0] if layer.type == "ReorderOutput" else layer.inputs[0]
            names.append(f"{layer.type}({tensor.name})")
        else:
            names.append(layer.name)
    return names


def _renamed(layer: EngineLayer, name: str) -> EngineLayer:
    return EngineLayer(
        position=layer.position,
        name=name,
        type=layer.type,
        kernel=layer.kernel,
        inputs=layer.inputs,
        outputs=layer.outputs,
        attributes=layer.attributes,
    )


def _time(position: int, name: str, durations_us: Sequence[float]) -> LayerTime:
    samples = tuple(duration / 1e3 for duration in durations_us)
    return LayerTime.of_samples(position, name, samples)
