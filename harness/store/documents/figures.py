"""Figures of one cell on one host, as ``show --json`` and ``judge --json`` print them; times in ms."""

from __future__ import annotations

from typing import Any

from msgspec import field

from harness.store.documents.base import UNKNOWN, Part
from harness.store.documents.origin import Host, Software


class IdentityRecord(Part, frozen=True, kw_only=True):
    """Which builds these are. :param pool: what builds share that may be averaged; :param started: UTC"""

    run: str = UNKNOWN
    pool: str = UNKNOWN
    started: str | None = None
    digest: str = UNKNOWN
    software: Software
    host: Host


class ClassTimeRecord(Part, frozen=True, kw_only=True):
    """Layer time of one class, mean over builds. :param share: None for a part of a network"""

    op_class: str
    ms: float
    share: float | None


class RooflineClassRecord(Part, frozen=True, kw_only=True):
    """One class in the typical build. :param bound_ms: the least the device could take, None if unknown"""

    op_class: str
    ms: float
    bound_ms: float | None
    gflops_per_s: float


class RooflineRecord(Part, frozen=True, kw_only=True):
    """The typical build beside what the device could do. :param peaks: how these are known, None for not"""

    end_to_end_gflops_per_s: float | None
    classes: list[RooflineClassRecord]
    peaks: str | None


class KernelCounts(Part, frozen=True, kw_only=True):
    """For how many 1x1 layers kernels of a group were offered, timed and chosen, or no log tells."""

    offered: int
    timed: int
    chosen: int
    cannot_tell: int


class LostLayerRecord(Part, frozen=True, kw_only=True):
    """A layer for which ``gemm_as_conv1x1`` was timed and lost.

    :param chosen: kernel or runner that won, empty where no log names it
    :param same_formats: whether both were timed with the same formats of inputs and outputs
    """

    layer: str
    best_ms: float
    chosen_ms: float
    chosen: str
    same_formats: bool


class SearchRecord(Part, frozen=True, kw_only=True):
    """What the builder log of a build says of its 1x1 convolutions.

    :param gemm_lost_layers: where a GEMM kernel was timed and lost; :param elsewhere: those of them where it
        was timed in other formats than what won
    :param gemm_best_ms, gemm_chosen_ms: best of GEMM and what won, summed over these layers
    """

    build: int
    layers: int
    timed: int
    inherited: int
    gemm_as_conv1x1: KernelCounts
    any_gemm: KernelCounts
    gemm_lost_layers: int
    elsewhere: int
    gemm_best_ms: float
    gemm_chosen_ms: float
    lost: list[LostLayerRecord]


class LayoutRecord(Part, frozen=True, kw_only=True):
    """A layout that more, or fewer, of the layers write: parts of the layer time."""

    layout: str
    share: float
    others: float


class ClassDifferenceRecord(Part, frozen=True, kw_only=True):
    """A class that carries a difference. :param others_ms: median of the other builds"""

    op_class: str
    ms: float
    others_ms: float


class OutlyingRecord(Part, frozen=True, kw_only=True):
    """A build outside of what the others of its cell and host do.

    :param usual_ms: median of all; :param times: latency over that
    :param reformats: executed here, and the others' median
    """

    subject: str
    release: str
    build: int
    latency_ms: float
    usual_ms: float
    times: float
    classes: list[ClassDifferenceRecord]
    layout: LayoutRecord | None
    reformats: tuple[int, float] | None


class ProfilingRecord(Part, frozen=True, kw_only=True):
    """How layers were timed, medians over builds.

    :param way: by which the runtime was made to tell their times
    :param layers_ms: the layers added up; :param inference_ms: an inference with the profiler
    :param plain_ms: one without it; :param cost: by how much it is longer with it, of 1
    """

    way: str
    layers_ms: float
    inference_ms: float
    plain_ms: float | None
    cost: float | None


class CellFigures(Part, frozen=True, kw_only=True):
    """Figures of builds that may be averaged.

    :param identity: None where nothing was built; :param typical_build: number of the build whose layer time
        is in the middle; the roofline is of that
    :param passes: other passes than the latency; :param enqueue_ms: host time of a launch
    :param launch_bound: builds that launching bounds, of those that say
    :param profiling: None where nobody says how layers were timed
    :param layers: their number, of each build; :param adoption: kernels and reformats of each build
    :param searches: of each build, None where its log has no tactics
    """

    identity: IdentityRecord | None
    typical_build: int | None
    passes: dict[str, float] = field(default_factory=dict)
    enqueue_ms: float | None = None
    launch_bound: tuple[int, int] = (0, 0)
    layers_ms: float | None = None
    profiling: ProfilingRecord | None = None
    layers: list[int] = field(default_factory=list)
    classes: list[ClassTimeRecord] = field(default_factory=list)
    adoption: list[dict[str, Any]] = field(default_factory=list)
    searches: list[SearchRecord | None] = field(default_factory=list)
    roofline: RooflineRecord | None = None
