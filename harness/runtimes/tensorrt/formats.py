"""Reading of the suite of tensor formats: ``evidence/formats.json`` and the files of each format beside it.

The worker writes one row a format, and for those that were accepted ``layers.NAME-TYPE.json`` and
``profile_samples.NAME-TYPE.json`` in lower case (see :mod:`harness.runtimes.tensorrt.worker.formats`).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from harness.attribution.attribute import attribute
from harness.attribution.format_trial import FormatTrial
from harness.errors import DamagedBundleError
from harness.evidence.reader import read_file
from harness.evidence.records import Evidence
from harness.networks.graph import Graph
from harness.runtimes.tensorrt.evidence import FORMATS, read_facts, read_samples


def read_trials(folder: Path, graph: Graph | None) -> tuple[FormatTrial, ...]:
    """Return the formats that the build in *folder* tried, none where it tried none.

    :param graph: the network, to tell reformats at its edge from those inside
    :raises InputError: a file is torn
    """
    path = folder / "evidence" / FORMATS
    if not path.is_file():
        return ()
    version = str(read_facts(folder / "result.json").get("tensorrt") or "") or None
    try:
        rows = json.loads(path.read_text(encoding="utf-8"))["formats"]
        return tuple(_trial(row, folder / "evidence", version, graph) for row in rows)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DamagedBundleError(path, f"not the worker's list of formats: {error!r}") from None


def _trial(row: Mapping[str, Any], folder: Path, version: str | None, graph: Graph | None) -> FormatTrial:
    name, io_type, accepted = str(row["name"]), str(row["io_type"]), bool(row["accepted"])
    suffix = f"{name}-{io_type}".lower()
    return FormatTrial(
        name=name,
        io_type=io_type,
        accepted=accepted,
        reason=str(row["reason"]),
        latency_ms=_number(row.get("latency_ms")) if accepted else None,
        graph_ms=_number(row.get("cuda_graph_ms")) if accepted else None,
        difference=_number(row.get("relative_difference")),
        engine=attribute(graph, _evidence(folder, suffix, version)) if accepted else None,
    )


def _evidence(folder: Path, suffix: str, version: str | None) -> Evidence:
    described, samples = folder / f"layers.{suffix}.json", folder / f"profile_samples.{suffix}.json"
    return Evidence(
        layers=tuple(read_file(described, tensorrt=version).engine_layers) if described.is_file() else (),
        times=read_samples(samples) if samples.is_file() else (),
    )


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) else None
