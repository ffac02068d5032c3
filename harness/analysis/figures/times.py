"""Where the time goes: by op class and by source op, for every version of a subject."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import msgspec

from harness.analysis.grid import GridRow
from harness.analysis.groups import BuildGroup, Release
from harness.attribution.adoption import shared_layers
from harness.attribution.engine import AttributedEngine, AttributedLayer
from harness.attribution.findings import block_findings
from harness.networks.graph import Graph, OpClass
from harness.observations.profiling import Profiling, over, profiling_of

CLASSES = (
    "pointwise",
    "depthwise",
    "convolution",
    "dense",
    "activation",
    "elementwise",
    "pooling",
    "reformat",
    "no_op",
    "other",
    "unknown",
)
"""The order in which classes are stacked; what is not named here counts as ``other``."""


MOST_OPS = 15
"""Source ops that stand beside each other by version, those of the largest time."""


@dataclass(frozen=True)
class ClassTimes:
    """One group.

    :param parts: (class, ms, share), mean over builds, in the order of :data:`CLASSES`; no shares where the
        layers are a part of the network
    :param layers: their number in each build
    :param depthwise_elsewhere: depthwise convolutions in layers of another class, of each build
    :param profiling: how layers were timed and what that costs, None where the bundle does not say
    """

    release: Release
    cell: str
    total_ms: float
    latency_ms: float | None
    parts: tuple[tuple[str, float, float | None], ...]
    layers: tuple[int, ...]
    depthwise_elsewhere: tuple[int, ...]
    profiling: Profiling | None = None


class OpTime(msgspec.Struct, frozen=True):
    """A source op in one group: its time, mean over builds, and the kernel of most builds.

    :param kernel_builds: builds that have this kernel, of all that carry the op
    """

    ms: float | None
    kernel: str
    kernel_builds: tuple[int, int]


@dataclass(frozen=True)
class OpRow:
    """One source op across versions."""

    name: str
    op_class: str
    cells: tuple[OpTime, ...]

    @property
    def largest(self) -> float:
        """The largest time in the row, ms."""
        return max((cell.ms for cell in self.cells if cell.ms is not None), default=0.0)


@dataclass(frozen=True)
class TimeFigures:
    """One subject on one host.

    :param releases: the columns of *ops*
    :param ops: the :data:`MOST_OPS` of the largest time, in network order; :param all_ops: how many there are
    :param remarks: what rows of a part of the network say
    """

    classes: tuple[ClassTimes, ...]
    releases: tuple[Release, ...]
    ops: tuple[OpRow, ...]
    all_ops: int = 0
    remarks: tuple[str, ...] = ()

    def top_ops(self, count: int) -> tuple[OpRow, ...]:
        """Return the *count* ops of the largest time in any version, the largest first."""
        return tuple(sorted(self.ops, key=lambda op: -op.largest)[:count])


def time_figures(row: GridRow) -> TimeFigures | None:
    """Return the figures of *row*, None where no build has a profile."""
    engines = {group.release: group.timed_engines for group in row.groups if group.timed_engines}
    if not engines:
        return None
    graph = next((engine.graph for own in engines.values() for engine in own if engine.graph), None)
    return TimeFigures(
        classes=tuple(times for times in map(class_times, row.groups) if times is not None),
        releases=tuple(engines),
        ops=() if graph is None else tuple(_op_rows(graph, engines)),
        all_ops=0 if graph is None else len(graph.ops),
        remarks=tuple(_remarks(engines)),
    )


def class_times(group: BuildGroup) -> ClassTimes | None:
    """Return the times of *group* by class, None where none of its good builds has a profile."""
    engines = group.timed_engines
    if not engines:
        return None
    total = mean([engine.total_ms for engine in engines]) or 0.0
    sums: dict[str, float] = {}
    for engine in engines:
        for name, ms in engine.time_of_class().items():
            known = name if name in CLASSES else "other"
            sums[known] = sums.get(known, 0.0) + ms / len(engines)
    whole = not any(engine.partial for engine in engines)
    return ClassTimes(
        release=group.release,
        cell=group.cell.id,
        total_ms=total,
        latency_ms=group.latency.middle,
        parts=tuple(
            (name, sums[name], sums[name] / total if whole else None) for name in CLASSES if name in sums
        ),
        layers=tuple(len(engine.layers) for engine in engines),
        depthwise_elsewhere=tuple(shared_layers(engine, OpClass.DEPTHWISE).elsewhere for engine in engines),
        profiling=over([one for b in group.good if (one := profiling_of(b.evidence)) is not None]),
    )


def mean(values: Sequence[float]) -> float | None:
    """Return the arithmetic mean, None of nothing."""
    return sum(values) / len(values) if values else None


def _remarks(engines: Mapping[Release, Sequence[AttributedEngine]]) -> Iterable[str]:
    """Yield what the rows of a partial profile say without any share of the whole."""
    for release, own in engines.items():
        for engine in own:
            if engine.partial:
                for block in block_findings(engine):
                    yield from (f"{release.label}: {line}" for line in block.sentences())


def _op_rows(graph: Graph, engines: Mapping[Release, Sequence[AttributedEngine]]) -> Iterable[OpRow]:
    """Yield a row for each of the ops of the largest time in any version, in network order."""
    layers = [[engine.layer_of_op() for engine in own] for own in engines.values()]
    columns = [_means(graph.classes, [engine.time_of_op() for engine in own]) for own in engines.values()]
    means = dict(zip(graph.classes, zip(*columns, strict=True), strict=True))
    largest = sorted(means, key=lambda name: -max([ms for ms in means[name] if ms is not None], default=0.0))
    shown = set(largest[:MOST_OPS])
    for name, kind in graph.classes.items():
        if name in shown:
            cells = zip(means[name], (_kernel(name, own) for own in layers), strict=True)
            yield OpRow(name, str(kind), tuple(OpTime(ms, *kernel) for ms, kernel in cells))


def _means(names: Iterable[str], times: Sequence[Mapping[str, float]]) -> list[float | None]:
    """Return the mean of each of *names* over the builds that have it, None where none has."""
    rows = zip(*(map(each.get, names) for each in times), strict=True)
    return [mean([ms for ms in row if ms is not None]) for row in rows]


def _kernel(name: str, layers: Sequence[Mapping[str, AttributedLayer]]) -> tuple[str, tuple[int, int]]:
    """Return the kernel of most builds, and how many of those that carry the op have it."""
    kernels = [each[name].kernel or each[name].type or "" for each in layers if name in each]
    kernel, count = Counter(kernels).most_common(1)[0] if kernels else ("", 0)
    return kernel, (count, len(kernels))
