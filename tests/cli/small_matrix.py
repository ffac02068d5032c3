"""A matrix file that is measured in seconds, with the onnxruntime that the tests' Python holds."""

from __future__ import annotations

import json
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

import onnx

from harness.networks.mobilenet import MobileNetV2
from harness.networks.onnx_export import to_onnx


def small_matrix(builds: int = 2, networks: Sequence[str] = ("mobilenet_v1", "mobilenet_v2")) -> str:
    """Return the text of a matrix file."""
    return f"""
schema = "trtmatrix.matrix/1"
[run]
builds = {builds}
[measure]
warmup_seconds = 0.01
maximum_seconds = 0.05
minimum_samples = 5
profile_iterations = 3
[[versions]]
runtime = "onnxruntime"
versions = ["{version("onnxruntime")}"]
environment = "current"
[[block]]
networks = {json.dumps(list(networks))}
"""


def write_narrow_matrix(folder: Path) -> None:
    """Write ``m.toml`` into *folder*: two networks so narrow that a run of them is mostly its own steps."""
    for name in ("narrow", "narrower"):
        network = MobileNetV2(width=0.25, resolution=32, classes=len(name), calibrated=False, name=name)
        onnx.save(to_onnx(network.graph(), 13), str(folder / f"{name}.onnx"))
    named = '[networks]\nnarrow = "narrow.onnx"\nnarrower = "narrower.onnx"\n'
    (folder / "m.toml").write_text(small_matrix(networks=("narrow", "narrower")) + named, encoding="utf-8")
