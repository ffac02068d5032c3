"""Runtimes beside each other: sentence, section of the page, document."""

from __future__ import annotations

from dataclasses import replace

import pytest

from harness.analysis.documents import verdicts_document
from harness.attribution.engine import AttributedEngine, LayerRole
from harness.matrix.cell import Treatment
from harness.observations.records import CellObservation
from harness.report.render import render
from harness.report.runtimes import runtimes
from tests.report.composed import analysed, cell, engine, layers, on_hosts, run
from tests.report.parsed import Parsed

PLACED = Treatment(own=(("placement", "gpu"),), own_label="placed_gpu")
SENTENCE, LEAD = "How fast are the others?", "The others?"


def cut(*, reformats: bool) -> AttributedEngine:
    """An engine of 0.03 ms, of which 0.02 ms are a segment of TF-TRT, or the reformat behind it."""
    first, second = layers(("a", "b"))
    if reformats:
        return engine([replace(first, name="TRTEngineOp_0"), replace(second, role=LayerRole.REFORMAT)])
    return engine([first, replace(second, name="TRTEngineOp_0")])


BASE = cell("2.14.1", [3.0], engine(layers(("a", "b"))), runtime="tensorflow")
ONE_EACH = analysed(
    run(
        BASE,
        cell("2.14.1", [2.0], cut(reformats=True), runtime="tftrt"),
        cell("2.14.1", [1.5], cut(reformats=False), runtime="tftrt", treatment=PLACED),
    )
)
PAIR = analysed(
    run(
        cell("2.14.1", [1.0, 1.01, 0.99], runtime="tensorflow"),
        cell("1.14", [4.0, 4.01, 3.99], runtime="onnxruntime"),
        cell("1.15", [2.0, 2.01, 1.99], runtime="onnxruntime"),
    )
)


def test_one_sentence_says_what_each_gains_and_what_reformats_take() -> None:
    first, other = ONE_EACH.short
    assert dict(first.lines)[SENTENCE] == (
        "By the host's clock, mobilenet_v2: tftrt 2.14.1 placed_gpu is 2.00 times as fast "
        "as tensorflow 2.14.1, 0.0 % of its layer time in reformats; tftrt 2.14.1 is 1.50 times as fast, "
        "66.7 % in reformats. One build each: no interval."
    )
    assert SENTENCE not in dict(other.lines)
    assert dict(first.leads)[LEAD] == (
        "tftrt 2.14.1 placed_gpu is 2.00 times as fast as tensorflow 2.14.1 on mobilenet_v2; "
        "tftrt 2.14.1 1.50 times on mobilenet_v2 (66.7 % of its layer time in reformats)."
    )


def test_a_plain_pair_is_told_by_its_newest_version_with_an_interval() -> None:
    said = dict(PAIR.short[0].lines)[SENTENCE]
    assert said.startswith("By the host's clock, mobilenet_v2: onnxruntime 1.15 is 0.50 times as fast ")
    assert "as tensorflow 2.14.1 (0.4" in said
    assert "1.14" not in said
    assert "no interval" not in said


def test_some_sides_of_one_build_are_said_to_have_no_interval() -> None:
    found = analysed(run(BASE, cell("8.6", [1.0, 1.01])))
    assert dict(found.short[0].lines)[SENTENCE].endswith("No interval where a side has one build.")


def test_networks_beyond_three_are_counted_and_treatments_named_where_they_differ() -> None:
    cells = [
        cell("1", [1.0], runtime=runtime, network=network, treatment=Treatment(batch=batch))
        for network in ("a", "b")
        for batch in (1, 8)
        for runtime in ("tensorflow", "openvino")
    ]
    said = dict(analysed(run(*cells)).short[0].lines)[SENTENCE]
    assert "a b8: openvino 1 is 1.00 times as fast" in said
    assert "And 1 more network." in said
    lead = dict(analysed(run(*cells)).short[0].leads)[LEAD]
    assert lead == (
        "openvino 1 is 1.00 times as fast as tensorflow 1 on a b1, 1.00 on a b8, 1.00 on b b1, 1.00 on b b8."
    )


def test_the_page_has_a_table_for_what_two_runtimes_ran() -> None:
    html = render(ONE_EACH)
    text = Parsed(html).text
    assert 'id="runtimes"' in html
    assert "in TensorRT" in text
    assert "2.00 times" in text
    assert "66.7 %" in text
    assert "one build each: no interval" in text
    (view,) = runtimes(ONE_EACH)
    assert (view.against, view.names, view.host) == ("tensorflow", ("tensorflow", "tftrt"), "host-a")


def test_the_page_of_a_plain_pair_says_nothing_of_tensorrt() -> None:
    (view,) = runtimes(PAIR)
    assert (view.segments, view.profiled, view.note) == (False, False, "")
    text = Parsed(render(PAIR)).text
    assert "Runtimes beside each other" in text
    assert "In TensorRT:" not in text


@pytest.mark.parametrize(
    "cells",
    [
        (cell("8.5", [1.0]), cell("8.6", [1.0])),
        (BASE, cell("8.6", [1.0], network="other")),
        (BASE, cell("8.6", [1.0], host="host-b")),
        (BASE, cell("8.6", [1.0], treatment=Treatment(batch=8))),
        (BASE, cell("8.6", status="unavailable", reason="no GPU")),
    ],
)
def test_runtimes_that_did_not_run_the_same_are_not_beside_each_other(
    cells: tuple[CellObservation, ...],
) -> None:
    found = analysed(run(*cells))
    assert found.runtimes == ()
    assert 'href="#runtimes"' not in render(found)
    assert all(SENTENCE not in dict(one.lines) for one in found.short)


def test_hosts_have_tables_of_their_own() -> None:
    other = replace(on_hosts("8.6", Treatment(), a=[1.0], b=[1.0]))
    base = on_hosts("8.5", Treatment(), a=[2.0], b=[3.0])
    base = replace(base, cell=replace(base.cell, runtime="tensorflow"))
    found = analysed(run(base, other))
    assert [(t.host, t.rows[1].speed_up) for t in found.runtimes] == [("host-a", 2.0), ("host-b", 3.0)]
    assert "mobilenet_v2 on host-b: tensorrt 8.6 is 3.00 times" in dict(found.short[0].lines)[SENTENCE]


def test_the_document_has_the_table() -> None:
    (table,) = verdicts_document(ONE_EACH).runtimes
    assert (table.network, table.treatment, table.against) == ("mobilenet_v2", "fp32-b1-clip", "tensorflow")
    first, placed, plain = table.rows
    assert (first.speed_up, placed.speed_up, plain.speed_up) == (None, 2.0, 1.5)
    assert plain.shares is not None
    assert plain.shares.reformats == pytest.approx(2 / 3)
    assert (placed.label, placed.interval, placed.builds) == ("placed_gpu", None, 1)
