"""The timeline of one inference: the layers of each version in order, one version above the other."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from harness.analysis.figures.times import CLASSES
from harness.analysis.grid import Grid, GridRow
from harness.analysis.groups import BuildGroup
from harness.attribution.engine import AttributedEngine, AttributedLayer, LayerRole
from harness.report.anchors import anchor
from harness.report.scale import Scale
from harness.report.words import milliseconds, percent
from harness.written import number_of

WIDTH = 560.0
"""Of the longest inference with some air, in the units of the drawing."""

LONGEST = 3
"""Layers that the words beside a lane name."""


@dataclass(frozen=True)
class Bar:
    """A layer, or in a page of many cells all layers of a class. :param path: in the units of the drawing"""

    op_class: str
    path: str
    title: str


@dataclass(frozen=True)
class Lane:
    """One inference of one version. :param words: what the drawing shows, for who does not see it"""

    label: str
    total_ms: float
    bars: tuple[Bar, ...]
    words: str


@dataclass(frozen=True)
class Timeline:
    """The lanes of one subject on one scale."""

    subject: str
    anchor: str
    lanes: tuple[Lane, ...]
    scale: Scale
    classes: tuple[str, ...]


def timelines(grid: Grid, lanes: int, *, titles: bool) -> tuple[Timeline, ...]:
    """Return a timeline for each subject with layer times, as long as *lanes* are left.

    A lane is the build of the middle layer time; the second arm of an A/A pair has none.

    :param lanes: most lanes of the page; :param titles: a bar a layer with its name, else one a class
    """
    made = []
    for row in grid.rows:
        groups = [group for group in row.groups if group.typical_build is not None and not group.is_aa]
        if groups and len(groups) <= lanes:
            lanes -= len(groups)
            made.append(_timeline(row, groups, titles=titles))
    return tuple(made)


def _timeline(row: GridRow, groups: Sequence[BuildGroup], *, titles: bool) -> Timeline:
    engines = [(group, build.engine) for group in groups if (build := group.typical_build) and build.engine]
    scale = Scale.over([engine.total_ms for _, engine in engines], from_zero=True)
    present = {_class(layer) for _, engine in engines for layer in engine.layers if layer.time_ms}
    return Timeline(
        subject=row.name,
        anchor=anchor("timeline", row.name),
        lanes=tuple(
            Lane(
                label=group.release.label,
                total_ms=engine.total_ms,
                bars=tuple(_bars(engine, scale, titles=titles)),
                words=_words(engine),
            )
            for group, engine in engines
        ),
        scale=scale,
        classes=tuple(name for name in CLASSES if name in present),
    )


def _class(layer: AttributedLayer) -> str:
    return str(layer.op_class) if layer.op_class in CLASSES else "other"


def _bars(engine: AttributedEngine, scale: Scale, *, titles: bool) -> Iterable[Bar]:
    """Yield the bars: layers that compute fill the lane, a reformat is a gap with a line below it."""
    at, paths = 0.0, dict[str, str]()
    for layer in engine.layers:
        if not layer.time_ms:
            continue
        width, kind = WIDTH * scale.place(layer.time_ms), _class(layer)
        high = 4 if layer.role is LayerRole.REFORMAT else 20
        path = f"M{_short(at)} {20 - high}h{_short(width)}v{high}h-{_short(width)}z"
        if titles:
            yield Bar(kind, path, f"{layer.name}: {milliseconds(layer.time_ms)} ms, {kind}")
        else:
            paths[kind] = paths.get(kind, "") + path
        at += width
    yield from (Bar(kind, path, "") for kind, path in paths.items())


def _short(number: float) -> str:
    return f"{number:.1f}".removesuffix(".0")


def _words(engine: AttributedEngine) -> str:
    ran = [layer for layer in engine.layers if layer.time_ms]
    moved = [layer for layer in ran if layer.role is LayerRole.REFORMAT]
    said = [f"{number_of(len(ran), 'layer runs', 'layers run')} in {milliseconds(engine.total_ms)} ms"]
    if moved:
        ms = sum(layer.time_ms or 0.0 for layer in moved)
        share = "" if engine.partial else f" ({percent(ms / engine.total_ms)})"
        count = number_of(len(moved), "reformat takes", "reformats take")
        said.append(f"{count} {milliseconds(ms)} ms of it{share}")
    else:
        said.append("no reformat runs")
    longest = sorted(ran, key=lambda layer: -(layer.time_ms or 0.0))[:LONGEST]
    named = ", ".join(f"{layer.name} {milliseconds(layer.time_ms)} ms" for layer in longest)
    return f"{'; '.join(said)}; the longest: {named}"
