"""Recorded builds as evidence, and the networks they were made of."""

from __future__ import annotations

import gzip
import json
from functools import cache
from pathlib import Path
from typing import Any

from harness.evidence.records import EngineLayer, Evidence, LayerTime, TensorInfo
from harness.layers.attribution import attribute
from harness.layers.picture import Picture
from harness.networks.graph import Graph
from harness.networks.mobilenet import MobileNetV1, MobileNetV2

RECORDINGS = Path(__file__).parents[1] / "data" / "recordings"
FAMILIES = {"mobilenet_v1": MobileNetV1(), "mobilenet_v2": MobileNetV2()}
V2_850, V2_860 = "8.5.3.1.v2.fp32.b1", "8.6.0.v2.fp32.b1"
V2_8517, V1_FP16 = "8.5.1.7.v2.fp32.b1", "8.5.1.7.v1.fp16.b8"
V2_PIECES = "8.5.3.1.v2.fp32.b1.relu6_as_sub"
ALL = (V1_FP16, V2_8517, V2_850, V2_PIECES, V2_860)

_ATTRIBUTES = {
    "Kernel": "kernel",
    "Groups": "groups",
    "OutMaps": "out_maps",
    "Stride": "stride",
    "Activation": "activation",
    "Origin": "origin",
    "Metadata": "metadata",
}


def _tensor(entry: dict[str, Any]) -> TensorInfo:
    return TensorInfo(entry["Name"], tuple(entry["Dimensions"]), entry["Format/Datatype"])


def _layer(position: int, entry: dict[str, Any]) -> EngineLayer:
    return EngineLayer(
        position,
        entry["Name"],
        entry["LayerType"],
        entry.get("TacticValue"),
        entry.get("TacticName"),
        tuple(map(_tensor, entry["Inputs"])),
        tuple(map(_tensor, entry["Outputs"])),
        {ours: entry[theirs] for theirs, ours in _ATTRIBUTES.items() if theirs in entry},
    )


@cache
def meta(name: str) -> dict[str, Any]:
    """What was written down about a recording."""
    return dict(json.loads((RECORDINGS / name / "meta.json").read_text()))


@cache
def evidence(name: str) -> Evidence:
    """Engine layers and profile of a recording."""
    with gzip.open(RECORDINGS / name / "layers.json.gz", "rt") as stream:
        layers = json.load(stream)["Layers"]
    rows = json.loads((RECORDINGS / name / "profile.json").read_text())[1:]
    return Evidence(
        layers=tuple(_layer(position, entry) for position, entry in enumerate(layers)),
        times=tuple(
            LayerTime(place, row["name"], row["timeMs"], row["averageMs"], row["medianMs"])
            for place, row in enumerate(rows)
        ),
        facts={"tensorrt": meta(name)["tensorrt"]},
    )


@cache
def network(name: str) -> Graph:
    """The network of a recording, in TF-slim names."""
    about = meta(name)
    return FAMILIES[about["network"]].graph(about["batch"], about["relu6"])


@cache
def picture(name: str) -> Picture:
    """A recording, attributed."""
    return attribute(network(name), evidence(name))
