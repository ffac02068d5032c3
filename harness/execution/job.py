"""One build of one cell: the job folder, the worker, the check of its outputs, the bundle's build."""

from __future__ import annotations

import math
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

import numpy as np
from msgspec import convert, structs

from harness.environments.base import Limits, Outcome, Prepared
from harness.errors import DamagedBundleError, InputError
from harness.execution.anchors import Anchors, KeptEngine
from harness.execution.base import BuildResult, PlannedBuild
from harness.execution.further import FurtherProcess
from harness.execution.inputs import NetworkInputs, needs_onnx, place
from harness.matrix.cell import Cell
from harness.matrix.file import Measure
from harness.networks.bounds import check_outputs, error_bound
from harness.observations.identity import software_of
from harness.runtimes.base import Runtime
from harness.store.bundle import Bundle
from harness.store.documents.base import UNKNOWN, read_document, write_document
from harness.store.documents.build import Build, Outputs
from harness.store.documents.build import Outcome as Ended
from harness.store.documents.job import Job, MeasureSettings
from harness.store.documents.origin import CPU
from harness.store.documents.result import Result
from harness.worker.drive import Driven
from harness.worker.result import KEPT
from harness.worker.samples import Samples
from harness.worker.side_by_side import StartedBuild

TIMING_CACHE = "timing.cache"
"""What a TensorRT worker leaves in its evidence, and finds beside its job, where a cache is kept."""


@dataclass(frozen=True)
class JobSettings:
    """What all jobs of a run have in common.

    :param affinity: CPUs a worker is bound to, None to leave that to the system
    :param build_affinity: those it is bound to at first (see :class:`Job`), None for the same
    :param build_cpus: where builds for the CPU are made at the same time, one on each
    :param options: runtime name to the worker's options
    :param processes: that an engine is measured in, where its runtime keeps engines
    :param peaks: whether the worker of a CPU runtime measures what the processor gives
    :param anchors: cells whose engines are kept over nights, None where there are no nights
    :param cpu: the CPU that was asked for, None where any will do
    """

    measure: Measure
    limits: Limits
    seed: int
    affinity: tuple[int, ...] | None
    device: str | None
    options: Mapping[str, Mapping[str, object]]
    processes: int = 1
    peaks: bool = True
    anchors: Anchors | None = None
    cpu: int | None = None
    build_affinity: Sequence[int] | None = None
    build_cpus: Sequence[int] = ()


class OpenJob(StartedBuild):
    """A build of *cell* whose worker was started: asked step by step through :attr:`driven`, then ended.

    :param scratch: folder on the bundle's file system; the folders of job and result are made in it
    :param timing_cache: that of an earlier build, to begin with
    """

    def __init__(
        self,
        cell: Cell,
        build: int,
        inputs: NetworkInputs,
        runtime: Runtime,
        prepared: Prepared,
        settings: JobSettings,
        scratch: Path,
        timing_cache: Path | None = None,
    ) -> None:
        self._cell, self._build, self._inputs, self._runtime = cell, build, inputs, runtime
        self._prepared, self._scratch, self._limits = prepared, scratch, settings.limits
        self._folder = Path(tempfile.mkdtemp(dir=scratch, prefix="job-"))
        self._result = Path(tempfile.mkdtemp(dir=scratch, prefix="result-"))
        self._started = datetime.now(UTC)
        self._engine = (
            None
            if settings.anchors is None
            else settings.anchors.engine(
                cell, build, runtime, prepared.facts, inputs.graph.digest, settings.device
            )
        )
        self._job, self._files = write_job(
            cell, build, inputs, runtime, settings, self._folder, timing_cache, self._engine
        )
        self._conversation = prepared.start(self._job, self._files, self._result, settings.limits)
        # What keeps engines measures and profiles one context, which keeps its profiler.
        super().__init__(
            Driven(self._conversation, str(self._job), Samples()), profile_apart=not runtime.keeps_engines
        )
        self._others: list[FurtherProcess] = []

    @property
    def planned(self) -> PlannedBuild:
        """What it is the build of."""
        return PlannedBuild(self._cell, self._build)

    @property
    def _loads(self) -> bool:
        """Whether it loads the engine that an earlier night kept."""
        return self._engine is not None and self._engine.path is not None

    def launch_further(self, number: int) -> Driven:
        """Start one more process of the engine."""
        made = [] if self._loads else [self._result / KEPT]
        further = FurtherProcess(
            self._prepared, self._job, [*self._files, *made], self._scratch, self._limits, number
        )
        self._others.append(further)
        return further.driven

    def end(self) -> BuildResult:
        """End the worker and say how it went; never raises for what the worker did."""
        try:
            outcome = self._conversation.end()
            lost = [reason for one in self._others if (reason := one.end())]
            self.write_samples(str(self._result))
        finally:
            if self._engine is None:
                (self._result / KEPT).unlink(missing_ok=True)
            shutil.rmtree(self._folder, ignore_errors=True)
        document = describe(
            self._cell, self._build, self._inputs, self._runtime, self._prepared, outcome, self._result
        )
        kept = self._engine is not None and (self._loads or (self._result / KEPT).is_file())
        document = structs.replace(
            document,
            started=self._started,
            ended=datetime.now(UTC),
            lost_processes=lost,
            kept_engine=self._engine.name if self._engine is not None and kept else "",
        )
        return BuildResult(self._result, document, outcome)


def write_job(
    cell: Cell,
    build: int,
    inputs: NetworkInputs,
    runtime: Runtime,
    settings: JobSettings,
    folder: Path,
    timing_cache: Path | None = None,
    kept: KeptEngine | None = None,
) -> tuple[Path, Sequence[Path]]:
    """Write ``job.json`` and place the files it names; return both (see the worker protocol)."""
    options = dict(settings.options.get(cell.runtime, {}))
    files = [
        place(inputs.network, folder, "network.json"),
        place(inputs.weights, folder, "weights.npz"),
        place(inputs.inputs, folder, "inputs.npz"),
    ]
    onnx = None
    if needs_onnx(runtime, cell):
        files.append(place(inputs.onnx(runtime.onnx_opset(cell.version)), folder, "network.onnx"))
        onnx = "network.onnx"
    if timing_cache is not None:
        files.append(place(timing_cache, folder, TIMING_CACHE))
        options["timing_cache_file"] = TIMING_CACHE
    if kept is not None and kept.path is not None:
        files.append(place(kept.path, folder, KEPT))
    document = Job(
        worker_module=runtime.worker.module,
        cell=cell.as_json(),
        build=build,
        seed=settings.seed,
        network="network.json",
        weights="weights.npz",
        onnx=onnx,
        inputs="inputs.npz",
        measure=convert(asdict(settings.measure), MeasureSettings),
        affinity=list(settings.affinity) if settings.affinity is not None else None,
        build_affinity=list(settings.build_affinity) if settings.build_affinity is not None else None,
        device=settings.device if runtime.device_of(cell.version) == "gpu" else None,
        options=options,
        engine=KEPT if kept is not None and kept.path is not None else None,
        keep_engine=kept.path is None
        if kept is not None
        else runtime.keeps_engines and settings.processes > 1,
        peaks=settings.peaks,
    )
    job = folder / "job.json"
    write_document(job, document)
    return job, files


class HasFacts(Protocol):
    """The part of a prepared environment that a build's description needs."""

    @property
    def facts(self) -> Mapping[str, object]:
        """What the environment really held."""
        ...


def describe(
    cell: Cell,
    build: int,
    inputs: NetworkInputs,
    runtime: Runtime,
    prepared: HasFacts,
    outcome: Outcome,
    result: Path,
) -> Build:
    """Return ``build.json``: how the worker ended, what it said, whether outputs are right, on what software.

    Its run, round, host and times are for the caller to fill in.
    """
    document = Build(
        cell=cell.id,
        build=build,
        status="failed",
        reason=outcome.reason,
        digest=inputs.graph.digest,
        outcome=_ended(outcome),
        environment=dict(prepared.facts),
        software=software_of(cell, prepared.facts, {}, _device(runtime, cell.version)),
        log_tail=outcome.log_tail,
    )
    if outcome.status != "ok":
        return document
    try:
        said, outputs = read_document(result / "result.json", Result), None
        if said.status == "ok":
            runtime.condense(result)
            outputs = _compare(cell, inputs, result / "outputs.npz")
    except InputError as error:
        return structs.replace(document, reason=str(error))
    return structs.replace(
        document,
        status=said.status,
        reason=said.reason,
        outputs=outputs,
        software=software_of(cell, prepared.facts, said.facts, _device(runtime, cell.version)),
        log_tail="" if said.status == "ok" else outcome.log_tail,
    )


def _device(runtime: Runtime, version: str) -> str:
    """Return ``cpu`` or ``gpu``; ``unknown`` where it is the facts of a build that say it."""
    device = runtime.device_of(version)
    return UNKNOWN if device == CPU and runtime.measures_on_gpu(version) else device


def _ended(outcome: Outcome) -> Ended:
    return Ended(
        status=outcome.status,
        exit_code=outcome.exit_code,
        seconds=outcome.seconds,
        peak_memory_bytes=outcome.peak_memory_bytes,
        facts=dict(outcome.facts),
    )


def _compare(cell: Cell, inputs: NetworkInputs, path: Path) -> Outputs | None:
    """Compare a build's outputs with the reference; None where the runtime could not run the engine."""
    if not path.exists():
        return None
    try:
        with np.load(path, allow_pickle=False) as found:
            outputs = {name: np.asarray(found[name]) for name in found.files}
    except (OSError, ValueError, KeyError) as error:
        raise DamagedBundleError(path, f"not a NumPy archive of outputs: {error}") from None
    bound = error_bound(inputs.graph, cell.treatment.precision)
    found = asdict(check_outputs(outputs, inputs.reference, bound))
    # JSON has no infinity, which is the error of an output that is missing, misshapen or not finite.
    return Outputs(**{**found, "error": found["error"] if math.isfinite(found["error"]) else None})


def earlier_cache(bundle: Bundle, cell: Cell, round_: int) -> Path | None:
    """Return the timing cache of the latest earlier build of *cell*, None where its treatment keeps none."""
    if cell.treatment.timing_cache != "on":
        return None
    paths = (bundle.build_folder(cell.id, n) / "evidence" / TIMING_CACHE for n in reversed(range(round_)))
    return next((path for path in paths if path.is_file()), None)
