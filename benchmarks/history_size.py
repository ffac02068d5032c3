"""A year of nights with ten million layer rows: how long what is asked of it takes, and how much memory.

    python benchmarks/history_size.py [--nights 365] [--rows 10000000] [--add RUN...]

The history is generated: 14 cells of 15 measures each (210 series), five builds a cell. ``--add`` names real
runs; each is added to a new history by the command, as from a shell. All is done three times, the middle is
printed; the memory is the most that this process has had so far, or the command.
"""

from __future__ import annotations

import argparse
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from harness.cli.collector import no_search_for_cycles
from harness.history.changes import with_changes
from harness.history.folder import make_history, night_file, open_history, table_file
from harness.history.reading import connect, layers, readable, series
from harness.history.records import Filter
from harness.history.schema import BUILDS, LAYERS, POINTS
from harness.store.documents.base import write_document
from harness.store.documents.night import Night

CELLS, BUILDS_A_CELL = 14, 5
MEASURES = (
    "latency",
    "latency:cuda_graph",
    "layers",
    *(f"class:{name}" for name in ("pointwise", "depthwise", "convolution", "activation", "reformat")),
    *(f"cost:{name}" for name in ("pointwise", "depthwise", "reformat", "relu6")),
    "build_seconds",
    "engine_bytes",
    "device_memory_bytes",
)
FIRST = datetime(2026, 1, 1, 2, tzinfo=UTC)


def write_night(root: Path, number: int, rows: int, random: np.random.Generator) -> None:
    """Write one night with *rows* layers."""
    run, started = f"night-{number:04}", FIRST + timedelta(days=number)
    cells = [f"mobilenet_v2-fp32-b{cell + 1}-clip-tensorrt-8.6.1" for cell in range(CELLS)]
    keys = [(cell, measure) for cell in range(CELLS) for measure in MEASURES]
    values = np.exp(random.normal(0.0, 0.005, (len(keys), BUILDS_A_CELL)))
    points = [
        {
            **dict.fromkeys((name for name in POINTS.names if name.startswith("fact_")), "unknown"),
            "night": run,
            "started": started,
            "host": "host-a",
            "network": "mobilenet_v2",
            "treatment": f"fp32-b{cell + 1}-clip",
            "runtime": "tensorrt",
            "version": "8.6.1",
            "environment": "docker",
            "repeat": "",
            "cell": cells[cell],
            "measure": measure,
            "unit": "ms",
            "value": float(own.mean()),
            "low": float(own.min()),
            "high": float(own.max()),
            "values": own.tolist(),
        }
        for (cell, measure), own in zip(keys, values, strict=True)
    ]
    builds = [
        {
            "night": run,
            "started": started,
            "host": "host-a",
            "cell": cell,
            "build": build,
            "status": "ok",
            "digest": "0" * 16,
            "latency_ms": 1.0,
        }
        for cell in cells
        for build in range(BUILDS_A_CELL)
    ]
    a_build = rows // (CELLS * BUILDS_A_CELL)
    place = np.arange(a_build * CELLS * BUILDS_A_CELL)
    names = np.array([f"block_{at}/expand/Conv2D + block_{at}/expand/Relu6" for at in range(a_build)])
    classes = np.array(["pointwise", "depthwise", "reformat", "activation"])
    table = pa.table(
        {
            "night": pa.array([run]).take(pa.array(np.zeros(place.size, dtype=np.int64))),
            "cell": np.array(cells)[place // (a_build * BUILDS_A_CELL)],
            "build": (place // a_build % BUILDS_A_CELL).astype(np.int32),
            "position": (place % a_build).astype(np.int32),
            "name": names[place % a_build],
            "op_class": classes[place % 4],
            "kernel": names[place % a_build],
            "ms": random.random(place.size) * 0.01,
        },
        schema=LAYERS,
    )
    files = []
    made = {
        "points": pa.Table.from_pylist(points, schema=POINTS),
        "builds": pa.Table.from_pylist(builds, schema=BUILDS),
        "layers": table,
    }
    for name, content in made.items():
        target = table_file(root, name, started, "host-a", f"{run}-00000000")
        target.parent.mkdir(parents=True, exist_ok=True)
        pq.write_table(content, target, compression="zstd")
        files.append(target.relative_to(root).as_posix())
    night = Night(
        run=run, started=started, added=started, digest="0" * 16, builds=len(builds), series=len(points),
        hosts=["host-a"], versions=["tensorrt 8.6.1"], files=files,
    )  # fmt: skip
    write_document(night_file(root, run), night)


def timed(name: str, ask: Callable[[], object]) -> None:
    """Print how long *ask* takes, wall and CPU time, as the commands ask: without a search for cycles."""
    taken = []
    for _ in range(3):
        begin, used = time.perf_counter(), time.process_time()
        with no_search_for_cycles():
            found = ask()
        taken.append((time.perf_counter() - begin, time.process_time() - used))
    row(name, taken, resource.RUSAGE_SELF, found)


def row(name: str, taken: Sequence[tuple[float, float]], who: int, found: object) -> None:
    """Print the middle of what was *taken*, wall and CPU time, and the memory of *who*."""
    wall, cpu = (statistics.median(values) for values in zip(*taken, strict=True))
    memory = resource.getrusage(who).ru_maxrss / 1024
    print(f"| {name} | {wall:.2f} | {cpu:.2f} | {memory:.0f} | {found} |", flush=True)


def added(run: Path, folder: Path) -> None:
    """Print what the command takes that adds *run* to a history of its own below *folder*."""
    taken, said = [], ""
    for number in range(3):
        history = folder / f"{run.name}-{number}"
        command = [sys.executable, "-m", "harness.cli", "history", "add", str(run), "--history", str(history)]
        begin, before = time.perf_counter(), _of_children()
        said = subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()
        taken.append((time.perf_counter() - begin, _of_children() - before))
    row(f"history add {run.name}", taken, resource.RUSAGE_CHILDREN, said)


def _of_children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def heaviest(root: Path) -> int:
    """Return how many layers have a mean over all nights: a query that reads every row."""
    connection = connect()
    files, _ = readable(open_history(root), connection, "layers")
    query = (
        "SELECT cell, name, avg(ms), quantile_cont(ms, 0.5) FROM read_parquet(?, hive_partitioning = false) "
        "GROUP BY cell, name"
    )
    return len(connection.execute(query, [files]).fetchall())


def main() -> None:
    """Generate the history, ask, and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--nights", type=int, default=365)
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--add", type=Path, nargs="+", default=(), metavar="RUN")
    arguments = parser.parse_args()
    random = np.random.default_rng(19)
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder) / "history"
        make_history(root)
        for number in range(arguments.nights):
            write_night(root, number, arguments.rows // arguments.nights, random)
        size = sum(path.stat().st_size for path in root.rglob("*") if path.is_file())
        print(f"{arguments.nights} nights, {arguments.rows} layer rows, {size / 1e6:.0f} MB on disk")
        print("| question | wall, s | CPU, s | memory, MiB | found |")
        print("|---|---|---|---|---|")
        last = f"night-{arguments.nights - 1:04}"
        cell = "mobilenet_v2-fp32-b1-clip-tensorrt-8.6.1"
        latency = Filter(measure="latency*")
        timed("the index", lambda: len(open_history(root).nights))
        timed("all series of latencies", lambda: len(series(open_history(root), latency).series))
        timed("all series", lambda: len(series(open_history(root)).series))
        timed("layers of a cell in one night", lambda: len(layers(open_history(root), cell, last)))
        found = series(open_history(root)).series
        timed(
            f"change points of {len(found)} series", lambda: sum(len(x.changes) for x in with_changes(found))
        )
        timed("mean and median of every layer over all nights", lambda: heaviest(root))
        for run in arguments.add:
            added(run, Path(folder))


if __name__ == "__main__":
    main()
