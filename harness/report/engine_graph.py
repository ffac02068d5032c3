"""The graph of an engine as a drawing: a row a layer in the order of execution, arcs for what skips rows.

An engine of a MobileNet is nearly one line, so the layout is that of a log of commits: each layer on a row of
its own below the one before, an edge to the next row straight, every other one an arc in the gutter, in the
innermost channel that is free. The format stands below the layer that writes it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import count

from harness.analysis.figures.times import CLASSES
from harness.analysis.grid import Grid
from harness.analysis.groups import BuildGroup
from harness.attribution.engine import AttributedEngine, AttributedLayer, LayerRole
from harness.attribution.wiring import Edge
from harness.report.anchors import anchor
from harness.report.words import milliseconds
from harness.written import number_of

ROW, TOP, CHANNEL = 30, 8, 9
"""Height of a row, of what stands above the first, and width of a channel of arcs."""

_MOST = 104
"""Characters of a layer's name that are drawn."""


@dataclass(frozen=True)
class Node:
    """A row. :param kind: ``input``, ``output``, ``layer``, ``reformat`` or ``no_op``

    :param op_class: the class that colours it, empty for inputs and outputs
    :param detail: time and kernel, :param format: of what it writes, one way each
    """

    y: int
    kind: str
    op_class: str
    name: str
    detail: str
    format: str


@dataclass(frozen=True)
class EngineGraph:
    """One build's engine. :param arcs, lines: paths; :param by: words on how the edges are known"""

    title: str
    anchor: str
    nodes: tuple[Node, ...]
    lines: str
    arcs: tuple[str, ...]
    left: int
    words: str

    @property
    def height(self) -> int:
        """Of the drawing, in its units."""
        return TOP + ROW * len(self.nodes)


@dataclass(frozen=True)
class EngineGraphs:
    """All of a page. :param left_out: cells with layer times that were not looked at, to keep it small"""

    drawn: tuple[EngineGraph, ...]
    left_out: int


def engine_graphs(grid: Grid, most: int) -> EngineGraphs:
    """Return the graphs of at most *most* groups, of each the build of the middle layer time."""
    groups = [group for group in grid.built if group.typical_build is not None and not group.is_aa]
    hosts: dict[str, dict[str, None]] = {}
    for group in groups:
        hosts.setdefault(group.cell.id, {})[group.host] = None
    made: list[EngineGraph] = []
    for at, group in enumerate(groups):
        if len(made) == most:
            return EngineGraphs(tuple(made), len(groups) - at)
        where = grid.hosts.where(group.host, hosts[group.cell.id])
        if (graph := engine_graph(group, where)) is not None:
            made.append(graph)
    return EngineGraphs(tuple(made), 0)


def engine_graph(group: BuildGroup, host: str) -> EngineGraph | None:
    """Return the graph of the typical build of *group*, None where no edge is known.

    :param host: as the title names it, empty for not at all
    """
    build = group.typical_build
    if build is None or build.engine is None or not build.engine.edges:
        return None
    engine = build.engine
    rows, ends = _rows(engine)
    arcs, channels = _arcs(ends)
    where = [group.cell.id, group.host, group.name]
    return EngineGraph(
        title=f"{group.cell.id}{f' ({group.name})' if group.name else ''}, build {build.build}"
        + (f" on {host}" if host else ""),
        anchor=anchor("graph", *(part for part in where if part)),
        nodes=rows,
        lines="".join(f"M0 {_middle(a) + 9}V{_middle(b) - 9}" for a, b in ends if b == a + 1),
        arcs=arcs,
        left=CHANNEL * channels + 14,
        words=_words(engine),
    )


def _middle(row: int) -> int:
    return TOP + ROW * row + 9


def _rows(engine: AttributedEngine) -> tuple[tuple[Node, ...], list[tuple[int, int]]]:
    """Return the rows, and the rows that each edge leads from and to, each pair once."""
    inputs = list(dict.fromkeys(edge.tensor for edge in engine.edges if edge.source is None))
    outputs = list(dict.fromkeys(edge.tensor for edge in engine.edges if edge.target is None))
    first, last = len(inputs), len(inputs) + len(engine.layers)
    ends: dict[tuple[int, int], None] = {}
    written: dict[int, dict[str, None]] = {}
    for edge in engine.edges:
        source = inputs.index(edge.tensor) if edge.source is None else first + edge.source
        target = last + outputs.index(edge.tensor) if edge.target is None else first + edge.target
        ends[source, target] = None
        written.setdefault(source, {})[edge.label] = None
    names = [("input", name) for name in inputs]
    nodes = [_node(at, kind, "", name, "", written) for at, (kind, name) in enumerate(names)]
    for at, layer in enumerate(engine.layers, first):
        nodes.append(_node(at, _kind(layer), _class(layer), layer.name, _detail(layer), written))
    for at, name in enumerate(outputs, last):
        nodes.append(_node(at, "output", "", name, "", written))
    return tuple(nodes), list(ends)


def _node(
    row: int, kind: str, op_class: str, name: str, detail: str, written: dict[int, dict[str, None]]
) -> Node:
    drawn = name if len(name) <= _MOST else f"{name[: _MOST - 1]}…"
    formats = ", ".join(label for label in written.get(row, {}) if label)
    return Node(TOP + ROW * row, kind, op_class, drawn, detail, formats)


def _kind(layer: AttributedLayer) -> str:
    roles = {LayerRole.REFORMAT: "reformat", LayerRole.NO_OP: "no_op"}
    return roles.get(layer.role, "layer")


def _class(layer: AttributedLayer) -> str:
    return str(layer.op_class) if layer.op_class in CLASSES else "other"


def _detail(layer: AttributedLayer) -> str:
    if layer.role is LayerRole.NO_OP:
        return "does not run"
    time = "" if layer.time_ms is None else f"{milliseconds(layer.time_ms)} ms"
    what = "reformat" if layer.role is LayerRole.REFORMAT else str(layer.family.value).replace("_", " ")
    return " · ".join(word for word in (time, what) if word)


def _arcs(ends: Sequence[tuple[int, int]]) -> tuple[tuple[str, ...], int]:
    """Return the arcs of the edges that skip rows, and the channels they take."""
    free: list[int] = []  # by channel: the row below which it is free
    paths = []
    for a, b in sorted((a, b) for a, b in ends if b != a + 1):
        top, bottom = min(a, b), max(a, b)
        channel = next(at for at in count() if at == len(free) or free[at] <= top)
        free[channel : channel + 1] = [bottom]
        x = -12 - CHANNEL * channel
        paths.append(f"M-6 {_middle(a) + 3}H{x}V{_middle(b) - 3}H-6")
    return tuple(paths), len(free)


def _words(engine: AttributedEngine) -> str:
    """Return what the drawing shows, in words."""
    moved = [layer for layer in engine.layers if layer.role is LayerRole.REFORMAT]
    idle = sum(layer.role is LayerRole.NO_OP for layer in engine.layers)
    edges: Sequence[Edge] = engine.edges
    skips = sum(
        edge.source is not None and edge.target is not None and edge.target - edge.source > 1
        for edge in edges
    )
    still = f"{idle} of them {'does' if idle == 1 else 'do'} not run"
    skipping = number_of(skips, "edge skips", "edges skip")
    said = f"{number_of(len(engine.layers), 'layer')}, {still}; {skipping} layers"
    if not moved:
        return f"{said}; no reformat runs"
    names = ", ".join(layer.name for layer in moved)
    return f"{said}; {number_of(len(moved), 'reformat runs', 'reformats run')}: {names}"
