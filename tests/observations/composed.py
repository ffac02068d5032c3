"""Bundles written by our writers, whose builds differ from each other in what identifies them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from harness.matrix.cell import Cell, Treatment
from harness.observations.identity import Host, Software
from harness.store.bundle import Bundle
from harness.store.documents.build import Build
from harness.store.documents.manifest import Manifest

CELL = Cell("mobilenet_v2", Treatment(), "onnxruntime", "1.22.1", "venv")
NIGHT = datetime(2026, 11, 1, 2, 0, tzinfo=UTC)
VENV = Software(version="1.22.1", environment="venv", fingerprint="sha256:v", driver="none")
MACHINE = Host(machine="m-1", device="cpu")


def bundle(
    root: Path,
    *,
    cell: Cell = CELL,
    run: str = "",
    digest: str = "sha256:1",
    software: Software = VENV,
    host: Host = MACHINE,
    rounds: Sequence[int] = (0, 1),
    began: datetime = NIGHT,
    milliseconds: float = 4.0,
    facts: dict[str, Any] | None = None,
) -> Path:
    """A run of *cell* with a build a round; a run is called after its folder unless *run* says otherwise."""
    run = run or root.name
    made = Bundle.create(root, Manifest(run=run, state="complete", started=began, rounds=len(rounds)))
    made.set_cell(cell, "measured", digest=digest)
    for number in rounds:
        files = root / "incoming"
        (files / "evidence").mkdir(parents=True)
        (files / "result.json").write_text(json.dumps({"facts": facts or {}}), encoding="utf-8")
        times = [milliseconds * (1 + 0.001 * number)] * 5
        window = {"pass": "latency", "window": 0, "clock": "host", "latency_ms": times}
        (files / "samples.json").write_text(json.dumps({"windows": [window]}), encoding="utf-8")
        started = began + timedelta(minutes=number)
        made.put_build(
            files,
            Build(
                cell=cell.id,
                build=number,
                round=number,
                status="ok",
                run=run,
                pool=run,
                digest=digest,
                software=software,
                host=host,
                started=started,
                ended=started + timedelta(seconds=30),
            ),
        )
    made.save()
    return root
