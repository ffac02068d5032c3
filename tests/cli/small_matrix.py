"""A matrix file that is measured in seconds, with the onnxruntime that the tests' Python holds."""

from __future__ import annotations

import json
from collections.abc import Sequence
from importlib.metadata import version


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
