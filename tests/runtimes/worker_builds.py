"""Builds that the TensorRT worker really made on a GPU (tests/data/builds), put back as it left them."""

from __future__ import annotations

import gzip
import json
import shutil
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from harness.attribution.engine import AttributedEngine
from harness.evidence.records import Evidence
from harness.matrix.cell import Cell, Treatment
from harness.networks.graph import Graph
from harness.plugins import registry
from harness.store.bundle import Bundle
from harness.store.documents.manifest import Manifest
from tests.observations.kept_networks import keep_network

DATA = Path(__file__).resolve().parents[1] / "data" / "builds"
SEED = 20190917
"""Of the probe inputs that the builds were run with."""


@dataclass(frozen=True)
class WorkerBuild:
    """One recorded build.

    :param run: the bundle it was in: ``core``, ``all``, ``pycuda``, ``formats``, ``wide``, ``precisions``
    """

    run: str
    cell: Cell
    build: int = 0

    def __str__(self) -> str:
        """What tests call it: the cell's id and the build's number, the run where it is not plain."""
        return f"{self.cell.id}/{self.build}" + (f" ({self.run})" if self.run == "pycuda" else "")

    @property
    def recorded(self) -> Path:
        """Where it is kept, large files compressed."""
        return DATA / self.run / self.cell.id / str(self.build)

    @property
    def graph(self) -> Graph:
        """The registered network."""
        treatment = self.cell.treatment
        return registry.networks()[self.cell.network].graph(treatment.batch or 1, treatment.relu6)

    def document(self, name: str) -> dict[str, Any]:
        """A JSON file of it, plain or compressed."""
        path = self.recorded / name
        text = path.read_bytes() if path.is_file() else gzip.decompress(Path(f"{path}.gz").read_bytes())
        return dict(json.loads(text))

    def put(self, folder: Path) -> Path:
        """Write its files into *folder* as the worker left them."""
        for source in sorted(p for p in self.recorded.rglob("*") if p.is_file()):
            target = folder / source.relative_to(self.recorded)
            target.parent.mkdir(parents=True, exist_ok=True)
            if (
                source.suffix == ".gz" and source.name != "build.log.gz"
            ):  # the log was compressed by the worker
                target.with_suffix("").write_bytes(gzip.decompress(source.read_bytes()))
            else:
                shutil.copyfile(source, target)
        return folder


def v2(version: str, build: int = 0, run: str = "core", **treatment: str) -> WorkerBuild:
    """MobileNet v2, FP32, batch 1, tactic sources ``core`` where not said otherwise."""
    made = Treatment(**{"tactic_sources": "core", **treatment})  # type: ignore[arg-type]
    return WorkerBuild(run, Cell("mobilenet_v2", made, "tensorrt", version, "venv"), build)


def v1(
    version: str,
    build: int = 0,
    run: str = "core",
    *,
    precision: str = "fp16",
    batch: int = 8,
    relu6: str = "clip",
) -> WorkerBuild:
    """MobileNet v1, FP16, batch 8 where not said otherwise."""
    made = Treatment(precision=precision, batch=batch, relu6=relu6, tactic_sources="core")
    return WorkerBuild(run, Cell("mobilenet_v1", made, "tensorrt", version, "venv"), build)


VERSIONS = ("8.5.1.7", "8.5.2.2", "8.5.3.1", "8.6.0")
PIECES = v2("8.6.0", relu6="relu_sub")
IMPLICIT = v2("8.5.3.1", batch_mode="implicit")
ALL_SOURCES = v2("8.6.0", run="all", tactic_sources="all")
PYCUDA = v2("8.5.3.1", run="pycuda")
FORMATS = v1("8.6.0", run="formats", batch=1)
FP16_CLIP = v1("8.6.0", run="wide", batch=1)
FP16_PIECES = v1("8.6.0", run="wide", batch=1, relu6="relu_sub")
INT8 = v1("8.6.0", run="precisions", precision="int8", batch=1)
WHOLE = (*map(v2, VERSIONS), PIECES, IMPLICIT, ALL_SOURCES, v1("8.5.3.1"), v1("8.6.0"))
"""With their builder logs and samples."""
MORE = (
    *(v2("8.6.0", build) for build in range(1, 5)),
    *(v1("8.6.0", build) for build in range(1, 5)),
    *(v2("8.5.1.7", build) for build in (1, 4)),
    PYCUDA,
    FP16_CLIP,
    FP16_PIECES,
    INT8,
)
"""Engine layers and profiles, without a builder log."""

every_build = pytest.mark.parametrize("build", WHOLE + MORE, ids=str)
whole_build = pytest.mark.parametrize("build", WHOLE, ids=str)


@dataclass(frozen=True)
class Known:
    """What the registered runtime reads of one build."""

    folder: Path
    evidence: Evidence
    engine: AttributedEngine


def read(build: WorkerBuild, folder: Path) -> Known:
    """Put *build* into *folder* and read it with the registered runtime."""
    runtime = registry.runtimes()["tensorrt"]
    evidence = runtime.read(build.put(folder))
    return Known(folder, evidence, runtime.attribute(build.graph, evidence))


Reading = Callable[[WorkerBuild], Known]
"""Reads a build, each once."""


def bundle(builds: Iterable[WorkerBuild], root: Path) -> Path:
    """Make a bundle of *builds* in *root*, as ``trtmatrix collect`` does."""
    kept = list(builds)
    started = min(str(build.document("build.json")["started"]) for build in kept)
    began = datetime.fromisoformat(started)
    made = Bundle.create(root, Manifest(run=root.name, state="complete", started=began, seed=SEED))
    for build in kept:
        build.put(made.build_folder(build.cell.id, build.build))
        made.set_cell(build.cell, "measured", digest=str(build.document("build.json")["digest"]))
        keep_network(made, build.cell)
    made.save()
    return root
