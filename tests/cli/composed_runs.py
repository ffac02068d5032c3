"""Bundles whose build times are composed, and a command called as a shell would."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from harness.matrix.cell import Cell, Treatment
from harness.store.bundle import Bundle
from harness.store.documents.build import Build
from harness.store.documents.manifest import Manifest
from harness.store.documents.origin import Host
from tests.observations.kept_networks import keep_network

NOISE = (1.0, 1.004, 0.996)


def bundle(
    root: Path,
    latencies: dict[str, float],
    builds: Sequence[float] = NOISE,
    *,
    treatment: Treatment | None = None,
    graph: float | None = None,
    runtime: str = "openvino",
) -> Path:
    """A run of one network with a cell a version; the latency of each build is composed.

    :param graph: time as a CUDA graph, of the latency
    """
    made = Bundle.create(root, Manifest(run=root.name, state="complete"))
    for version, latency in latencies.items():
        cell = Cell("mobilenet_v2", treatment or Treatment(), runtime, version, "venv")
        made.set_cell(cell, "measured")
        keep_network(made, cell)
        for number, factor in enumerate(builds):
            files = made.root / f"incoming-{number}"
            (files / "evidence").mkdir(parents=True)
            (files / "result.json").write_text('{"facts": {}}', encoding="utf-8")
            passes = {"latency": factor} if graph is None else {"latency": factor, "cuda_graph": graph}
            windows = [
                {"pass": name, "window": 0, "clock": "host", "latency_ms": [latency * of_it] * 5}
                for name, of_it in passes.items()
            ]
            (files / "samples.json").write_text(json.dumps({"windows": windows}), encoding="utf-8")
            host = Host(machine="host-a", device="cpu")
            made.put_build(files, Build(cell=cell.id, build=number, status="ok", host=host, round=number))
    made.save()
    return root


def call(command: Any, *words: str) -> int:
    """Parse *words* with the one command of the module *command*, and run it."""
    parser = argparse.ArgumentParser()
    command.add_parser(parser.add_subparsers())
    name = command.__name__.rpartition(".")[2]
    arguments = parser.parse_args([name, *words])
    return int(arguments.func(arguments))
