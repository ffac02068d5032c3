"""Composed reports of many cells: time to render, size of the page.

    python benchmarks/report_size.py

Each cell has 100 layers and three builds with all passes of a GPU; half of the layer names are shared between
versions, as in real runs. Prints one row for each number of cells: seconds to judge, seconds to render, MB.
What whole commands take on a stored run, stored_run.py measures.
"""

from __future__ import annotations

import random
import time
from pathlib import Path

import numpy as np

from harness.analysis.grid import grid_of
from harness.analysis.judge import judge
from harness.analysis.run_analysis import analyse
from harness.attribution.engine import AttributedEngine, AttributedLayer, KernelFamily, LayerRole
from harness.cli.collector import no_search_for_cycles
from harness.matrix.cell import Cell, Treatment
from harness.networks.graph import op_class
from harness.networks.mobilenet import MobileNetV2
from harness.observations.records import BuildObservation, CellObservation, RunObservation
from harness.plugins import registry
from harness.report.render import render
from harness.store.documents.manifest import Manifest

LAYERS = 100
VERSIONS = 20
BUILDS = 3
FAMILIES = {
    "pointwise": KernelFamily.GEMM,
    "depthwise": KernelFamily.DEPTHWISE,
    "convolution": KernelFamily.IMPLICIT_GEMM,
}


def main() -> None:
    """Measure 30 and 1,000 cells, as the commands do it."""
    print("cells  judge, s  render, s  page, MB")
    for cells in (30, 1000):
        run = composed(cells)
        with no_search_for_cycles():
            judging, rendering, size = measured(run)
        print(f"{cells:5}  {judging:8.2f}  {rendering:9.2f}  {size:8.3f}")


def measured(run: RunObservation) -> tuple[float, float, float]:
    """Return the seconds to judge *run* and to make its page, and the page's MB."""
    rules = registry.bottlenecks()
    start = time.perf_counter()
    grid = grid_of(run)
    verdicts = judge(grid, rules=rules)
    judged = time.perf_counter()
    page = render(analyse(grid, verdicts, rules=rules))
    done = time.perf_counter()
    return judged - start, done - judged, len(page.encode()) / 1e6


def composed(cells: int) -> RunObservation:
    """Return a run of *cells* cells: versions of one runtime across, treatments down."""
    draw = random.Random(1)
    graph = MobileNetV2().graph(1, "clip")
    ops = [(op.name, str(op_class(op))) for op in graph.ops]
    made = []
    for index in range(cells):
        treatment = Treatment(batch=1 + index // VERSIONS)
        cell = Cell("mobilenet_v2", treatment, "tensorrt", f"{index % VERSIONS + 1}.0", "venv")
        builds = []
        for number in range(BUILDS):
            rows = tuple(_layer(place, *ops[place % len(ops)], index, draw) for place in range(LAYERS))
            total = sum(row.time_ms or 0.0 for row in rows)
            samples = np.full(20, total * draw.uniform(0.98, 1.02))
            passes = {"latency": samples, "cuda_graph": 0.8 * samples, "cold_l2": 1.1 * samples}
            engine = AttributedEngine(rows, graph, total, 0.0)
            facts = {"launch_bound": True}
            builds.append(BuildObservation(number, "ok", "host", passes=passes, engine=engine, facts=facts))
        made.append(CellObservation(cell, "measured", "", tuple(builds)))
    return RunObservation((Path("composed"),), Manifest(seed=1), tuple(made))


def _layer(place: int, op: str, kind: str, cell: int, draw: random.Random) -> AttributedLayer:
    name = op if place % 2 else f"{op} + fused_{cell % VERSIONS}"
    kernel = f"sm90_xmma_fprop_implicit_gemm_f32_tilesize{draw.choice((32, 64, 128))}x{place % 8}_nchw"
    return AttributedLayer(
        position=place,
        name=name,
        type="CaskConvolution",
        kernel=kernel,
        tactic=None,
        family=FAMILIES.get(kind, KernelFamily.POINTWISE),
        role=LayerRole.COMPUTE,
        op_class=kind,
        time_ms=draw.uniform(0.001, 0.1),
        source_ops=(op,),
        shares={op: 1.0},
    )


if __name__ == "__main__":
    main()
