"""``trtmatrix`` with an environment more: the onnxruntime installed here under any number of versions.

A plugin as a third party's is. The worker, the sessions and the samples are real; what differs between
versions is what this plugin makes differ: from version 4 on the worker is given a network with one spoiled
weight, so that its outputs are wrong there whatever the machine is doing; 9.0 is not to be had; the wheel of
7.0 turns out to be broken when it is prepared.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib.metadata import version as installed_version
from pathlib import Path
from types import ModuleType

import numpy as np
import onnx
from onnx import numpy_helper

from harness import hookimpl
from harness.cli import main
from harness.environments.base import (
    Availability,
    Environment,
    Limits,
    Prepared,
    Progress,
    WorkerConversation,
)
from harness.environments.current import CurrentInterpreter
from harness.errors import UnavailableError
from harness.networks.mobilenet import MobileNetV2
from harness.networks.onnx_export import to_onnx
from harness.plugins import registry
from harness.runtimes.base import Runtime

MATRIX = """
schema = "trtmatrix.matrix/1"
[run]
builds = 2
[measure]
warmup_seconds = 0.01
maximum_seconds = {seconds}
minimum_samples = 5
maximum_samples = 100000
relative_half_width = 0.0
profile_iterations = 3
[[versions]]
runtime = "onnxruntime"
versions = {versions}
environment = "several"
[networks]
small = "small.onnx"
[[block]]
networks = ["small"]
"""


def write_matrix(folder: Path, versions: Sequence[str], seconds: float = 0.05) -> Path:
    """Write a matrix of *versions* and its network into *folder*."""
    small = MobileNetV2(width=0.25, resolution=32, classes=11, calibrated=False, name="small")
    onnx.save(to_onnx(small.graph(), 13), str(folder / "small.onnx"))
    path = folder / "m.toml"
    listed = str(list(versions)).replace("'", '"')
    path.write_text(MATRIX.format(versions=listed, seconds=seconds), encoding="utf-8")
    return path


class SpoiledNetwork:
    """A prepared environment whose worker is given a network with one weight changed."""

    def __init__(self, inner: Prepared) -> None:
        self._inner = inner

    @property
    def facts(self) -> dict[str, object]:
        """Facts of the interpreter."""
        return dict(self._inner.facts)

    def start(self, job: Path, inputs: Sequence[Path], result: Path, limits: Limits) -> WorkerConversation:
        """Spoil the network's file (a link to the run's own, so it is replaced) and start the worker."""
        path = job.parent / "network.onnx"
        model = onnx.load(str(path))
        weight = max(model.graph.initializer, key=lambda tensor: int(np.prod(tensor.dims)))
        weight.CopyFrom(numpy_helper.from_array(numpy_helper.to_array(weight) + 1.0, weight.name))
        path.unlink()
        onnx.save(model, str(path))
        return self._inner.start(job, inputs, result, limits)


class Several:
    """The environment ``several``."""

    name = "several"

    def availability(self, runtime: Runtime, version: str) -> Availability:
        """Every version is here but 9.0."""
        assert runtime.name == "onnxruntime"
        return Availability("unavailable", "9.0 is sold out") if version == "9.0" else Availability("ok")

    def prepare(self, runtime: Runtime, version: str, progress: Progress) -> Prepared:
        """Return the running interpreter."""
        if version == "7.0":
            raise UnavailableError("the wheel of 7.0 is broken")
        progress(f"onnxruntime {version} is the one installed here")
        inner = CurrentInterpreter().prepare(runtime, installed_version("onnxruntime"), lambda _: None)
        return inner if version < "4" else SpoiledNetwork(inner)


@hookimpl
def trtmatrix_environments() -> Sequence[Environment]:
    """Register ``several``."""
    return [Several()]


def run(arguments: Sequence[str], module: ModuleType) -> int:
    """Run ``trtmatrix`` with *module*, this one, as a plugin."""
    registry.manager().register(module)
    return main(arguments)


if __name__ == "__main__":
    sys.exit(run(sys.argv[1:], sys.modules[__name__]))
