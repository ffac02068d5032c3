"""Runs of the CPU workers in environments of their own, kept between test runs as environments are."""

from __future__ import annotations

import json
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from harness.attribution.engine import AttributedEngine
from harness.errors import UnavailableError
from harness.evidence.records import Evidence
from harness.networks.bounds import check_outputs, error_bound
from harness.networks.graph import Graph
from harness.networks.reference import probe_reference
from harness.plugins import registry
from tests.worker.worker_jobs import run_job, small_network, write_job


@dataclass(frozen=True)
class Live:
    """A build that has just been made."""

    said: dict[str, Any]
    graph: Graph
    folder: Path
    evidence: Evidence
    engine: AttributedEngine

    def setting(self, name: str) -> object:
        """Return an effective setting."""
        return next(row["value"] for row in self.said["settings"] if row["name"] == name)


def run_live(
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    version: str,
    relu6: str = "clip",
    treatment: dict[str, object] | None = None,
    **changes: object,
) -> Live:
    """Make *version* ready (skip where its wheels cannot be had), run one job, check what always holds."""
    monkeypatch.setenv("TRTMATRIX_CACHE", str(Path(tempfile.gettempdir()) / "trtmatrix-tests"))
    runtime, graph = registry.runtimes()[name], small_network(relu6)
    try:
        prepared = registry.environments()["venv"].prepare(runtime, version, lambda _: None)
    except UnavailableError as error:
        pytest.skip(str(error))
    cell = {"treatment": {"precision": "fp32", **(treatment or {})}, "version": version}
    affinity = sorted(os.sched_getaffinity(0))[:1] if hasattr(os, "sched_getaffinity") else None
    job = write_job(
        folder / "job", runtime.worker.module, graph=graph, onnx=True, cell=cell, affinity=affinity, **changes
    )
    result = folder / "result"
    result.mkdir()
    outcome = run_job(prepared, job, result, seconds=120)
    assert outcome.status == "ok", outcome
    said = json.loads((result / "result.json").read_text())
    if said["status"] == "ok":
        _check(result, graph)
    getattr(runtime, "condense", lambda _: None)(result)
    evidence = runtime.read(result)
    return Live(said, graph, result, evidence, runtime.attribute(graph, evidence))


def _check(result: Path, graph: Graph) -> None:
    with np.load(result / "outputs.npz") as archive:
        outputs = {name: archive[name] for name in archive.files}
    checked = check_outputs(outputs, probe_reference(graph), error_bound(graph, "fp32"))
    assert checked.valid, checked
    slices = json.loads((result / "samples.json").read_text())["slices"]
    assert sum(len(row["latency_ms"]) for row in slices) >= 10
    assert all(value > 0 for row in slices for value in row["latency_ms"])


def uncovered(live: Live) -> set[str]:
    """Return the source ops that no layer carries."""
    carried = {name for layer in live.engine.layers for name in layer.source_ops}
    return {op.name for op in live.graph.ops} - carried
