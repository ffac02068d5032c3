"""Edges of engine graphs: by the tensors of the layers, else by their source ops."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import hypothesis.strategies as st
from hypothesis import given

from harness.attribution.engine import AttributedEngine, AttributedLayer, KernelFamily, LayerRole
from harness.attribution.wiring import Edge, edges_between
from harness.evidence.records import TensorInfo
from harness.networks.graph import Graph, OpKind, SourceOp
from tests.runtimes.worker_builds import read, v2


def layer(
    position: int, reads: list[str], writes: list[str], ops: tuple[str, ...] = (), role: str = "compute"
) -> AttributedLayer:
    def tensors(names: list[str]) -> tuple[TensorInfo, ...]:
        return tuple(TensorInfo(name, (1, 8), "Channel major FP16 format", "float16") for name in names)

    return AttributedLayer(
        position,
        f"layer {position}",
        None,
        None,
        None,
        KernelFamily.UNKNOWN,
        LayerRole(role),
        "unknown",
        0.1,
        source_ops=ops,
        inputs=tensors(reads),
        outputs=tensors(writes),
    )


def ends(edges: tuple[Edge, ...]) -> list[tuple[int | None, int | None]]:
    return [(edge.source, edge.target) for edge in edges]


@given(st.lists(st.lists(st.integers(0, 30), max_size=3, unique=True), min_size=1, max_size=30))
def test_each_tensor_leads_from_its_writer_to_each_of_its_readers(back: list[list[int]]) -> None:
    """Layer n writes tensor n and reads some of those before it, or the input of the network."""
    reads = [[f"t{at - 1 - n}" if n < at else "input" for n in own] for at, own in enumerate(back)]
    layers = [layer(at, sorted(set(own)), [f"t{at}"]) for at, own in enumerate(reads)]
    edges = edges_between(layers, None)
    assert [(e.source, e.tensor) for e in edges if e.target is None] == [
        (at, f"t{at}") for at in range(len(layers)) if f"t{at}" not in {x for own in reads for x in own}
    ]
    for at, own in enumerate(reads):
        wanted = sorted(set(own))
        assert [e.tensor for e in edges if e.target == at] == wanted
        assert [e.source for e in edges if e.target == at] == [
            None if name == "input" else int(name[1:]) for name in wanted
        ]
    assert {e.label for e in edges} <= {"hwc fp16 1x8"}


def test_a_concatenation_that_is_none_has_several_writers() -> None:
    layers = [layer(0, ["in"], ["both"]), layer(1, ["in"], ["both"]), layer(2, ["both"], ["out"])]
    assert ends(edges_between(layers, None)) == [(None, 0), (None, 1), (0, 2), (1, 2), (2, None)]


def test_without_tensors_the_source_ops_say_it_and_reformats_stand_between() -> None:
    ops = tuple(SourceOp(name, OpKind.RELU, (f"t{i}",), f"t{i + 1}") for i, name in enumerate("abc"))
    shapes = {f"t{i}": (1, 8, 4, 4) for i in range(4)}
    graph = Graph("composed", "clip", 1, ("t0",), ("t3",), ops, shapes, {}, "sha256:00")
    moved = replace(layer(1, [], [], role="reformat"), before=("a",), after=("b",))
    edges = edges_between([layer(0, [], [], ("a",)), moved, layer(2, [], [], ("b", "c"))], graph)
    assert ends(edges) == [(None, 0), (0, 1), (1, 2), (2, None)]
    assert edges[0].label == "1x8x4x4"
    assert edges_between([layer(0, [], [])], None) == ()


def test_a_real_engine_is_one_piece_with_its_formats(tmp_path: Path) -> None:
    """MobileNet v2 has ten residuals; each is an edge that skips layers."""
    engine: AttributedEngine = read(v2("8.5.3.1"), tmp_path).engine
    inner = [(e.source, e.target) for e in engine.edges if e.source is not None and e.target is not None]
    assert all(source < target for source, target in inner)
    assert sum(target - source > 1 for source, target in inner) == 10
    assert {target for _, target in inner} | {0} == set(range(len(engine.layers)))
    assert [e.tensor for e in engine.edges if e.source is None] == ["input"]
    assert [e.tensor for e in engine.edges if e.target is None] == ["logits"]
    assert engine.edges[0].label == "linear fp32 1x3x224x224"
