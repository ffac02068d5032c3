"""The short answers in one sentence each, as the first screen shows them."""

from __future__ import annotations

from msgspec.structs import replace

from harness.analysis.run_analysis import RunAnalysis
from tests.report.composed import analysed, cell, engine, graph, judged, layers, run

NAMES = ("a", "b", "c", "d")
FAST, SLOW = [1.0, 1.001, 0.999], [2.0, 2.002, 1.998]


def leads(analysis: RunAnalysis) -> dict[str, str]:
    return dict(analysis.short[0].leads)


def test_the_version_is_said_with_its_range_and_in_how_many_cases() -> None:
    found = analysed(
        run(
            cell("8.5", SLOW),
            cell("8.6", FAST),
            cell("8.5", [4.0, 4.001, 3.999], network="other"),
            cell("8.6", FAST, network="other"),
            cell("8.5", [1.0, 1.3], network="open"),
            cell("8.6", [1.0, 1.2], network="open"),
        )
    )
    said = leads(found)
    assert said["Which version?"] == (
        "8.6 takes 50.0 to 75.0 % less time than 8.5 in 2 of 3 cases (mobilenet_v2, other);"
        " in 1 that cannot be told."
    )
    assert said["What is worse?"] == "Nothing that these builds show."
    assert said["What is open?"].startswith("1 of 3 changes of latency; open would take ")


def test_one_case_is_not_counted() -> None:
    said = leads(analysed(run(cell("8.5", SLOW), cell("8.6", FAST))))
    assert said["Which version?"] == "8.6 takes 50.0 % less time than 8.5."
    assert said["What is open?"] == "No change of latency."


def test_where_the_picked_version_is_slower_in_one_case_it_is_said() -> None:
    found = analysed(
        run(
            *(cell("8.5", SLOW, network=name) for name in ("a", "b")),
            *(cell("8.6", FAST, network=name) for name in ("a", "b")),
            cell("8.5", FAST, network="c"),
            cell("8.6", SLOW, network="c"),
        )
    )
    said = leads(found)
    assert said["Which version?"].endswith("in 2 of 3 cases (a, b); in 1 it is slower than the fastest.")
    assert said["What is worse?"] == "Latency in 8.6, +100.0 % in 1 of 3 cases."


def test_what_got_worse_is_the_latency_first_and_the_rest_is_counted() -> None:
    network = graph(NAMES)
    found = analysed(
        run(
            cell("8.5", FAST, engine(layers(NAMES), network)),
            cell("8.6", SLOW, engine(layers(NAMES, 2.0), network)),
        )
    )
    worse = [v for one in found.answers[0].runtimes for v in one.worse]
    more = f"; and {len(worse) - 1} more" if worse[1:] else ""
    assert leads(found)["What is worse?"] == f"Latency in 8.6, +100.0 %{more}."


def test_wrong_outputs_come_before_what_is_slower() -> None:
    composed = run(cell("8.5", FAST), cell("8.6", SLOW))
    verdicts = [
        replace(v, verdict="invalid", change=None) if v.bottleneck == "latency" else v
        for v in judged(composed)
    ]
    assert leads(analysed(composed, verdicts))["What is worse?"] == "Outputs of 8.6 are wrong."


def test_each_lead_answers_a_question_that_is_answered_in_full() -> None:
    found = analysed(run(cell("8.5", SLOW), cell("8.6", FAST)))
    (short,) = found.short
    assert len(short.leads) <= len(short.lines)
    assert all(len(text) < 200 for _, text in short.leads)
