from __future__ import annotations

import os
import re
import signal
import threading
import time
from collections.abc import Generator
from dataclasses import replace

import numpy as np
import psutil
import pytest

from harness.execution import inputs
from harness.execution.base import Block, EndedBuild, MeasureBlock
from harness.execution.job import earlier_cache
from harness.execution.local import LocalExecutor
from harness.networks.graph import Graph
from harness.plugins.reading import observe
from harness.store.bundle import Bundle
from harness.store.documents.build import Build
from harness.store.parquet import read_table
from tests.execution.ground import SMALL, Ground


def states(bundle: Bundle) -> list[str]:
    return [record.status for record in Bundle.open(bundle.root).cells()]


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> tuple[Ground, Bundle]:
    """Two rounds of both cells that nothing disturbed."""
    ground = Ground(tmp_path_factory.mktemp("measured"))
    bundle = ground.bundle()
    ground.schedule(bundle, rounds=2).run()
    return ground, bundle


def test_every_cell_is_measured_once_a_round(measured: tuple[Ground, Bundle]) -> None:
    ground, bundle = measured
    assert states(bundle) == ["measured", "measured"]
    assert [(b.cell_id, b.build, b.document.round) for b in bundle.builds()] == [
        (cell.id, build, build) for cell in ground.cells for build in (0, 1)
    ]
    assert Bundle.open(bundle.root).manifest.state == "complete"
    assert not list(bundle.root.glob(".work-*"))


def test_outputs_agree_and_every_layer_has_a_time(measured: tuple[Ground, Bundle]) -> None:
    builds = [build for cell in observe([measured[1].root]).cells for build in cell.builds]
    assert len(builds) == 4
    for build in builds:
        assert build.outputs is not None
        assert build.outputs.valid
        assert build.engine is not None
        assert build.engine.total_ms > 0
        assert build.engine.unattributed_ms == 0
        named = {name for layer in build.engine.layers for name in layer.source_ops}
        assert named == {op.name for op in SMALL.graph().ops}


def test_the_tables_hold_what_the_worker_left(measured: tuple[Ground, Bundle]) -> None:
    ground, bundle = measured
    rows = read_table(bundle.root / "samples.parquet")
    assert {row["cell"] for row in rows} == {cell.id for cell in ground.cells}
    for cell in observe([bundle.root]).cells:
        for build in cell.builds:
            of_it = [row for row in rows if (row["cell"], row["build"]) == (cell.cell.id, build.build)]
            mine = [row["latency_ms"] for row in of_it if row["pass"] == "latency"]
            np.testing.assert_array_equal(mine, build.passes["latency"])
    assert read_table(bundle.root / "layer_times.parquet")


def test_progress_counts_builds_and_says_no_time_within_the_last_block(
    measured: tuple[Ground, Bundle],
) -> None:
    steps = [line for line in measured[0].said if line.startswith("[")]
    assert [step[:5] for step in steps] == ["[1/4]", "[2/4]", "[3/4]", "[4/4]"]
    assert all(re.search(r"round [12]/2  small-", step) and "left" not in step for step in steps)


def test_a_killed_worker_fails_its_cell_and_the_rest_is_measured(ground: Ground) -> None:
    ground.plan = ground.make_plan(seconds=2.0, samples=50_000)
    bundle = ground.bundle()
    killed: list[int] = []

    def kill_the_first_worker() -> None:
        until = time.monotonic() + 60
        while not killed and time.monotonic() < until:
            for child in psutil.Process().children(recursive=True):
                try:
                    if "harness.worker" in child.cmdline() and child.cpu_times().user > 0.5:
                        os.kill(child.pid, signal.SIGKILL)
                        killed.append(child.pid)
                        return
                except psutil.Error:
                    continue
            time.sleep(0.02)

    killer = threading.Thread(target=kill_the_first_worker)
    killer.start()
    ground.schedule(bundle).run()
    killer.join()
    assert killed
    assert sorted(states(bundle)) == ["failed", "measured"]
    (failed,) = [record for record in bundle.cells() if record.status == "failed"]
    assert "signal 9" in failed.reason
    assert len(observe([bundle.root]).cells) == 2


def test_a_wrong_weight_makes_the_cell_invalid(ground: Ground, monkeypatch: pytest.MonkeyPatch) -> None:
    # The file that the worker is given is spoiled, not the answer: reference and comparison are real.
    real = inputs.to_onnx

    def spoiled(graph: Graph, opset: int) -> object:
        key = next(key for op in graph.ops for role, key in op.weights.items() if role == "kernel")
        weights = dict(graph.weights)
        weights[key] = weights[key].copy()
        weights[key].flat[0] += 3.0
        return real(replace(graph, weights=weights), opset)

    monkeypatch.setattr(inputs, "to_onnx", spoiled)
    bundle = ground.bundle()
    ground.schedule(bundle).run()
    assert states(bundle) == ["invalid", "invalid"]
    assert all("is allowed" in record.reason for record in bundle.cells())
    assert all(not cell.good for cell in observe([bundle.root]).cells)


def test_a_resumed_run_measures_only_what_is_missing(ground: Ground) -> None:
    bundle = ground.bundle()
    ground.schedule(bundle).run()
    first = {b.cell_id: b.document.started for b in bundle.builds()}
    again = Bundle.open(bundle.root)
    seconds = again.manifest.seconds
    ground.schedule(again, rounds=2).run()
    # What the harness itself cost is said of all builds, not of the last visit.
    assert all(again.manifest.seconds[what] > seconds[what] for what in ("prepare", "total"))
    builds = list(again.builds())
    assert [b.build for b in builds] == [0, 1, 0, 1]
    assert {b.cell_id: b.document.started for b in builds if b.build == 0} == first


def test_a_failed_build_is_measured_again_only_if_asked(ground: Ground) -> None:
    bundle = ground.bundle()
    cell = ground.cells[0]
    files = bundle.root / "dead"
    files.mkdir()
    bundle.put_build(files, Build(cell=cell.id, build=0, status="failed", reason="died"))
    ground.schedule(bundle).run()
    assert states(bundle) == ["failed", "measured"]
    ground.schedule(bundle, retry_failed=True).run()
    assert states(bundle) == ["measured", "measured"]


def test_a_version_that_is_not_here_is_unavailable_with_its_reason(ground: Ground) -> None:
    ground.plan = replace(
        ground.plan, cells=(ground.cells[0], replace(ground.cells[1], version="1.0.0", repeat=""))
    )
    bundle = ground.bundle()
    ground.schedule(bundle).run()
    found = {r.cell.version: r for r in bundle.cells()}
    assert found["1.0.0"].status == "unavailable"
    assert "onnxruntime" in found["1.0.0"].reason


def test_a_timing_cache_is_that_of_the_latest_earlier_build(ground: Ground) -> None:
    bundle, cell = ground.bundle(), ground.cells[0]
    keeping = replace(cell, treatment=replace(cell.treatment, timing_cache="on"))
    assert earlier_cache(bundle, keeping, 2) is None
    for number in (0, 1):
        folder = bundle.build_folder(keeping.id, number) / "evidence"
        folder.mkdir(parents=True)
        (folder / "timing.cache").write_bytes(bytes([number]))
    found = earlier_cache(bundle, keeping, 2)
    assert found is not None
    assert found.read_bytes() == b"\1"
    assert earlier_cache(bundle, keeping, 0) is None
    assert earlier_cache(bundle, cell, 2) is None


def test_files_of_a_build_come_into_being_on_the_bundle_s_file_system(ground: Ground) -> None:
    """A folder appears whole by a rename, which works nowhere else."""
    bundle, parts = ground.bundle(), ground.parts()
    seen: list[bool] = []

    class Looking(LocalExecutor):
        def run(self, block: Block, measure: MeasureBlock) -> Generator[EndedBuild, None, None]:
            for build in super().run(block, measure):
                seen.append(bundle.root in build.result.folder.parents)
                yield build

    ground.schedule(bundle, replace(parts, executors={"local": Looking()})).run()
    assert seen == [True, True]
