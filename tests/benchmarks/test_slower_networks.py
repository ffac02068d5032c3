"""Networks with an op repeated: the op is there as often as said, and outputs stay those of a MobileNet."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.slower_networks import REPEATED, TIMES, Slower, repeated, trtmatrix_networks
from harness.networks.graph import OpKind
from harness.networks.mobilenet import MobileNetV1, MobileNetV2
from harness.networks.reference import probe_reference

BASES = {
    "mobilenet_v1": MobileNetV1(width=0.25, resolution=32, classes=11),
    "mobilenet_v2": MobileNetV2(width=0.25, resolution=32, classes=11),
}


@pytest.mark.parametrize("name", BASES)
@pytest.mark.parametrize("relu6", ["clip", "relu_sub"])
def test_the_op_is_there_as_often_as_said(name: str, relu6: str) -> None:
    base = BASES[name].graph(batch=2, relu6=relu6)
    graph = Slower(BASES[name], 3).graph(batch=2, relu6=relu6)
    assert graph.name == f"{name}_plus3"
    assert graph.digest != base.digest
    first, last = REPEATED[name]
    more = len(graph.ops) - len(base.ops)
    assert more == 3 * (2 if relu6 == "clip" else 5)
    copies = [op for op in graph.ops if op.name.startswith(f"{first}_again")]
    assert [op.kind for op in copies] == [OpKind.CONV] * 3
    assert copies[0].inputs == (last,)
    assert len(graph.consumers(last)) == 1
    assert all(graph.shapes[op.output] == graph.shapes[op.inputs[0]] for op in copies)
    assert all(tensor in graph.shapes for op in graph.ops for tensor in op.inputs)
    (reader,) = graph.consumers(f"{last}_again3")
    assert reader.name == base.consumers(last)[0].name


@pytest.mark.parametrize("name", BASES)
def test_outputs_move_little_and_stay_finite(name: str) -> None:
    (base,) = probe_reference(BASES[name].graph()).values()
    (found,) = probe_reference(Slower(BASES[name], max(TIMES)).graph()).values()
    assert np.isfinite(found).all()
    assert 0.2 < np.abs(found).max() / np.abs(base).max() < 5.0
    assert not np.array_equal(found, base)


def test_none_more_is_the_network_itself() -> None:
    base = BASES["mobilenet_v2"].graph()
    assert repeated(base, base.name, REPEATED["mobilenet_v2"], 0).digest == base.digest


def test_the_hook_names_each_once() -> None:
    names = [family.name for family in trtmatrix_networks()]
    assert len(set(names)) == len(names) == 2 * len(TIMES)
    assert "mobilenet_v2_plus4" in names
