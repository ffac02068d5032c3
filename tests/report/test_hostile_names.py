"""Names of layers, networks, versions, kernels and reasons come from files: they must stay text."""

from __future__ import annotations

from functools import cache

import pytest

from harness.observations.records import RunObservation
from harness.report.render import render
from tests.report.composed import analysed, cell, engine, graph, layers, run
from tests.report.parsed import Parsed
from tests.report.payloads import PAYLOADS


def named(text: str) -> RunObservation:
    """A run in which every name that a file gives is *text*."""
    names = [f"{text}{index}" for index in range(3)]
    network = graph(names)
    old = engine(layers(names, kernel=text), network)
    new = engine(layers(names, 2.0, kernel=text), network)
    facts: dict[str, object] = {
        "gpu": text,
        "settings": [{"name": text, "value": text}],
        "not_expressible": [text],
    }
    return run(
        cell(f"1{text}", [1.0, 1.01, 1.02], old, network=text, host=text, facts=facts),
        cell(f"2{text}", [2.0, 2.01, 2.02], new, network=text, host=text, facts=facts),
        cell(f"3{text}", network=text, status="failed", reason=text),
        cell(f"1{text}", [1.0], old, network=text, repeat=text, runtime="openvino"),
        description=text,
        text=text,
    )


@cache
def page(text: str) -> Parsed:
    observed = named(text)
    return Parsed(render(analysed(observed)))


def test_there_are_fifty_payloads_and_all_differ() -> None:
    assert len(set(PAYLOADS)) == 50
    assert all("pwned" in text for text in PAYLOADS)


@pytest.mark.parametrize("text", PAYLOADS)
def test_hostile_name_stays_text(text: str) -> None:
    harmless, found = page("harmless"), page(text)
    assert found.tags == harmless.tags, "the same elements as with a harmless name"
    assert found.handlers == []
    assert found.loaded == []
    assert [sorted(a) for _, a in found.elements] == [sorted(a) for _, a in harmless.elements]
    assert not any("pwned" in a.get("style", "") for _, a in found.elements)


def test_a_name_is_shown_as_it_is_written() -> None:
    text = '<b title="a">&amp; {{ 7 * 7 }}</b>'
    assert text in page(text).text


def test_page_names_nothing_outside_itself() -> None:
    found = page("harmless")
    assert found.loaded == []
    assert [a.get("type", "") for tag, a in found.elements if tag == "script"] == [
        "application/octet-stream",
        "",
    ]
    policy = next(a["content"] for tag, a in found.elements if a.get("http-equiv"))
    assert "default-src 'none'" in policy


def test_links_lead_somewhere() -> None:
    found = page("harmless")
    assert set(found.links) <= set(found.ids)
    assert len(set(found.ids)) == len(found.ids)
