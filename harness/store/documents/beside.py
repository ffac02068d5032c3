"""What ``judge --json`` prints beside verdicts and answers: ReLU6, neighbours, runtimes, builds alone."""

from __future__ import annotations

from harness.store.documents.base import Part


class FormRecord(Part, frozen=True, kw_only=True):
    """One form of ReLU6, means over builds.

    :param graph_ms: as a CUDA graph; :param on_gemm: 1x1 convolutions on a GEMM kernel, of each build
    :param pointwise: 1x1 convolutions in all
    """

    latency_ms: float | None
    graph_ms: float | None
    on_gemm: list[int]
    pointwise: int
    activations: float
    activations_ms: float
    reformats: float
    reformats_ms: float


class Relu6Record(Part, frozen=True, kw_only=True):
    """ReLU6 in pieces beside one clip, in one version on one host.

    :param extra_ms: pieces minus clip; :param factor: pieces over clip; :param interval: its 95 % interval
    """

    subject: str
    host: str
    release: str
    clip: FormRecord
    pieces: FormRecord
    extra_ms: float | None
    factor: float | None
    interval: tuple[float, float] | None


class OpRecord(Part, frozen=True, kw_only=True):
    """A source op in the builds of two versions.

    :param old_kernel, new_kernel: empty where no layer carries it
    """

    op: str
    old_ms: float | None
    new_ms: float | None
    old_kernel: str = ""
    new_kernel: str = ""


class NeighboursRecord(Part, frozen=True, kw_only=True):
    """A version beside the one before it, the build of the middle layer time of each.

    :param builds: their numbers; :param totals_ms: sums of their layer times
    :param ops: source ops of the largest difference; :param rest: time that belongs to no op, old and new, ms
    """

    subject: str
    old: str
    new: str
    builds: tuple[int, int]
    totals_ms: tuple[float, float]
    ops: list[OpRecord]
    rest: dict[str, tuple[float, float]]


class SharesRecord(Part, frozen=True, kw_only=True):
    """Where the layer time of a build goes, as fractions that add up to one.

    :param segments: in segments that TensorRT runs; :param reformats: turning tensors, there and at their
        borders; :param outside: in the runtime's own kernels
    """

    segments: float
    reformats: float
    outside: float


class BesideRecord(Part, frozen=True, kw_only=True):
    """One runtime beside others, by the host's clock.

    :param label: what its own fields add to the treatment
    :param low_ms, high_ms: 95 % interval over builds, None with fewer than two
    :param speed_up: latency of the runtime that it is held against over its own, None of that one
    :param interval: of the speed-up, 95 %, None where a side has one build
    :param shares: None where no build has a profile
    :param by_gpu: whether its latency is the GPU's own: no host's clock was read beside it
    """

    release: str
    label: str
    builds: int
    ms: float | None
    low_ms: float | None
    high_ms: float | None
    images_per_s: float | None
    gflops_per_s: float | None
    speed_up: float | None
    interval: tuple[float, float] | None
    shares: SharesRecord | None
    by_gpu: bool = False


class RuntimeTableRecord(Part, frozen=True, kw_only=True):
    """Runtimes beside each other on one network, common treatment and host.

    :param against: runtime that speed-ups are against
    """

    network: str
    treatment: str
    host: str
    against: str
    rows: list[BesideRecord]


class BothWaysRecord(Part, frozen=True, kw_only=True):
    """A process that was measured side by side, and on its own.

    :param process: of its build, from 0; :param beside_ms, alone_ms: medians of its samples
    """

    cell: str
    build: int
    process: int
    beside_ms: float
    alone_ms: float


class AloneRecord(Part, frozen=True, kw_only=True):
    """How far the latency side by side lies from that of a process on its own, on one host.

    :param beside_ms, alone_ms: geometric means over processes
    :param apart: side by side over alone, less 1; :param interval: its 95 % interval, None with one process
    :param further_than_material: None where that cannot be told; :param text: in words
    """

    host: str
    beside_ms: float
    alone_ms: float
    apart: float
    interval: tuple[float, float] | None
    further_than_material: bool | None
    processes: list[BothWaysRecord]
    text: str
