"""What single rows say: the eleven rows, with and without a network, and the recordings."""

from __future__ import annotations

import pytest

from harness.attribution.attribute import attribute
from harness.attribution.findings import block_findings, totals
from harness.evidence.records import Evidence, LayerTime
from harness.networks.graph import Graph
from tests.attribution.recorded import FAMILIES, V2_850, V2_PIECES, engine
from tests.attribution.recorded_rows import PREFIX, eleven_rows

PIECES = FAMILIES["mobilenet_v2"].graph(relu6="relu_sub")
CLIP = FAMILIES["mobilenet_v2"].graph()


@pytest.mark.parametrize("graph", [None, PIECES, CLIP], ids=["unknown", "pieces", "clip"])
def test_the_eleven_rows(graph: Graph | None) -> None:
    found = attribute(graph, eleven_rows())
    expand, depthwise = block_findings(found)
    assert expand.name == PREFIX + "expand/Conv2D"
    assert (expand.time_ms, expand.activation_ms, expand.reformats) == (0.073, 0.189, ())
    assert depthwise.name == PREFIX + "depthwise/depthwise"
    assert (depthwise.time_ms, depthwise.reformats_ms, depthwise.activation_ms) == (0.313, 0.255, 0.184)
    assert (depthwise.op_class, len(depthwise.reformats), len(depthwise.pieces)) == ("depthwise", 2, 3)
    assert depthwise.sentences() == [
        f"{PREFIX}depthwise/depthwise: 2 reformats, 0.255 ms beside 0.313 ms of its convolution",
        f"{PREFIX}depthwise/Relu6: in pieces, 3 layers, 0.184 ms",
    ]
    assert totals((expand, depthwise)) == {"reformats_ms": 0.255, "activations_ms": 0.373}


@pytest.mark.parametrize("graph", [None, PIECES], ids=["unknown", "pieces"])
def test_a_partial_profile_shows_no_shares_but_loses_no_time(graph: Graph | None) -> None:
    found = attribute(graph, eleven_rows())
    assert found.partial
    assert found.total_ms == pytest.approx(1.084)
    assert (found.unattributed_ms == 0.0) is (graph is not None)


def test_rows_without_their_convolution_are_still_said() -> None:
    rows = ("a/dw/depthwise input reformatter 0", "b/Relu6", "b/Relu6/relu1")
    times = tuple(LayerTime(place, name, average_ms=0.1) for place, name in enumerate(rows))
    reformat, pieces = block_findings(attribute(None, Evidence(times=times, partial=True)))
    assert reformat.sentences() == ["a/dw/depthwise: 1 reformat, 0.100 ms"]
    assert pieces.sentences() == ["b/Relu6: in pieces, 2 layers, 0.200 ms"]
    assert (reformat.time_ms, pieces.name) == (None, "")


def test_a_reformat_for_a_kernel_without_a_name_of_its_own() -> None:
    rows = (LayerTime(0, "Reformatting CopyNode for Input Tensor 0 to __myl_Fc_myl0_1", average_ms=0.1),)
    (block,) = block_findings(attribute(None, Evidence(times=rows)))
    assert block.sentences() == ["__myl_Fc_myl0_1: 1 reformat, 0.100 ms"]


def test_foreign_names_are_grouped_by_the_network() -> None:
    aliases = {"node_1": "Conv/Conv2D", "node_2": "Conv/Relu6"}
    rows = ("Reformatting CopyNode for Input Tensor 0 to node_1", "node_1", "node_2")
    times = tuple(LayerTime(place, name, average_ms=0.1) for place, name in enumerate(rows))
    (block,) = block_findings(attribute(CLIP, Evidence(times=times), aliases))
    assert (block.name, block.time_ms, block.reformats_ms, block.activation_ms) == ("node_1", 0.1, 0.1, 0.1)


def test_recordings_have_a_block_for_each_relu6_in_pieces_and_reformat() -> None:
    pieces = [block for block in block_findings(engine(V2_PIECES)) if block.pieces]
    assert len(pieces) == 35
    assert all(len(block.pieces) == 1 and block.time_ms for block in pieces)
    whole = block_findings(engine(V2_850))
    assert [block.name for block in whole] == ["Conv/Conv2D", "expanded_conv_16/expand/Conv2D"]
    assert [block.pieces for block in whole] == [(), ()]
