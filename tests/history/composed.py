"""Nights whose build times are composed: bundles of one small run each, and grids of them."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import MappingProxyType

from harness.analysis.grid import grid_of
from harness.history.adding import add
from harness.history.records import Added
from harness.matrix.cell import Cell, Treatment
from harness.plugins.reading import observe
from harness.store.bundle import Bundle
from harness.store.documents.build import Build, Outputs
from harness.store.documents.manifest import Manifest
from harness.store.documents.origin import Host, Software
from tests.observations.kept_networks import keep_network

FIRST = datetime(2026, 1, 30, 2, 0, tzinfo=UTC)
NOISE = (1.0, 1.004, 0.996)


def night_bundle(
    folder: Path,
    number: int,
    latencies: Mapping[str, float],
    builds: Sequence[float] = NOISE,
    *,
    driver: str = "535.1",
    host: str = "host-a",
    engines: Mapping[str, str] = MappingProxyType({}),
    wrong: Collection[str] = (),
) -> Path:
    """Make the bundle of night *number*: a cell a version, the latency of each build composed; return it.

    :param engines: version to what its engines are called that are kept over nights
    :param wrong: versions whose outputs are out of bounds
    """
    started = FIRST + timedelta(days=number)
    root = folder / f"{started:%Y%m%d-%H%M%S}-{host}"
    made = Bundle.create(root, Manifest(run=root.name, state="complete", started=started))
    software = Software(version="1", environment="venv", driver=driver)
    for version, latency in latencies.items():
        cell = Cell("mobilenet_v2", Treatment(), "openvino", version, "venv")
        made.set_cell(cell, "invalid" if version in wrong else "measured")
        keep_network(made, cell)
        for build, factor in enumerate(builds):
            files = made.root / "incoming"
            files.mkdir()
            (files / "evidence").mkdir()
            (files / "result.json").write_text('{"facts": {"build_seconds": 2.5}}', encoding="utf-8")
            taken = {"pass": "latency", "window": 0, "clock": "host", "latency_ms": [latency * factor] * 5}
            (files / "samples.json").write_text(json.dumps({"windows": [taken]}), encoding="utf-8")
            made.put_build(
                files,
                Build(
                    cell=cell.id,
                    build=build,
                    status="invalid" if version in wrong else "ok",
                    outputs=Outputs(valid=False, error=1.0, bound=0.1) if version in wrong else None,
                    host=Host(machine=host, device="cpu"),
                    software=software,
                    started=started + timedelta(seconds=build),
                    kept_engine=engines.get(version, ""),
                ),
            )
    made.save()
    return root


def add_night(history: Path, bundle: Path) -> Added:
    """Add *bundle* to *history*, without any rule of bottlenecks."""
    return add(history, Bundle.open(bundle), lambda: grid_of(observe([bundle])), {})
