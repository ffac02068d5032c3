"""What a container costs: one engine in processes of containers and of a virtual environment, side by side.

    python benchmarks/container_cost.py MATRIX [--processes 6] [--out cost.json]

MATRIX names one version with an image of wheels (``8.5.3.1+stand-in-2022``, environment docker) and the same
release in environment venv. For each of its networks and treatments one engine is built in the virtual
environment. Then so many processes in containers, and twice as many in the virtual environment (``venv`` and
``aa``), load the same bytes and take turns, one slice of each a cycle. Printed: start (until the engine is
loaded), latency and enqueue of the three, and container and ``aa`` over ``venv`` with 95 % intervals over
processes. Pairs of the same environment say what the method itself shows where nothing differs.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from harness.analysis.statistics.lockstep import process_values, slice_table, slice_value
from harness.execution.further import FurtherProcess
from harness.execution.inputs import InputStore
from harness.execution.job import JobSettings, OpenJob
from harness.execution.measuring import settings_for
from harness.execution.plan import Choices, make_plan
from harness.matrix.cell import Cell
from harness.plugins import registry
from harness.worker.lockstep import Lockstep, load
from harness.worker.result import KEPT

ARMS = ("venv", "aa", "docker")
COLUMNS = ("latency_ms", "enqueue_ms")


class Arm:
    """The processes of one arm: *kind* of environment, and how long each took to be ready."""

    def __init__(self, prepared: Any) -> None:
        self.prepared = prepared
        self.processes: list[FurtherProcess] = []
        self.ready: list[float] = []


def measured(cells: dict[str, Cell], settings: JobSettings, processes: int, scratch: Path) -> dict[str, Any]:
    """Return what the processes of one network and treatment took; :param cells: by environment"""
    parts = registry.parts()
    cell = cells["venv"]
    runtime = parts.runtimes[cell.runtime]
    prepared = {
        name: parts.environments[name].prepare(runtime, one.version, say) for name, one in cells.items()
    }
    inputs = InputStore(scratch / "inputs", parts.networks, settings.seed).get(cell)
    first = OpenJob(cell, 0, inputs, runtime, prepared["venv"], settings, scratch)
    arms = {name: Arm(prepared["docker" if name == "docker" else "venv"]) for name in ARMS}
    try:
        load(first.driven)
        if first.driven.over:
            raise SystemExit(f"{cell.id}: {first.end().document.reason}")
        kept = first._result / KEPT
        for number in range(1, processes + 1):
            for place, arm in enumerate(arms.values()):
                began = time.monotonic()
                one = FurtherProcess(
                    arm.prepared, first._job, [*first._files, kept], scratch, settings.limits,
                    3 * number + place,
                )  # fmt: skip
                arm.processes.append(one)
                load(one.driven)
                arm.ready.append(time.monotonic() - began)
            say(f"{cell.id}: {3 * number} of {3 * processes} processes are ready")
        everyone = [one.driven for arm in arms.values() for one in arm.processes]
        lockstep = Lockstep(settings.seed, say)
        lockstep.measure(everyone)
        lockstep.close([first.driven, *everyone])
    finally:
        lost = {name: [why for one in arm.processes if (why := one.end())] for name, arm in arms.items()}
        built = first.end()
    return {
        "cell": {name: one.id for name, one in cells.items()},
        "build": {"status": built.document.status, "reason": built.document.reason},
        "environment": {name: dict(one.facts) for name, one in prepared.items()},
        "lost": lost,
        "ready_seconds": {name: arm.ready for name, arm in arms.items()},
        "passes": {
            name: {column: compared(arms, name, column) for column in COLUMNS} for name in everyone[0].passes
        },
    }


def compared(arms: dict[str, Arm], name: str, column: str) -> dict[str, Any]:
    """Return median of each process and arm of the pass *name*, and ratios to ``venv`` with intervals."""
    rows: list[tuple[int, int, float]] = []
    owners: list[str] = []
    for arm_name, arm in arms.items():
        for one in arm.processes:
            number = len(owners)
            owners.append(arm_name)
            slices = [row for row in one.driven.samples.slices if row["pass"] == name and row[column]]
            rows += [(number, row["cycle"], slice_value(row[column], 0)) for row in slices]
    if not rows:
        return {}
    process, cycle, value = (np.array(part) for part in zip(*rows, strict=True))
    found = process_values(slice_table(process, cycle, value, len(owners))).values
    level = {
        arm: [float(np.median(value[process == n])) for n, own in enumerate(owners) if own == arm]
        for arm in arms
    }
    of = {arm: found[[own == arm for own in owners]] for arm in arms}
    return {
        "process_ms": level,
        "median_ms": {arm: float(np.median(values)) for arm, values in level.items()},
        "over_venv": {arm: ratio(of["venv"], of[arm]) for arm in arms if arm != "venv"},
    }


def ratio(old: Any, new: Any) -> list[float]:
    """Return new / old and its 95 % interval, of logarithms of processes (Welch)."""
    from scipy import stats

    old, new = old[np.isfinite(old)], new[np.isfinite(new)]
    interval = stats.ttest_ind(new, old, equal_var=False).confidence_interval(0.95)
    return [float(np.exp(x)) for x in (new.mean() - old.mean(), interval.low, interval.high)]


def pairs(cells: Sequence[Cell]) -> list[dict[str, Cell]]:
    """Return the cells that are the same but for the environment, by environment."""
    found: dict[tuple[str, ...], dict[str, Cell]] = {}
    for cell in cells:
        key = (cell.subject, cell.runtime, cell.version.partition("+")[0])
        found.setdefault(key, {})[cell.environment] = cell
    return [one for one in found.values() if set(one) == {"venv", "docker"}]


def say(line: str) -> None:
    """Print a line of progress."""
    print(line, file=sys.stderr, flush=True)


def main() -> None:
    """Measure each pair of the matrix and print what it took."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("matrix", type=Path)
    parser.add_argument("--processes", type=int, default=6, help="of each arm")
    parser.add_argument("--out", type=Path, help="write everything there as JSON, too")
    asked = parser.parse_args()
    plan = make_plan(Choices(matrix=asked.matrix), registry.parts())
    settings = replace(settings_for(plan, plan.matrix.seed or 1), processes=2)
    found = []
    for cells in pairs(plan.cells):
        with tempfile.TemporaryDirectory(dir=Path.cwd(), prefix=".cost-") as scratch:
            found.append(measured(cells, settings, asked.processes, Path(scratch)))
        if asked.out:
            asked.out.write_text(json.dumps(found, indent=1, default=str), encoding="utf-8")
        told = found[-1]
        print(told["cell"]["venv"])
        for arm, seconds in told["ready_seconds"].items():
            print(f"  ready after {np.median(seconds):.2f} s in {arm}")
        for name, columns in told["passes"].items():
            for column, one in columns.items():
                if one:
                    ways = ", ".join(
                        f"{arm}/venv {x[0]:.4f} [{x[1]:.4f}, {x[2]:.4f}]"
                        for arm, x in one["over_venv"].items()
                    )
                    print(f"  {name} {column}: venv {one['median_ms']['venv']:.5f}; {ways}")


if __name__ == "__main__":
    main()
