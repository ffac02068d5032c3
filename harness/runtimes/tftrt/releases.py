"""Releases of TF-TRT: which convert only, what TensorRT each has, and which nobody here has run.

A version is a release of TensorFlow, or, for an NGC container, TensorRT with the TensorFlow line behind
(``5.0.2+tf1``, see ``containers/recipes/ngc-tensorflow.csv``).
"""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from functools import cache

from harness.environments.needs import Release
from harness.resources import data_folder
from harness.runtimes.tensorflow import cuda

CONVERT_ONLY: Mapping[str, Sequence[str]] = {
    "1.15.0": ("tensorflow==1.15.0", "protobuf<3.21", "numpy<1.20"),
}
"""Release to requirements: its TensorRT 5 is no wheel, so that it cuts graphs and never runs an engine."""

PYTHONS_OF_STUB: tuple[Release, Release] = ((3, 6), (3, 7))

STUBS: Mapping[str, Mapping[str, int]] = {"libnvinfer.so.5": {"getInferLibVersion": 5105}}
"""All that the converter of 1.15 asks TensorRT for where engines are built at the first inference."""

ON_GPU = ("2.14.1",)
"""Releases that were run on a GPU here."""

_CONTAINER = "+tf"


def tensorrt_of(version: str) -> str:
    """Return the TensorRT of *version*."""
    return version.partition("+")[0] if _CONTAINER in version else cuda.TENSORRT


def untried(version: str, environment: str, treatment: Mapping[str, object]) -> str | None:
    """Say what nobody here has run, None where it was run on a GPU.

    :param treatment: TF-TRT's own fields
    """
    if environment == "docker" or _CONTAINER in version:
        call = _calls().get(version, "its converter")
        return f"the NGC container of {version} and its {call}"
    if version in CONVERT_ONLY:
        return f"engines of {version}: with a stub of TensorRT it cuts graphs, no engine runs"
    if version not in ON_GPU:
        return f"engines of {version}: it has cut graphs without a GPU"
    if treatment.get("converter") == "v2":
        return "TrtGraphConverterV2"
    if treatment.get("engines") == "dynamic":
        return "engines that are built at the first inference"
    return None


@cache
def _calls() -> Mapping[str, str]:
    """Return version of a container to the call that converts in it, of the newest tag."""
    path = data_folder("containers") / "recipes" / "ngc-tensorflow.csv"
    with path.open(encoding="utf-8", newline="") as file:
        return {row["version"]: row["tftrt_api"] for row in csv.DictReader(file) if row["tftrt_api"]}
