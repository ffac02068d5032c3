"""Recorded builds as evidence, and the networks they were made of."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

from harness.attribution.attribute import attribute
from harness.attribution.engine import AttributedEngine
from harness.evidence.reader import read_file
from harness.evidence.records import Evidence
from harness.networks.graph import Graph
from harness.networks.mobilenet import MobileNetV1, MobileNetV2
from harness.runtimes.recorded import merge

RECORDINGS = Path(__file__).parents[1] / "data" / "recordings"
FAMILIES = {"mobilenet_v1": MobileNetV1(), "mobilenet_v2": MobileNetV2()}
V2_850, V2_860 = "8.5.3.1.v2.fp32.b1", "8.6.0.v2.fp32.b1"
V2_8517, V1_FP16 = "8.5.1.7.v2.fp32.b1", "8.5.1.7.v1.fp16.b8"
V2_PIECES = "8.5.3.1.v2.fp32.b1.relu6_as_sub"
ALL = (V1_FP16, V2_8517, V2_850, V2_PIECES, V2_860)


@cache
def meta(name: str) -> dict[str, Any]:
    """What was written down about a recording."""
    return dict(json.loads((RECORDINGS / name / "meta.json").read_text()))


@cache
def evidence(name: str) -> Evidence:
    """Engine layers and profile of a recording, without its builder log."""
    files = {"layers": "layers.json.gz", "profile": "profile.json"}
    found = merge([(role, read_file(RECORDINGS / name / file)) for role, file in files.items()])
    return replace(found, facts={"tensorrt": meta(name)["tensorrt"]})


@cache
def network(name: str) -> Graph:
    """The network of a recording, in TF-slim names."""
    about = meta(name)
    return FAMILIES[about["network"]].graph(about["batch"], about["relu6"])


@cache
def engine(name: str) -> AttributedEngine:
    """A recording, attributed."""
    return attribute(network(name), evidence(name))
