"""What ReLU6 in three pieces costs beside one clip, for every release: time, reformats, kernels."""

from __future__ import annotations

from dataclasses import dataclass

from harness.analysis.figures.latency import other_passes
from harness.analysis.figures.times import mean
from harness.analysis.grid import Grid
from harness.analysis.groups import BuildGroup, Release
from harness.analysis.statistics.intervals import ratio
from harness.attribution.adoption import adoption
from harness.observations.records import GRAPH_PASS


@dataclass(frozen=True)
class Form:
    """One of the two forms: means over builds.

    :param graph_ms: as a CUDA graph, None where that was not measured
    :param on_gemm: 1x1 convolutions on any GEMM kernel, one number a build whose kernels are known
    :param pointwise: 1x1 convolutions in all
    """

    latency_ms: float | None
    graph_ms: float | None
    on_gemm: tuple[int, ...]
    pointwise: int
    activations: float
    activations_ms: float
    reformats: float
    reformats_ms: float


@dataclass(frozen=True)
class Relu6Figures:
    """One release on one host.

    :param host: as rows show it, empty where all rows are of one host
    :param factor, interval: latency in pieces over latency with a clip, 95 % interval
    """

    subject: str
    host: str
    release: Release
    clip: Form
    pieces: Form
    extra_ms: float | None
    factor: float | None
    interval: tuple[float, float] | None


def relu6_figures(grid: Grid) -> tuple[Relu6Figures, ...]:
    """Return one record for each version that was measured with both forms on one host, by subject."""
    by_key: dict[tuple[str, Release, str, str], dict[str, BuildGroup]] = {}
    for group in grid.built:
        key = (group.cell.without_relu6, group.release, group.cell.environment, group.host)
        by_key.setdefault(key, {})[group.cell.treatment.relu6] = group
    place = {subject: index for index, subject in enumerate(dict.fromkeys(key[0] for key in by_key))}
    order = {release: index for index, release in enumerate(grid.releases)}
    both = [
        (key, forms)
        for key, forms in by_key.items()
        if {"clip", "relu_sub"} <= forms.keys() and forms["clip"].good and forms["relu_sub"].good
    ]
    hosts: dict[str, set[str]] = {}
    for (subject, _, _, host), _ in both:
        hosts.setdefault(subject, set()).add(host)
    rank = {host: index for index, host in enumerate(grid.hosts.names)}
    both.sort(key=lambda item: (place[item[0][0]], rank[item[0][3]], order[item[0][1]]))
    return tuple(
        _figures(subject, grid.hosts.where(host, hosts[subject]), forms["clip"], forms["relu_sub"])
        for (subject, _, _, host), forms in both
    )


def _figures(subject: str, host: str, clip: BuildGroup, pieces: BuildGroup) -> Relu6Figures:
    timed = bool(clip.latency.builds and pieces.latency.builds)
    compared = ratio(clip.latency.builds, pieces.latency.builds) if timed else None
    one, three = _form(clip), _form(pieces)
    extra = None if one.latency_ms is None or three.latency_ms is None else three.latency_ms - one.latency_ms
    return Relu6Figures(
        subject=subject,
        host=host,
        release=clip.release,
        clip=one,
        pieces=three,
        extra_ms=extra,
        factor=compared.interval.estimate if compared else None,
        interval=(compared.interval.low, compared.interval.high) if compared else None,
    )


def _form(group: BuildGroup) -> Form:
    counts = [adoption(engine) for engine in group.timed_engines]
    kernels = [c.pointwise for c in counts if c.pointwise.unknown < c.pointwise.total]
    return Form(
        latency_ms=group.latency.middle,
        graph_ms=other_passes(group).get(GRAPH_PASS),
        on_gemm=tuple(k.on_any_gemm for k in kernels),
        pointwise=max((k.total for k in kernels), default=0),
        activations=mean([c.activations for c in counts]) or 0.0,
        activations_ms=mean([c.activations_ms for c in counts]) or 0.0,
        reformats=mean([c.reformats.executed for c in counts]) or 0.0,
        reformats_ms=mean([c.reformats.time_ms for c in counts]) or 0.0,
    )
