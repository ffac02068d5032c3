"""``job.json``: what a worker is asked for."""

from __future__ import annotations

from typing import Any

from msgspec import field

from harness.store.documents.base import Document, Part


class MeasureSettings(Part, frozen=True, kw_only=True):
    """How long the passes of a build go on.

    :param warmup_seconds: inferences before a pass that are not counted
    :param maximum_seconds: of one pass; :param minimum_samples: over :attr:`windows` slices
    :param relative_half_width: a pass stops once the 95 % interval of its slices' means is that narrow
    :param windows: at least so many slices a pass
    :param profile_iterations: inferences of the per-layer profile, 0 for none
    :param passes: wanted beside the treatment's own: ``cuda_graph``, ``cold_l2``
    """

    warmup_seconds: float
    minimum_samples: int
    maximum_samples: int
    maximum_seconds: float
    relative_half_width: float
    windows: int
    profile_iterations: int
    passes: list[str] = field(default_factory=list)


class Job(Document, frozen=True, kw_only=True, tag="trtmatrix.job/2"):
    """One build of one cell; files are named relative to the job's folder.

    :param worker_module: dotted name of the runtime's own worker
    :param cell: id, network, treatment, runtime, version, environment, repeat
    :param engine: what an earlier process of the build, or night, kept: it is loaded, and nothing is built
    :param keep_engine: the engine is left as ``engine.plan`` in the result folder, for further processes and
        nights
    :param seed: whatever the worker draws, it draws from it
    :param affinity: CPUs to bind to; :param threads: threads that a CPU runtime may use
    :param build_affinity: CPUs to bind to at first, where they are others: until what the worker needs is
        imported, or until its engine is loaded where the runtime can be moved then
    :param device: UUID of the GPU; :param options: the runtime's own, from the matrix file
    :param peaks: the worker of a CPU runtime measures what the processor gives; one build a host is enough
    """

    worker_module: str
    cell: dict[str, Any]
    network: str
    weights: str
    inputs: str
    measure: MeasureSettings
    build: int = 0
    seed: int = 0
    onnx: str | None = None
    engine: str | None = None
    keep_engine: bool = False
    affinity: list[int] | None = None
    build_affinity: list[int] | None = None
    threads: int = 1
    device: str | None = None
    peaks: bool = True
    options: dict[str, Any] = field(default_factory=dict)
