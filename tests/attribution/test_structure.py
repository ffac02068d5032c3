"""Engines whose names are all foreign: the recordings with every name taken away."""

from __future__ import annotations

from dataclasses import replace

import pytest

from harness.attribution.attribute import attribute
from harness.attribution.structure import match_structure
from harness.evidence.records import EngineLayer, Evidence, TensorInfo
from tests.attribution.recorded import ALL, FAMILIES, V2_850, engine, evidence, network


def foreign(known: Evidence) -> Evidence:
    """Return the same engine as another framework's export would name it."""

    def renamed(tensor: TensorInfo) -> TensorInfo:
        return replace(tensor, name="t" + tensor.name.encode().hex())

    layers = tuple(
        replace(
            layer,
            name=layer.name if layer.type in ("NoOp", "Reformat") else f"node_{place}",
            inputs=tuple(map(renamed, layer.inputs)),
            outputs=tuple(map(renamed, layer.outputs)),
        )
        for place, layer in enumerate(known.layers)
    )
    return replace(known, layers=layers, times=())


@pytest.mark.parametrize("name", [name for name in ALL if "sub" not in name])
def test_the_same_convolutions_in_the_same_order_are_the_network(name: str) -> None:
    found = attribute(network(name), foreign(evidence(name)))
    assert [layer.source_ops for layer in found.layers] == [x.source_ops for x in engine(name).layers]
    assert {layer.attributed_by for layer in found.layers if layer.source_ops} == {"structure"}


def test_another_network_is_not_attributed() -> None:
    strange = foreign(evidence(V2_850))
    assert not any(x.source_ops for x in attribute(FAMILIES["mobilenet_v1"].graph(), strange).layers)
    layers = list(strange.layers)
    place = next(i for i, layer in enumerate(layers) if layer.attributes.get("kernel") == [1, 1])
    layers[place] = replace(layers[place], attributes={**layers[place].attributes, "out_maps": 17})
    found = attribute(network(V2_850), replace(strange, layers=tuple(layers)))
    assert not any(layer.source_ops for layer in found.layers)


def test_a_classifier_of_other_classes_and_a_clip_inside_the_mean() -> None:
    graph = network(V2_850)
    compute = [x for x in foreign(evidence(V2_850)).layers if x.type not in ("NoOp", "Reformat")]
    *convolutions, pool, classifier = compute
    ends = [
        replace(pool, name="__myl_MaxMinMea_myl121_0", type="kgen"),
        EngineLayer(
            99, "/classifier/Gemm_myl121_1", "gemm", inputs=classifier.inputs, outputs=classifier.outputs
        ),
    ]
    found = match_structure(graph, [*convolutions, *ends])
    last = len(convolutions)
    assert found[last - 1] == ("Conv_1/Conv2D",)
    assert found[last] == ("Conv_1/Relu6", "Logits/AvgPool")
    assert found[last + 1] == ("Logits/Conv2d_1c_1x1/Conv2D",)
    smaller = replace(classifier, attributes={**classifier.attributes, "out_maps": 1000})
    assert match_structure(graph, [*convolutions, pool, smaller])[last + 1] == (
        "Logits/Conv2d_1c_1x1/Conv2D",
    )


def test_without_shapes_there_is_no_structure() -> None:
    bare = [replace(layer, attributes={}) for layer in foreign(evidence(V2_850)).layers]
    assert match_structure(network(V2_850), bare) == {}
