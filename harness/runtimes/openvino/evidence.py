"""What OpenVINO's CPU plugin tells of a compiled model: the executed graph and the performance counters.

``real_time`` of a counter is the running mean over all inferences of the compiled model in whole
microseconds, cold ones included. With the readings a(N) and a(M) after N and M inferences, the mean of the
inferences N+1 to M is (M a(M) - N a(N)) / (M - N), good to about a microsecond. A node whose mean is
below a microsecond is counted as not run. There are a few rounds (blocks), of one compiled model or, in older
bundles, of one each, since a mean is at the mercy of one disturbed inference; the median over them is a
layer's time.
"""

from __future__ import annotations

import json
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from harness.errors import DamagedBundleError
from harness.evidence.records import EngineLayer, Evidence, LayerTime, ReaderWarning, TensorInfo
from harness.store.documents.profile import read_profile_runs

MODEL, PROFILE = "runtime_model.json", "profile.json"

_PRECISIONS = {
    "f32": "float32",
    "f16": "float16",
    "bf16": "bfloat16",
    "i8": "int8",
    "u8": "uint8",
    "i32": "int32",
}


def read_openvino(folder: Path) -> Evidence:
    """Read an evidence folder; layers are the nodes that the counters know, in execution order.

    :raises InputError: a file is torn or not what the worker writes
    """
    if not (folder / MODEL).is_file() or not (folder / PROFILE).is_file():
        return Evidence()
    try:
        found = _evidence(_load(folder / MODEL)["nodes"], _load(folder / PROFILE)["blocks"])
    except (KeyError, TypeError, ValueError, IndexError) as error:
        raise DamagedBundleError(
            folder, f"not what the worker writes: {type(error).__name__} {error}"
        ) from None
    return replace(found, profile=read_profile_runs(folder))


def _load(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise DamagedBundleError(path, f"not JSON as it was written: {error}") from None


def _block(readings: Sequence[Mapping[str, Any]]) -> tuple[dict[str, float], int]:
    """Return milliseconds by node name and over how many inferences they are the mean."""
    first, last = readings[0], readings[-1]
    before, after = int(first["inferences"]), int(last["inferences"])
    early = {row["name"]: float(row["real_us"]) for row in first["rows"]}
    times = {}
    for row in last["rows"]:
        mean = float(row["real_us"])
        if after > before:
            # A counter that both readings truncate can come out below nothing.
            mean = max(0.0, (after * mean - before * early.get(row["name"], mean)) / (after - before))
        times[row["name"]] = mean / 1e3
    return times, after - before


def _statuses(blocks: Sequence[Sequence[Mapping[str, Any]]]) -> dict[str, str]:
    """Return the status by node name: that of the block that saw it run, where one did."""
    found: dict[str, str] = {}
    for readings in blocks:
        for row in readings[-1]["rows"]:
            if found.get(row["name"]) != "EXECUTED":
                found[row["name"]] = row["status"]
    return found


def _evidence(nodes: Sequence[Mapping[str, Any]], blocks: Sequence[Sequence[Mapping[str, Any]]]) -> Evidence:
    times, statuses = [_block(readings) for readings in blocks], _statuses(blocks)
    known = {node["name"] for node in nodes}
    # Constants and what is computed of them alone have no counter: they do not execute.
    executed = [node for node in nodes if node["name"] in statuses]
    executed.sort(key=lambda node: int(node["information"].get("execOrder", 0)))
    by_name = {node["name"]: node for node in executed}
    layers = tuple(
        _layer(position, node, by_name, statuses[node["name"]]) for position, node in enumerate(executed)
    )
    rows = tuple(_row(layer, times) for layer in layers)
    # Counters of ops that were fused away stand beside those of the executed graph, and never ran.
    lost = [name for name, status in statuses.items() if status == "EXECUTED" and name not in known]
    warnings = tuple(ReaderWarning(None, f"'{name}' was counted and is in no graph") for name in lost)
    return Evidence(layers=layers, times=rows, iterations=sum(count for _, count in times), warnings=warnings)


def _row(layer: EngineLayer, blocks: Sequence[tuple[Mapping[str, float], int]]) -> LayerTime:
    means = [times[layer.name] for times, _ in blocks if layer.name in times]
    return LayerTime(
        position=layer.position,
        name=layer.name,
        total_ms=sum(times.get(layer.name, 0.0) * count for times, count in blocks),
        average_ms=statistics.fmean(means),
        median_ms=statistics.median(means),
        samples_ms=tuple(means),
    )


def _layer(
    position: int, node: Mapping[str, Any], nodes: Mapping[str, Mapping[str, Any]], status: str
) -> EngineLayer:
    information = node["information"]
    primitive = information.get("primitiveType")
    names = [name for name in str(information.get("originalLayersNames", "")).split(",") if name]
    return EngineLayer(
        position=position,
        name=node["name"],
        type=information.get("layerType", node["type"]),
        kernel=primitive,
        inputs=tuple(
            _tensor(nodes[source["node"]], int(source["port"]))
            for source in node["inputs"]
            if source["node"] in nodes  # else a constant
        ),
        outputs=tuple(_tensor(node, port) for port in range(len(node["outputs"]))),
        attributes={
            "original_names": names,
            "status": status,
            "runtime_precision": information.get("runtimePrecision"),
        },
    )


def _tensor(node: Mapping[str, Any], port: int) -> TensorInfo:
    """Return an output of *node*; layouts and precisions are lists, one entry an output."""
    information = node["information"]
    shape = node["outputs"][port]["shape"] if port < len(node["outputs"]) else None
    precision = _entry(information.get("outputPrecisions"), port)
    return TensorInfo(
        name=node["name"] if port == 0 else f"{node['name']}:{port}",
        dimensions=tuple(shape) if shape is not None else None,
        format=_entry(information.get("outputLayouts"), port),
        datatype=_PRECISIONS.get(precision.lower().replace("fp", "f"), precision.lower())
        if precision
        else None,
    )


def _entry(value: object, port: int) -> str | None:
    entries = str(value).split(",") if value else []
    return entries[port] if port < len(entries) else None
