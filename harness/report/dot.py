"""The graph of an engine in the DOT language of Graphviz."""

from __future__ import annotations

from collections.abc import Iterator

from harness.attribution.engine import AttributedEngine, AttributedLayer, LayerRole
from harness.report.words import milliseconds

_FILLS = {
    "pointwise": "#a9c8ea",
    "depthwise": "#f4cfa4",
    "convolution": "#cddcee",
    "dense": "#b4d6d4",
    "activation": "#e6b8cf",
    "elementwise": "#f0d7e4",
    "pooling": "#d5d8dd",
    "reformat": "#f3b9b9",
}
_PLAIN = "#eeeeee"


def dot(title: str, engine: AttributedEngine) -> str:
    """Return *engine* as a DOT digraph: layers in order, formats on the edges, reformats as red hexagons.

    :param title: name and label of the graph
    :return: text that ``dot -Tsvg`` and every reader of DOT takes
    """
    lines = [
        f"digraph {quoted(title)} {{",
        f"  label={shown(title)}; labelloc=t; rankdir=TB;",
        '  node [shape=box, style="filled,rounded", fontname="sans-serif", fontsize=10];',
        '  edge [fontname="sans-serif", fontsize=8];',
        *_nodes(engine),
        *_edges(engine),
        "}",
    ]
    return "\n".join(lines) + "\n"


def quoted(text: str) -> str:
    r"""Return *text* as a quoted id: ``\`` and ``"`` as they are read back, a line break as ``\n``.

    (https://graphviz.org/doc/info/lang.html; labels read a backslash as the start of an escape, too.)
    """
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\r", "").replace("\n", "\\n")
    return f'"{escaped}"'


def shown(text: str) -> str:
    """Return *text* as a quoted label, which is shown as it stands: labels read entities of HTML, too."""
    return quoted(text.replace("&", "&amp;"))


def _nodes(engine: AttributedEngine) -> Iterator[str]:
    for kind, name in _ends(engine):
        yield f"  {quoted(f'{kind} {name}')} [label={shown(name)}, shape=ellipse, fillcolor=white];"
    for at, layer in enumerate(engine.layers):
        yield f"  n{at} [label={shown(_label(layer))}, {_look(layer)}];"


def _ends(engine: AttributedEngine) -> dict[tuple[str, str], None]:
    """Return inputs and outputs of the network, each once."""
    ends = {("input", edge.tensor): None for edge in engine.edges if edge.source is None}
    return ends | {("output", edge.tensor): None for edge in engine.edges if edge.target is None}


def _label(layer: AttributedLayer) -> str:
    time = "does not run" if layer.role is LayerRole.NO_OP else f"{milliseconds(layer.time_ms) or '?'} ms"
    return "\n".join(part for part in (layer.name, time, layer.kernel or layer.type or "") if part)


def _look(layer: AttributedLayer) -> str:
    fill = f'fillcolor="{_FILLS.get(str(layer.op_class), _PLAIN)}"'
    if layer.role is LayerRole.REFORMAT:
        return f'{fill}, shape=hexagon, color="#c43d3d", penwidth=2'
    if layer.role is LayerRole.NO_OP:
        return 'style=dashed, fontcolor="#777777"'
    return fill


def _edges(engine: AttributedEngine) -> Iterator[str]:
    for edge in engine.edges:
        source = quoted(f"input {edge.tensor}") if edge.source is None else f"n{edge.source}"
        target = quoted(f"output {edge.tensor}") if edge.target is None else f"n{edge.target}"
        yield f"  {source} -> {target} [label={shown(edge.label)}, tooltip={shown(edge.tensor)}];"
