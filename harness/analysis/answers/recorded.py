"""Short answers on what was recorded and has no latency: rows of a forum, a profile alone."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from harness.analysis.answers.short import ShortAnswer
from harness.analysis.grid import Grid
from harness.analysis.groups import BuildGroup
from harness.attribution.engine import AttributedEngine
from harness.attribution.findings import block_findings, depthwise_sentence
from harness.written import milliseconds, number_of

MOST_SAID = 3


def timed_runtimes(grid: Grid) -> frozenset[str]:
    """Return the runtimes of which some build has a latency."""
    return frozenset(group.cell.runtime for group in grid.built if group.latency.builds)


def recorded_answers(grid: Grid) -> tuple[ShortAnswer, ...]:
    """Return one record a runtime that has layer times and no latency, in the order of the run."""
    timed = timed_runtimes(grid)
    rows: dict[str, list[tuple[BuildGroup, AttributedEngine]]] = {}
    for group in grid.built:
        engine = next((build.engine for build in group.observed if build.engine is not None), None)
        if engine is not None and engine.total_ms > 0 and group.cell.runtime not in timed:
            rows.setdefault(group.cell.runtime, []).append((group, engine))
    return tuple(
        ShortAnswer(runtime, "", None, tuple(_lines(own[:MOST_SAID]))) for runtime, own in rows.items()
    )


def _lines(rows: Iterable[tuple[BuildGroup, AttributedEngine]]) -> Iterator[tuple[str, str]]:
    depthwise, pieces, parts = [], [], []
    for group, engine in rows:
        blocks = block_findings(engine)
        where = f"{group.cell.network} in {group.cell.version}: "
        if said := depthwise_sentence(engine, blocks):
            depthwise.append(f"{where}{said}")
        own = [block for block in blocks if block.pieces]
        if own:
            layers, ms = sum(len(block.pieces) for block in own), sum(block.activation_ms for block in own)
            pieces.append(f"{where}{number_of(layers, 'layer')}, {milliseconds(ms)} ms")
        whole = "a part of a profile" if engine.partial else "a whole profile"
        all_layers = number_of(len(engine.layers), "layer")
        parts.append(f"{where}{whole}, {all_layers}, {milliseconds(engine.total_ms)} ms")
    for question, texts in (
        ("Is depthwise slow because of reformats?", depthwise),
        ("What do activations on their own take?", pieces),
        ("What is this?", [*parts, "no latency was recorded, so no version is called faster"]),
    ):
        if texts:
            yield question, f"{'; '.join(texts)}."
