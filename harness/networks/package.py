"""The runtime-neutral network package: ``network.json`` and ``weights.npz``.

The worker reads it with NumPy alone. The format is described in ``docs/reference/worker-protocol.md``.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import cast

import numpy as np

from harness.errors import DamagedBundleError, UnreadableFileError
from harness.networks.graph import Graph, OpKind, SourceOp, op_class

SCHEMA = "trtmatrix.network/1"

_KEYS = {"schema", "name", "digest", "relu6", "batch", "inputs", "outputs", "shapes", "ops"}
_OP_KEYS = {"name", "kind", "op_class", "inputs", "output", "attributes", "weights"}


def as_json(graph: Graph) -> dict[str, object]:
    """Return the content of ``network.json``."""
    return {
        "schema": SCHEMA,
        "name": graph.name,
        "digest": graph.digest,
        "relu6": graph.relu6,
        "batch": graph.batch,
        "inputs": list(graph.inputs),
        "outputs": list(graph.outputs),
        "shapes": {name: list(shape) for name, shape in graph.shapes.items()},
        "ops": [
            {
                "name": op.name,
                "kind": op.kind.value,
                "op_class": op_class(op).value,
                "inputs": list(op.inputs),
                "output": op.output,
                "attributes": dict(op.attributes),
                "weights": dict(op.weights),
            }
            for op in graph.ops
        ],
    }


def write_package(graph: Graph, folder: Path) -> tuple[Path, Path]:
    """Write ``network.json`` and ``weights.npz`` into *folder* and return their paths.

    The same graph gives the same bytes.
    """
    network, weights = folder / "network.json", folder / "weights.npz"
    network.write_text(json.dumps(as_json(graph), indent=1) + "\n", encoding="utf-8")
    # Uncompressed: random weights do not shrink, and the worker reads faster.
    np.savez(weights, **{key: graph.weights[key] for key in sorted(graph.weights)})  # type: ignore[arg-type]
    return network, weights


def read_structure(network: Path) -> Graph:
    """Read ``network.json`` alone: a graph without weights, whose digest is taken on trust.

    :raises InputError: the file is torn, a key is missing or unknown
    """
    data = _read_json(network)
    if data.get("schema") != SCHEMA:
        raise DamagedBundleError(network, f"schema {data.get('schema')!r}, expected {SCHEMA}", where="schema")
    _exact_keys(network, data, _KEYS, "the network")
    ops = _ops(network, data["ops"])
    try:
        graph = Graph(
            name=str(data["name"]),
            relu6=str(data["relu6"]),
            batch=int(cast("int", data["batch"])),
            inputs=tuple(cast("list[str]", data["inputs"])),
            outputs=tuple(cast("list[str]", data["outputs"])),
            ops=ops,
            shapes={
                name: tuple(shape) for name, shape in cast("dict[str, list[int]]", data["shapes"]).items()
            },
            weights={},
            digest=str(data["digest"]),
        )
    except (TypeError, ValueError, AttributeError) as error:
        raise DamagedBundleError(network, f"not a network package: {error}") from None
    _check(network, graph)
    return graph


def _check(path: Path, graph: Graph) -> None:
    known = set(graph.shapes)
    for tensor in (*graph.outputs, *graph.inputs, *(t for op in graph.ops for t in (*op.inputs, op.output))):
        if tensor not in known:
            raise DamagedBundleError(path, f"the tensor '{tensor}' has no shape", where="shapes")


def _read_json(path: Path) -> Mapping[str, object]:
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UnreadableFileError(path, f"cannot be read: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise DamagedBundleError(path, f"not UTF-8: {error.reason}") from None
    except json.JSONDecodeError as error:
        raise DamagedBundleError(path, f"not JSON: {error.msg.lower()}", line=error.lineno) from None
    if not isinstance(data, dict):
        raise DamagedBundleError(path, "not a network package: expected a JSON object")
    return data


def _ops(path: Path, data: object) -> tuple[SourceOp, ...]:
    if not isinstance(data, list):
        raise DamagedBundleError(path, "expected a list", where="ops")
    return tuple(_op(path, entry, f"ops[{number}]") for number, entry in enumerate(data))


def _op(path: Path, data: object, where: str) -> SourceOp:
    if not isinstance(data, dict):
        raise DamagedBundleError(path, "expected an object", where=where)
    _exact_keys(path, data, _OP_KEYS, where)
    try:
        kind = OpKind(data["kind"])
    except ValueError:
        raise DamagedBundleError(path, f"unknown kind {data['kind']!r}", where=f"{where}.kind") from None
    if not isinstance(data["attributes"], dict) or not isinstance(data["weights"], dict):
        raise DamagedBundleError(path, "attributes and weights must be objects", where=where)
    if not isinstance(data["inputs"], list) or not isinstance(data["output"], str):
        raise DamagedBundleError(path, "inputs must be a list and output a string", where=where)
    return SourceOp(
        name=str(data["name"]),
        kind=kind,
        inputs=tuple(data["inputs"]),
        output=data["output"],
        attributes=data["attributes"],
        weights=data["weights"],
    )


def _exact_keys(path: Path, data: Mapping[str, object], expected: set[str], where: str) -> None:
    missing, unknown = sorted(expected - set(data)), sorted(set(data) - expected)
    if missing or unknown:
        what = f"missing {', '.join(missing)}" if missing else f"unknown {', '.join(unknown)}"
        raise DamagedBundleError(path, f"keys do not fit: {what}", where=where)
