"""The harness's own overhead: wall time of runs over the time inside build and measurement.

    python benchmarks/overhead.py RUN...

Reads stored runs. *Inside* is the time that the workers spent building, warming up, measuring and profiling
(``run_seconds`` of each build), *imports* what their modules took to import. *Before* is from the start of
the run to its first build, *prepare* (environments, inputs and references) and *waiting* (for a device that
another run measured on) apart. *Blocks* is from the first start to the last end of each block, *after* the
rest. The ratio is of the run without *prepare* and *waiting* over inside and imports; that in blocks leaves
*before* and *after* out.
"""

from __future__ import annotations

import sys
from collections import defaultdict
from datetime import datetime
from pathlib import Path

from harness.store.bundle import BuildRecord, Bundle
from harness.store.files import read_json

TIMES = ("inside s", "imports s", "prepare s", "waiting s", "before s", "blocks s", "after s", "run s")
COLUMNS = ("builds", *TIMES, "ratio", "in blocks")


def main(runs: list[str]) -> None:
    """Print one line a run."""
    print(f"{'run':30} " + " ".join(f"{name:>9}" for name in COLUMNS))
    for run in runs:
        bundle = Bundle.open(Path(run))
        print(f"{bundle.root.name:30} " + " ".join(f"{cell:>9}" for cell in _line(bundle)))


def _line(bundle: Bundle) -> list[str]:
    builds = [one for one in bundle.builds() if one.document.started and one.document.ended]
    facts = {id(one): _facts(one) for one in builds}
    inside = sum(facts[id(one)].get("run_seconds", 0.0) for one in builds)
    blocks: dict[str, list[BuildRecord]] = defaultdict(list)
    for one in builds:
        blocks[one.document.block or f"{one.cell_id} {one.build}"].append(one)
    imports = sum(facts[id(one)].get("import_seconds", 0.0) for one in builds)
    within = sum((max(map(_ended, own)) - min(map(_started, own))).total_seconds() for own in blocks.values())
    seconds = bundle.manifest.seconds
    total, prepare, waiting = (seconds.get(name, 0.0) for name in ("total", "prepare", "waiting"))
    begun = bundle.manifest.started
    first = min(map(_started, builds), default=None)
    before = 0.0
    if begun is not None and first is not None:
        before = max(0.0, (first - begun).total_seconds() - prepare - waiting)
    busy = inside + imports
    ratios = [f"{wall / busy:.2f}" if busy else "unknown" for wall in (total - prepare - waiting, within)]
    after = total - prepare - waiting - before - within
    times = (inside, imports, prepare, waiting, before, within, after, total)
    return [str(len(builds)), *(f"{time:.1f}" for time in times), *ratios]


def _facts(build: BuildRecord) -> dict[str, float]:
    path = build.folder / "result.json"
    return dict(read_json(path)["facts"]) if path.exists() else {}


def _started(build: BuildRecord) -> datetime:
    assert build.document.started is not None
    return build.document.started


def _ended(build: BuildRecord) -> datetime:
    assert build.document.ended is not None
    return build.document.ended


if __name__ == "__main__":
    main(sys.argv[1:])
