"""Alarms among measurements of one engine, and which slowdowns are seen.

    python benchmarks/judge_same_engine.py SAME.json... [--builds 3] [--pass cuda_graph]

Reads what ``same_engine.py`` printed. A measurement of the same engine in a fresh process stands for a
build; the judgement is the project's own, and the tables those of ``real_aa.py``. Files of the same GPU and
engine are one long series; another GPU or engine is a host of its own, never compared with the first.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import real_aa

from harness.analysis.verdict import LATENCY
from harness.matrix.cell import Cell, Treatment
from harness.observations.records import BuildObservation, CellObservation, RunObservation
from harness.store.documents.manifest import Manifest

SCHEMA = "trtmatrix.same_engine/1"


def main() -> int:
    """Print the tables; exit status as that of ``real_aa.py``."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("files", nargs="+", type=Path)
    parser.add_argument("--builds", type=int, default=3, help="measurements a side of a pair")
    parser.add_argument("--draws", type=int, help="as many pairs, of rounds drawn at random")
    parser.add_argument("--pass", dest="judged", default=LATENCY, metavar="NAME", help="pass to be judged")
    arguments = parser.parse_args()
    documents = [json.loads(path.read_text(encoding="utf-8")) for path in arguments.files]
    for path, document in zip(arguments.files, documents, strict=True):
        if document.get("schema") != SCHEMA:
            print(f"{path}: schema {document.get('schema')!r}, expected {SCHEMA!r}", file=sys.stderr)
            return 2
        if arguments.judged not in document["medians_ms"]:
            names = ", ".join(document["medians_ms"])
            print(f"{path}: no pass {arguments.judged!r}; it has {names}", file=sys.stderr)
            return 2
    base = str(documents[0]["cell"]["network"])
    run = observed(documents, arguments.judged)
    networks = sorted({found.cell.network for found in run.cells}, key=lambda name: (len(name), name))
    slower = [f"{base}={network}" for network in networks if network != base]
    return real_aa.report(run, arguments.builds, slower, draws=arguments.draws)


def observed(documents: Iterable[dict[str, Any]], judged: str = LATENCY) -> RunObservation:
    """Return the pass *judged* as if each measurement were a build of its cell."""
    builds: dict[Cell, list[BuildObservation]] = defaultdict(list)
    for document in documents:
        host = f"{document['gpu']['uuid']} {document['engines']['base'][:15]}"
        # Rounds are numbered on over the files of one host, alike in all arms.
        first = max((b.round + 1 for row in builds.values() for b in row if b.host == host), default=0)
        for arm, medians in document["medians_ms"][judged].items():
            cell = _cell(document, arm)
            for number, value in enumerate(medians, start=first):
                builds[cell].append(
                    BuildObservation(
                        len(builds[cell]), "ok", host, passes={LATENCY: np.array([value])}, round=number
                    )
                )
    cells = tuple(CellObservation(cell, "measured", "", tuple(row)) for cell, row in builds.items())
    return RunObservation((), Manifest(), cells)


def _cell(document: Mapping[str, Any], arm: str) -> Cell:
    said = document["cell"]
    cell = Cell(
        network=str(said["network"]),
        treatment=Treatment.from_json(said["treatment"]),
        runtime=str(said["runtime"]),
        version=str(said["version"]),
        environment=str(said["environment"]),
    )
    if arm == "base":
        return cell
    return replace(cell, repeat="aa") if arm == "aa" else replace(cell, network=arm)


if __name__ == "__main__":
    sys.exit(main())
