"""What TensorFlow leaves of a session: the graph that ran, and the op times of FULL_TRACE.

``graph.json`` has the nodes after grappler's rewriting, and under ``written`` which nodes were written for
each source op. ``trace.json.gz`` has a row a node: the nanoseconds of each inference and the shapes of what
it wrote. On the CPU TensorFlow names no kernel: the name composed here (``_FusedConv2D 1x1 + BiasAdd``) is
operator, window and what was fused. On a GPU a row has the ``kernels`` that its op launched, and their time;
one that launched none is no layer.
"""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from harness.errors import DamagedBundleError
from harness.evidence.records import EngineLayer, Evidence, LayerTime, ReaderWarning, TensorInfo
from harness.store.documents.profile import read_profile_runs

GRAPH, TRACE = "graph.json", "trace.json"

BOOKKEEPING = frozenset({"Const", "_Arg", "_Retval", "NoOp", "_SOURCE", "_SINK"})
"""Ops that hand over what is there: no layers."""

_SOURCE = "_SOURCE"
"""Where the executor begins; it stands in no graph."""


def condense(folder: Path) -> None:
    """Compress the trace in the evidence *folder*."""
    trace = folder / TRACE
    if trace.is_file():
        # No time stamp inside: the same trace gives the same file.
        (folder / f"{TRACE}.gz").write_bytes(gzip.compress(trace.read_bytes(), compresslevel=6, mtime=0))
        trace.unlink()


def read_tensorflow(folder: Path) -> Evidence:
    """Read an evidence folder after :func:`condense`; layers in execution order.

    :raises InputError: a file is torn or not what the worker writes
    """
    graph, trace = folder / GRAPH, folder / f"{TRACE}.gz"
    if not graph.is_file() or not trace.is_file():
        return Evidence()
    try:
        found = _evidence(_load(graph), _load(trace))
    except (KeyError, TypeError, ValueError, IndexError, AttributeError) as error:
        raise DamagedBundleError(
            folder, f"not what the worker writes: {type(error).__name__} {error}"
        ) from None
    return replace(found, profile=read_profile_runs(folder))


def _load(path: Path) -> Any:
    try:
        content = path.read_bytes()
        return json.loads(gzip.decompress(content) if path.suffix == ".gz" else content)
    except (OSError, EOFError, ValueError, zlib.error) as error:
        raise DamagedBundleError(path, f"not JSON as it was written: {error}") from None


def _evidence(graph: Mapping[str, Any], trace: Mapping[str, Any]) -> Evidence:
    nodes = {node["name"]: node for node in graph["nodes"]}
    ops: dict[str, list[str]] = {}
    for op, written in graph["written"].items():
        for name in written:
            ops.setdefault(name, []).append(op)
    rows = [row for row in trace["rows"] if row["name"] != _SOURCE]
    outputs = {row["name"]: row["outputs"] for row in rows}
    known = [row for row in rows if row["name"] in nodes]
    counted = [row for row in rows if _runs(row, nodes)]
    tensors = _Tensors(nodes, outputs)
    layers = tuple(
        _layer(position, row, nodes.get(row["name"], _OF_NO_NODE), tensors, ops.get(row["name"], []))
        for position, row in enumerate(counted)
    )
    times = tuple(_time(position, row["name"], row["op_ns"]) for position, row in enumerate(counted))
    warnings = tuple(
        ReaderWarning(None, f"the trace has '{row['name']}', the graph has not")
        for row in rows
        if row not in known and row not in counted
    )
    return Evidence(layers=layers, times=times, iterations=int(trace["inferences"]), warnings=warnings)


_OF_NO_NODE: Mapping[str, Any] = {"op": "Kernel", "attributes": {}, "inputs": ()}
"""Stands for the node of a kernel that the profiler ties to none."""


def _runs(row: Mapping[str, Any], nodes: Mapping[str, Any]) -> bool:
    """Say whether a row is a layer: on a GPU what launches kernels, on the CPU any op but bookkeeping."""
    if "kernels" in row:
        return bool(row["kernels"])
    return row["name"] in nodes and nodes[row["name"]]["op"] not in BOOKKEEPING


class _Tensors:
    """What is known of the tensors that nodes read and write."""

    def __init__(self, nodes: Mapping[str, Any], outputs: Mapping[str, Sequence[Mapping[str, Any]]]) -> None:
        self.nodes, self.outputs = nodes, outputs
        self._formats: dict[str, str | None] = {}

    def read_by(self, node: Mapping[str, Any]) -> list[tuple[str, int]]:
        """Return node and output number of the tensors that *node* reads, control edges left out."""
        found = []
        for text in node["inputs"]:
            name, _, number = str(text).partition(":")
            if not name.startswith("^"):
                found.append((name, int(number or 0)))
        return found

    def constant(self, name: str) -> bool:
        """Say whether the node *name* is a constant."""
        return name in self.nodes and self.nodes[name]["op"] == "Const"

    def shape(self, name: str, number: int = 0) -> tuple[int, ...] | None:
        """Return the shape of a tensor, as the trace has it."""
        told = self.outputs.get(name, ())
        return tuple(int(size) for size in told[number]["shape"]) if number < len(told) else None

    def info(self, name: str, number: int) -> TensorInfo:
        """Return a tensor with its shape, its type and the order of its axes."""
        told, shape = self.outputs.get(name, ()), self.shape(name, number)
        return TensorInfo(
            name=name if number == 0 else f"{name}:{number}",
            dimensions=shape,
            format=self.format(name) if shape is not None and len(shape) == 4 else None,
            datatype=told[number]["type"] if number < len(told) else None,
        )

    def format(self, name: str) -> str | None:
        """Return ``NHWC`` or ``NCHW``: that of the op that writes it, else that of what this one reads."""
        if name not in self._formats:
            self._formats[name] = None
            node = self.nodes.get(name, {"op": "", "attributes": {}, "inputs": ()})
            own = node["attributes"].get("data_format")
            sources = [] if node["op"] == "Transpose" else self.read_by(node)
            found = own or next((said for source, _ in sources if (said := self.format(source))), None)
            # A network's input tells nothing of itself; what reads it does.
            self._formats[name] = found or (self._reader(name) if node["op"] == "_Arg" else None)
        return self._formats[name]

    def _reader(self, name: str) -> str | None:
        readers = (node for node in self.nodes.values() if (name, 0) in self.read_by(node))
        return next((str(said) for node in readers if (said := node["attributes"].get("data_format"))), None)


def _layer(
    position: int,
    row: Mapping[str, Any],
    node: Mapping[str, Any],
    tensors: _Tensors,
    ops: Sequence[str],
) -> EngineLayer:
    name, read = row["name"], [one for one in tensors.read_by(node) if not tensors.constant(one[0])]
    count = max(1, len(tensors.outputs.get(name, ())))
    kernels = {kernel: sum(values) for kernel, values in row.get("kernels", {}).items()}
    return EngineLayer(
        position=position,
        name=name,
        type=node["op"],
        # Of several kernels the one that takes longest says what the layer is.
        kernel=max(kernels, key=lambda kernel: kernels[kernel]) if kernels else _kernel(node, tensors),
        inputs=tuple(tensors.info(*source) for source in read),
        outputs=tuple(tensors.info(name, number) for number in range(count)),
        attributes={
            "original_names": list(ops),
            **({"kernels": list(kernels)} if kernels else {}),
            **{
                key: node["attributes"][key]
                for key in ("fused_ops", "strides", "padding")
                if key in node["attributes"]
            },
        },
    )


def _kernel(node: Mapping[str, Any], tensors: _Tensors) -> str:
    words = [node["op"]]
    attributes, read = node["attributes"], tensors.read_by(node)
    if "Conv" in node["op"] and len(read) > 1 and (weights := tensors.shape(*read[1])) is not None:
        words.append("x".join(str(size) for size in weights[:2]))
        if any(step > 1 for step in attributes.get("strides", ())):
            words.append("strided")
    fused = attributes.get("fused_ops", [])
    return " ".join(words) + (f" + {', '.join(fused)}" if fused else "")


def _time(position: int, name: str, nanoseconds: Sequence[float]) -> LayerTime:
    samples = tuple(float(value) / 1e6 for value in nanoseconds)
    return LayerTime.of_samples(position, name, samples)
