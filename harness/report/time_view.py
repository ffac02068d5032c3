"""Where the time goes: by op class and by source op, for every release side by side."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from harness.attribution.adoption import shared_layers
from harness.attribution.engine import AttributedEngine, AttributedLayer
from harness.attribution.findings import block_findings
from harness.networks.graph import OpClass, op_class
from harness.observations.records import CellObservation, RunObservation
from harness.report.columns import Release, anchor, latency_of, mean, of_each, release_of, subjects
from harness.report.scale import Scale

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


@dataclass(frozen=True)
class ClassBar:
    """One release.

    :param parts: (class, ms, share), mean over builds, in the order of :data:`CLASSES`; no shares where the
        layers are a part of the network
    :param layers: their number, from the smallest to the largest over builds
    :param depthwise_elsewhere: depthwise convolutions in layers of another class, each build; empty for none
    """

    release: Release
    total_ms: float
    latency_ms: float | None
    parts: tuple[tuple[str, float, float | None], ...]
    layers: str
    depthwise_elsewhere: str = ""


@dataclass(frozen=True)
class OpRow:
    """One source op across releases: (ms or None, kernel) for each; of a kernel, how many builds have it."""

    name: str
    op_class: str
    cells: tuple[tuple[float | None, str], ...]

    @property
    def largest(self) -> float:
        """The largest time in the row, ms."""
        return max((ms for ms, _ in self.cells if ms is not None), default=0.0)


@dataclass(frozen=True)
class TimeView:
    """One subject. :param ops: in network order; :param findings: what rows of a part of the network say"""

    subject: str
    anchor: str
    bars: tuple[ClassBar, ...]
    scale: Scale
    classes: tuple[str, ...]
    releases: tuple[Release, ...]
    ops: tuple[OpRow, ...]
    findings: tuple[str, ...] = ()

    def top_ops(self, count: int) -> tuple[OpRow, ...]:
        """Return the *count* ops of the largest time in any release, the largest first."""
        return tuple(sorted(self.ops, key=lambda op: -op.largest)[:count])


def time_views(run: RunObservation) -> tuple[TimeView, ...]:
    """Return one view a subject with at least one profile."""
    return tuple(
        view for subject, cells in subjects(run).items() if (view := _view(subject, cells)) is not None
    )


def engines_of(found: CellObservation) -> list[AttributedEngine]:
    """Return the engines of the good builds that hold times."""
    return [b.engine for b in found.good if b.engine is not None and b.engine.total_ms > 0]


def _view(subject: str, cells: Iterable[CellObservation]) -> TimeView | None:
    bars, by_release = [], {}
    for found in cells:
        engines = engines_of(found)
        if engines:
            by_release[release_of(found)] = engines
            bars.append(_bar(found, engines))
    if not bars:
        return None
    present = {name for bar in bars for name, ms, _ in bar.parts if ms > 0}
    return TimeView(
        subject=subject,
        anchor=anchor("time", subject),
        bars=tuple(bars),
        scale=Scale.over([bar.total_ms for bar in bars], from_zero=True),
        classes=tuple(name for name in CLASSES if name in present),
        releases=tuple(by_release),
        ops=tuple(_op_rows(by_release)),
        findings=tuple(_findings(by_release)),
    )


def _bar(found: CellObservation, engines: list[AttributedEngine]) -> ClassBar:
    total = mean([p.total_ms for p in engines]) or 0.0
    sums: dict[str, float] = {}
    for engine in engines:
        for name, ms in engine.time_of_class().items():
            known = name if name in CLASSES else "other"
            sums[known] = sums.get(known, 0.0) + ms / len(engines)
    whole = not any(engine.partial for engine in engines)
    parts = tuple(
        (name, sums[name], sums[name] / total if whole else None) for name in CLASSES if name in sums
    )
    return ClassBar(
        release=release_of(found),
        total_ms=total,
        latency_ms=latency_of(found).middle,
        parts=parts,
        layers=_range([len(p.layers) for p in engines]),
        depthwise_elsewhere=of_each([shared_layers(p, OpClass.DEPTHWISE).elsewhere for p in engines]),
    )


def _range(counts: list[int]) -> str:
    """Return ``74``, or ``54 to 88`` where builds differ."""
    low, high = min(counts), max(counts)
    return str(low) if low == high else f"{low} to {high}"


def _findings(by_release: Mapping[Release, list[AttributedEngine]]) -> Iterable[str]:
    """Yield what the rows of a partial profile say without any share of the whole."""
    for release, engines in by_release.items():
        for engine in engines:
            if engine.partial:
                for block in block_findings(engine):
                    yield from (f"{release.label}: {line}" for line in block.sentences())


def _kernel(layers: list[AttributedLayer]) -> str:
    """Return the kernel of most builds, and of how many where they differ."""
    names = Counter(layer.kernel or layer.type or "" for layer in layers)
    if not names:
        return ""
    name, count = names.most_common(1)[0]
    return name if count == len(layers) else f"{name} ({count} of {len(layers)} builds)"


def _op_rows(by_release: Mapping[Release, list[AttributedEngine]]) -> Iterable[OpRow]:
    graph = next((p.graph for engines in by_release.values() for p in engines if p.graph), None)
    if graph is None:
        return
    columns = []
    for engines in by_release.values():
        times = [engine.time_of_op() for engine in engines]
        columns.append((times, [engine.layer_of_op() for engine in engines]))
    for op in graph.ops:
        cells = []
        for times, layers in columns:
            value = mean([t[op.name] for t in times if op.name in t])
            cells.append((value, _kernel([each[op.name] for each in layers if op.name in each])))
        yield OpRow(op.name, str(op_class(op)), tuple(cells))
