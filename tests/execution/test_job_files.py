"""The job folder of a build: what ``job.json`` asks for, and the files that are placed beside it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import onnx
import pytest

from harness.execution.anchors import KeptEngine
from harness.execution.inputs import InputStore, NetworkInputs
from harness.execution.job import JobSettings, earlier_cache, write_job
from harness.execution.measuring import settings_for
from harness.matrix.cell import Cell
from harness.matrix.file import Measure
from harness.runtimes.onnxruntime.runtime import OnnxRuntime
from harness.store.documents.base import read_document
from harness.store.documents.job import Job
from tests.execution.ground import SMALL, Ground


class ReadsNetworks(OnnxRuntime):
    """A runtime that reads the network itself, on a GPU, and keeps its engines."""

    reads_onnx = False
    keeps_engines = True

    def device_of(self, version: str) -> str:
        """A GPU, since 1.0."""
        return "cpu" if version.startswith("0.") else "gpu"

    def onnx_opset(self, version: str) -> int:
        """One of its own."""
        return 11 if version.startswith("1.") else 13


@dataclass(frozen=True)
class Work:
    """What jobs are written with."""

    cell: Cell
    settings: JobSettings
    made: NetworkInputs
    root: Path

    def written(
        self,
        runtime: OnnxRuntime | None = None,
        cell: Cell | None = None,
        cache: Path | None = None,
        kept: KeptEngine | None = None,
        **settings: Any,
    ) -> tuple[Job, Mapping[str, Path]]:
        """Write a job; return it as it is read, and the files beside it by name."""
        folder = self.root / f"job-{len(list(self.root.iterdir()))}"
        folder.mkdir()
        said = replace(self.settings, **settings)
        path, files = write_job(
            cell or self.cell, 2, self.made, runtime or OnnxRuntime(), said, folder, cache, kept
        )
        assert path == folder / "job.json"
        assert sorted(path.name for path in folder.iterdir()) == sorted(["job.json", *names(files)])
        return read_document(path, Job), {file.name: file for file in files}


def names(files: Sequence[Path]) -> list[str]:
    return [path.name for path in files]


@pytest.fixture(scope="module")
def work(tmp_path_factory: pytest.TempPathFactory) -> Work:
    root = tmp_path_factory.mktemp("jobs")
    ground = Ground(root)
    settings = replace(settings_for(ground.plan, 7), affinity=(5,), device="GPU-1", processes=1)
    made = InputStore(root / "inputs", {"small": SMALL}, 1).get(ground.cells[0])
    (root / "jobs").mkdir()
    return Work(ground.cells[0], settings, made, root / "jobs")


def test_a_job_says_what_is_built_of_which_files_and_how_it_is_measured(work: Work) -> None:
    measure = Measure(
        warmup_seconds=0.5,
        minimum_samples=3,
        maximum_samples=9,
        maximum_seconds=2.0,
        relative_half_width=0.02,
        windows=4,
        profile_iterations=6,
        passes=("cold_l2",),
    )
    job, files = work.written(measure=measure)
    assert (job.worker_module, job.build, job.seed) == (OnnxRuntime().worker.module, 2, 7)
    assert job.cell == work.cell.as_json()
    assert (job.network, job.weights, job.inputs, job.onnx) == (
        "network.json", "weights.npz", "inputs.npz", "network.onnx",
    )  # fmt: skip
    assert {name: getattr(job.measure, name) for name in asdict(measure)} == {
        **asdict(measure), "passes": ["cold_l2"],
    }  # fmt: skip
    opset = OnnxRuntime().onnx_opset(work.cell.version)
    sources = {
        "network.json": work.made.network,
        "weights.npz": work.made.weights,
        "inputs.npz": work.made.inputs,
        "network.onnx": work.made.onnx(opset),
    }
    assert {name: path.read_bytes() for name, path in files.items()} == {
        name: path.read_bytes() for name, path in sources.items()
    }


def test_a_network_is_given_as_onnx_where_it_is_read_in_the_runtime_s_own_opset(work: Work) -> None:
    job, files = work.written(ReadsNetworks())
    assert (job.onnx, sorted(files)) == (None, ["inputs.npz", "network.json", "weights.npz"])
    asked = replace(work.cell, treatment=replace(work.cell.treatment, source="onnx"), version="1.0")
    job, files = work.written(ReadsNetworks(), asked)
    assert job.onnx == "network.onnx"
    assert onnx.load(str(files["network.onnx"])).opset_import[0].version == 11


def test_a_gpu_is_named_to_those_that_use_one_and_cpus_to_all(work: Work) -> None:
    assert work.written()[0].device is None
    assert work.written(ReadsNetworks())[0].device == "GPU-1"
    assert work.written(ReadsNetworks(), replace(work.cell, version="0.9"))[0].device is None
    job, _ = work.written(affinity=(5, 6), build_affinity=(1,))
    assert (job.affinity, job.build_affinity) == ([5, 6], [1])
    job, _ = work.written(affinity=None)
    assert (job.affinity, job.build_affinity) == (None, None)
    assert [work.written(peaks=peaks)[0].peaks for peaks in (True, False)] == [True, False]


def test_a_worker_is_told_the_options_of_its_own_runtime(work: Work) -> None:
    options: dict[str, dict[str, object]] = {"onnxruntime": {"level": 3}, "openvino": {"hint": "x"}}
    assert work.written(options=options)[0].options == {"level": 3}
    assert work.written(options={"openvino": {"hint": "x"}})[0].options == {}


def test_an_earlier_timing_cache_lies_beside_the_job(work: Work, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    cache.write_bytes(b"timed")
    options: dict[str, dict[str, object]] = {"onnxruntime": {"level": 3}}
    job, files = work.written(cache=cache, options=options)
    assert job.options == {"level": 3, "timing_cache_file": "timing.cache"}
    assert files["timing.cache"].read_bytes() == b"timed"
    assert options == {"onnxruntime": {"level": 3}}, "the run's own are those of the next build too"
    assert "timing.cache" not in work.written()[1]


@pytest.mark.parametrize(("processes", "runtime", "keeps"), [
    (1, ReadsNetworks(), False),
    (2, ReadsNetworks(), True),
    (2, OnnxRuntime(), False),
])  # fmt: skip
def test_an_engine_is_kept_for_further_processes_where_its_runtime_can(
    work: Work, processes: int, runtime: OnnxRuntime, keeps: bool
) -> None:
    job, _ = work.written(runtime, processes=processes)
    assert (job.keep_engine, job.engine) == (keeps, None)


def test_an_anchor_s_engine_is_kept_for_later_nights_or_loaded(work: Work, tmp_path: Path) -> None:
    job, files = work.written(ReadsNetworks(), kept=KeptEngine("name", None))
    assert (job.keep_engine, job.engine) == (True, None)
    assert "engine.plan" not in files
    engine = tmp_path / "0.plan"
    engine.write_bytes(b"engine")
    job, files = work.written(ReadsNetworks(), kept=KeptEngine("name", engine), processes=2)
    assert (job.keep_engine, job.engine) == (False, "engine.plan")
    assert files["engine.plan"].read_bytes() == b"engine"


def test_a_build_begins_with_the_cache_of_the_latest_before_it(tmp_path: Path) -> None:
    ground = Ground(tmp_path)
    bundle, cell = ground.bundle(), ground.cells[0]
    keeping = replace(cell, treatment=replace(cell.treatment, timing_cache="on"))
    for number in (0, 1, 3):
        evidence = bundle.build_folder(keeping.id, number) / "evidence"
        evidence.mkdir(parents=True)
        if number != 1:  # a build that failed left none
            (evidence / "timing.cache").touch()
    found = [earlier_cache(bundle, keeping, number) for number in range(5)]
    caches = [bundle.build_folder(keeping.id, number) / "evidence" / "timing.cache" for number in (0, 3)]
    assert found == [None, caches[0], caches[0], caches[0], caches[1]]
    assert earlier_cache(bundle, cell, 4) is None
