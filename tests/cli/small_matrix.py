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


NARROW = ("narrow", "narrower")
"""Networks so narrow that a run of them is mostly its own steps."""


def write_narrow_networks(folder: Path) -> str:
    """Write the ONNX files of both into *folder*, and return the table of a matrix file that names them."""
    for name in NARROW:
        network = MobileNetV2(width=0.25, resolution=32, classes=len(name), calibrated=False, name=name)
        onnx.save(to_onnx(network.graph(), 13), str(folder / f"{name}.onnx"))
    return "[networks]\n" + "".join(f'{name} = "{name}.onnx"\n' for name in NARROW)


def write_narrow_matrix(folder: Path) -> None:
    """Write ``m.toml`` into *folder*, with the narrow networks."""
    named = write_narrow_networks(folder)
    (folder / "m.toml").write_text(small_matrix(networks=NARROW) + named, encoding="utf-8")
