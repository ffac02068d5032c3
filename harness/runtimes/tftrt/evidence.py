"""What a TF-TRT build leaves: TensorFlow's trace and graph, the partition, and the engines' own profiles.

A ``TRTEngineOp`` is one op in the trace. Where its engine was profiled by plain TensorRT, the engine's layers
stand in its place; their times are scaled to the op's own, since a profiler that stops after each layer makes
an engine of short layers longer than it is (``facts["segment_profiles"]`` says by how much). Their kernels
are those of TensorRT's log: TF-TRT builds engines that tell names of layers alone.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from harness.errors import DamagedBundleError
from harness.evidence.reader import read_file
from harness.evidence.records import EngineLayer, Evidence, LayerTime
from harness.runtimes.tensorflow.evidence import GRAPH, read_tensorflow
from harness.runtimes.tensorrt.builder_log import keep_what_is_read, read_log
from harness.runtimes.tensorrt.evidence import read_facts, read_samples
from harness.runtimes.tftrt.names import nodes_of
from harness.store.documents.partition import Partition, read_partition

ENGINE = "TRTEngineOp"
PROFILED = "segments_profiled"


def read_tftrt(folder: Path) -> Evidence:
    """Return the evidence of a build folder; what was not written is empty.

    :raises InputError: a file is torn
    """
    evidence, facts = folder / "evidence", read_facts(folder / "result.json")
    partition = read_partition(evidence)
    if partition is not None:
        facts = {**facts, **_cut(partition)}
    found = replace(read_tensorflow(evidence), facts=facts)
    names = facts.get(PROFILED)
    if not found.layers or not isinstance(names, Sequence) or isinstance(names, str):
        return found
    written = _written(evidence / GRAPH)
    log = read_log(evidence, _tensorrt(facts))
    found = replace(found, tactics=log.tactics, skipped_runners=log.skipped_runners)
    listed = {layer.name: layer for layer in log.engine_layers}
    for number, name in enumerate(names):
        found = _opened(found, str(name), evidence, f"_segment{number}", written, listed)
    return found


def publish_tftrt(folder: Path) -> None:
    """Put what is read of TensorRT's log in its place; why nodes were refused stands in the partition.

    :raises InputError: the log is torn
    """
    keep_what_is_read(folder / "evidence", _tensorrt(read_facts(folder / "result.json")))
    (folder / "evidence" / "converter.log.gz").unlink(missing_ok=True)


def _tensorrt(facts: Mapping[str, object]) -> str | None:
    return str(facts.get("segment_tensorrt") or "") or None


def _cut(partition: Partition) -> Mapping[str, object]:
    """Return how many nodes went into segments, and what stayed outside, as facts."""
    outside = Counter(node.op for node in partition.outside)
    return {
        "segment_nodes": [len(one.nodes) for one in partition.segments],
        "outside_segments": dict(sorted(outside.items())),
    }


def _written(path: Path) -> Mapping[str, Sequence[str]]:
    """Return node to the source ops that it was written for."""
    try:
        written = json.loads(path.read_text(encoding="utf-8"))["written"]
        found: dict[str, list[str]] = {}
        for op, nodes in written.items():
            for node in nodes:
                found.setdefault(node, []).append(op)
    except (OSError, ValueError, KeyError, AttributeError, TypeError) as error:
        raise DamagedBundleError(path, f"not what the worker writes: {error}") from None
    return found


def _opened(
    found: Evidence,
    name: str,
    evidence: Path,
    suffix: str,
    written: Mapping[str, Sequence[str]],
    listed: Mapping[str, EngineLayer],
) -> Evidence:
    """Return *found* with the layers of an engine in place of the op called *name*.

    :param listed: layers by name as the builder's log lists them, with kernels, which TF-TRT's engines lack
    """
    path = evidence / f"profile_samples{suffix}.json"
    times = {row.position: row for row in found.times}
    op = next((layer for layer in found.layers if layer.name == name), None)
    if op is None or not path.is_file() or times[op.position].typical_ms is None:
        return found
    profiled, own = read_samples(path), times[op.position].typical_ms or 0.0
    whole = sum(row.typical_ms or 0.0 for row in profiled)
    if not whole:
        return found
    described = {**_described(evidence / f"layers{suffix}.json", found), **listed}
    layers: list[EngineLayer] = []
    rows: list[LayerTime] = []
    for layer in found.layers:
        if layer is not op:
            layers.append(replace(layer, position=len(layers)))
            rows.append(replace(times[layer.position], position=len(rows)))
            continue
        for row in profiled:
            layers.append(_layer(len(layers), row.name, described.get(row.name), written))
            scaled = tuple(sample * own / whole for sample in row.samples_ms)
            rows.append(LayerTime.of_samples(len(rows), row.name, scaled))
    said = {**_said(found), name: {"op_ms": own, "layers_ms": whole, "layers": len(profiled)}}
    return replace(
        found, layers=tuple(layers), times=tuple(rows), facts={**found.facts, "segment_profiles": said}
    )


def _said(found: Evidence) -> Mapping[str, object]:
    before = found.facts.get("segment_profiles", {})
    return before if isinstance(before, Mapping) else {}


def _described(path: Path, found: Evidence) -> Mapping[str, EngineLayer]:
    """Return what the engine says of its layers, by name; names alone where it was not built to say more."""
    if not path.is_file():
        return {}
    return {layer.name: layer for layer in read_file(path, tensorrt=_tensorrt(found.facts)).engine_layers}


def _layer(
    position: int, name: str, described: EngineLayer | None, written: Mapping[str, Sequence[str]]
) -> EngineLayer:
    ops = dict.fromkeys(op for node in nodes_of(name) for op in written.get(node, ()))
    base = described or EngineLayer(position, name)
    return replace(
        base, position=position, attributes={**base.attributes, "original_names": list(ops), "segment": True}
    )
