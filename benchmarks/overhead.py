"""The harness's own overhead: wall time of runs over the time inside build and measurement.

    python benchmarks/overhead.py RUN...

Reads stored runs. *Inside* is the time that the workers spent building, warming up, measuring and profiling
(``run_seconds`` of each build: without process start and imports); *workers* is the time their processes
lived; *run* is everything from the first environment to the written bundle.
"""

from __future__ import annotations

import sys
from pathlib import Path

from harness.store.bundle import Bundle
from harness.store.files import read_json


def main(runs: list[str]) -> None:
    """Print one line a run."""
    print(f"{'run':30} {'builds':>6} {'inside s':>9} {'workers s':>9} {'run s':>8} {'run/inside':>10}")
    for run in runs:
        bundle = Bundle.open(Path(run))
        inside = alive = 0.0
        builds = list(bundle.builds())
        for build in builds:
            alive += build.document.outcome.seconds or 0.0 if build.document.outcome else 0.0
            result = build.folder / "result.json"
            if result.exists():
                inside += read_json(result)["facts"].get("run_seconds", 0.0)
        total = bundle.manifest.seconds["total"]
        ratio = f"{total / inside:10.2f}" if inside else "   unknown"
        print(f"{bundle.root.name:30} {len(builds):6} {inside:9.1f} {alive:9.1f} {total:8.1f} {ratio}")


if __name__ == "__main__":
    main(sys.argv[1:])
