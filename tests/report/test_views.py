"""View models over runs composed in code, and over a recording."""

from __future__ import annotations

import html
import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from msgspec import structs

from harness.analysis.answers.answer import answers
from harness.analysis.grid import grid_of
from harness.analysis.groups import ONE_CACHE
from harness.matrix.cell import Treatment
from harness.observations.records import CellObservation, RunObservation
from harness.plugins.reading import observe
from harness.recordings.importing import import_recording
from harness.recordings.recording import Recording
from harness.report import words
from harness.report.board import board, noise
from harness.report.charts import latency_charts, time_charts
from harness.report.glance import glance
from harness.report.markdown import summary
from harness.report.parity import configurations, not_run
from harness.report.render import render
from tests.attribution.recorded import RECORDINGS, V2_860
from tests.report.composed import analysed, cell, engine, graph, judged, layers, run
from tests.report.parsed import Parsed

NAMES = ("a", "b", "c", "d")


def without_speed(text: str) -> str:
    """Return *text* without what a latency comes to a second."""
    return re.sub(r" \([^)]*images/s[^)]*\)", "", text)


@pytest.fixture
def observed() -> RunObservation:
    """Version 9 is twice as slow as 10; 10 stands twice, as an A/A pair; 11 failed."""
    network = graph(NAMES)
    slow, fast = engine(layers(NAMES, 2.0), network), engine(layers(NAMES), network)
    return run(
        cell("10.0", [1.00, 1.01, 1.02], fast),
        cell("9.0", [2.00, 2.01, 2.02], slow),
        cell("10.0", [1.00, 1.01, 1.02], fast, repeat="aa"),
        cell("11.0", status="failed", reason="worker killed"),
    )


def test_fastest_is_named_with_its_interval_and_what_changed(observed: RunObservation) -> None:
    (answer,) = answers(grid_of(observed), judged(observed))
    assert answer.best.release.label == "tensorrt 10.0"
    assert answer.best.low is not None
    assert answer.best.low < 1.01 < (answer.best.high or 0)
    assert answer.best.ties == ()
    assert (answer.launch_bound, answer.graph) == ((0, 0), None)
    assert [(v.against, v.version, v.verdict) for v in answer.changes] == [("9.0", "10.0", "reduced")]


def test_what_got_slower_carries_no_gain() -> None:
    """A reformat that moved stands on both sides; only the layers that got faster are named."""
    network = graph(NAMES)
    old, new = layers(NAMES, 2.0), layers(NAMES)
    slower = replace(new[0], time_ms=(old[0].time_ms or 0) * 4)
    observed = run(
        cell("9.0", [2.00, 2.01, 2.02], engine(old, network)),
        cell("10.0", [1.00, 1.01, 1.02], engine([slower, *new[1:]], network)),
    )
    (verdict,) = answers(grid_of(observed), judged(observed))[0].changes
    assert verdict.layers[0].name == NAMES[0]
    assert verdict.layers[0].difference_ms > 0
    assert [layer.name for layer in verdict.carriers] == [x.name for x in verdict.layers[1:]]
    unsure = structs.replace(
        verdict, layers=tuple(structs.replace(layer, changed=False) for layer in verdict.layers)
    )
    assert unsure.carriers == ()
    assert "carried by no single layer for certain" in summary(analysed(observed, [unsure]))
    assert {layer.difference_ms < 0 for layer in verdict.carriers} == {True}
    first = f"carried by {verdict.carriers[0].name} {words.difference(verdict.carriers[0].difference_ms)}"
    assert first in summary(analysed(observed))
    assert first in " ".join(Parsed(render(analysed(observed))).text.split())
    assert structs.replace(verdict, effect=None).carriers == ()


@pytest.mark.parametrize(
    ("times", "markdown", "page"),
    [
        ({"9.0": [2.0, 2.01], "10.0": [1.0, 1.01]}, "tensorrt 10.0 is fastest: 1.005 ms", "</b> fastest"),
        (
            {"9.0": [2.0, 2.01], "10.0": [1.0, 1.01], "11.0": [1.0, 1.02]},
            "tensorrt 10.0 is lowest: 1.005 ms, not to be told from tensorrt 11.0",
            "</b> lowest",
        ),
        (
            {"9.0": [1.0, 1.2], "10.0": [1.0, 1.1], "11.0": [1.0, 1.3]},
            "no version stands out; lowest, tensorrt 10.0: 1.049 ms",
            "<b>no version stands out</b>; lowest",
        ),
        (
            {"10.0": [1.0, 1.01]},
            "tensorrt 10.0, the only one measured: 1.005 ms",
            "</b> the only one measured",
        ),
    ],
)
def test_a_version_is_called_fastest_only_where_it_can_be_told_from_another(
    times: Mapping[str, list[float]], markdown: str, page: str
) -> None:
    drawn = engine(layers(NAMES), graph(NAMES))
    found = run(*(cell(version, levels, drawn) for version, levels in times.items()))
    verdicts = judged(found)
    (line,) = [x for x in summary(analysed(found, verdicts)).splitlines() if x.startswith("- **mobilenet")]
    said = html.unescape(line.partition(": ")[2])
    assert "images/s" in said
    assert without_speed(said) == markdown
    assert page in render(analysed(found, verdicts))


@pytest.mark.parametrize(
    ("graphs", "bound", "markdown", "page"),
    [
        (
            {"9.0": 0.8, "10.0": 0.6},
            True,
            "tensorrt 10.0 is fastest: 0.600 ms",
            "bounds 4 of 4 builds. As CUDA graphs tensorrt 10.0 is fastest, 0.600 ms.",
        ),
        (
            {"9.0": 0.6, "10.0": 0.6},
            True,
            "no version stands out; lowest, tensorrt 9.0: 0.600 ms",
            "As CUDA graphs none stands out; lowest, tensorrt 9.0, 0.600 ms.",
        ),
        (
            {"10.0": 0.6},
            True,
            "tensorrt 10.0, the only one measured: 0.600 ms",
            "As CUDA graphs, 0.600 ms.",
        ),
        ({"9.0": 0.8, "10.0": 0.6}, False, "", ""),
        ({}, True, "", ""),
    ],
)
def test_where_launching_bounds_builds_the_answer_stands_as_cuda_graphs_too(
    graphs: Mapping[str, float], bound: bool, markdown: str, page: str
) -> None:
    """Latencies that scatter by the launches; as graphs the builds of a version are alike."""
    cells = []
    for version in ("9.0", "10.0"):
        found = cell(version, [1.0, 1.2], facts={"launch_bound": bound})
        graph_ms = graphs.get(version)
        if graph_ms is not None:
            near = [np.array([graph_ms * x]) for x in (0.999, 1.001)]
            builds = (
                replace(b, passes={**b.passes, "cuda_graph": x})
                for b, x in zip(found.builds, near, strict=True)
            )
            found = replace(found, builds=tuple(builds))
        cells.append(found)
    observed = run(*cells)
    (answer,) = answers(grid_of(observed), [])
    assert answer.best.open
    assert answer.launch_bound == (4 * bound, 4)
    assert (answer.graph is None) == (not markdown)
    lines = [html.unescape(x.strip()) for x in summary(analysed(observed, [])).splitlines()]
    said = f"- launching bounds 4 of 4 builds; as CUDA graphs, {markdown}"
    assert [without_speed(x) for x in lines if "launching" in x] == ([said] if markdown else [])
    text = " ".join(Parsed(render(analysed(observed, []))).text.split())
    assert page in text
    assert ("Launching bounds" in text) == bool(page)


@pytest.mark.parametrize(("kept", "builds"), [("on", 2), ("on", 1), ("off", 2)])
def test_intervals_of_one_timing_cache_are_said_to_be_so(kept: str, builds: int) -> None:
    times = [1.0, 1.01][:builds]
    observed = run(*(cell(v, times, treatment=Treatment(timing_cache=kept)) for v in ("9.0", "10.0")))
    (answer,) = answers(grid_of(observed), [])
    assert answer.notes == ((ONE_CACHE,) if (kept, builds) == ("on", 2) else ())
    pages = (
        " ".join(Parsed(render(analysed(observed, []))).text.split()),
        html.unescape(summary(analysed(observed, []))),
    )
    assert [page.count(ONE_CACHE) for page in pages] == [len(answer.notes)] * 2


def test_versions_are_sorted_as_versions_with_the_pair_beside_its_twin(observed: RunObservation) -> None:
    found = [release.label for release in glance(grid_of(observed)).columns]
    assert found == ["tensorrt 9.0", "tensorrt 10.0", "tensorrt 10.0 (aa)", "tensorrt 11.0"]


def test_every_cell_is_in_the_matrix_and_a_failed_one_says_why(observed: RunObservation) -> None:
    (row,) = glance(grid_of(observed)).rows
    assert [c.status if c else None for c in row.cells] == ["measured"] * 3 + ["failed"]
    assert row.cells[3] is not None
    assert row.cells[3].reason == "worker killed"
    assert [(n.cells, n.reason) for n in not_run(grid_of(observed))] == [
        (("mobilenet_v2-fp32-b1-clip-tensorrt-11.0",), "worker killed")
    ]


def test_a_row_links_to_its_latencies_where_there_are_any_and_nothing_is_an_answer_too() -> None:
    measured, failed = cell("10.0", [1.0]), cell("11.0", status="failed", reason="worker killed")
    other = cell("10.0", status="unavailable", reason="no GPU", treatment=Treatment(relu6="relu_sub"))
    for cells in ((measured, failed, other), (failed, other)):
        found = Parsed(render(analysed(run(*cells))))
        assert set(found.links) <= set(found.ids)
        assert ("Nothing was measured" in found.text) == (measured not in cells)


def test_board_leads_with_latency_and_noise_stands_apart(observed: RunObservation) -> None:
    verdicts = judged(observed)
    found = board(verdicts, grid_of(observed), {})
    assert found.columns[0] == ("latency", "latency")
    assert {row.release for row in found.rows} >= {"tensorrt 9.0", "tensorrt 10.0"}
    (row,) = noise(verdicts)
    assert row.aa.effect == pytest.approx(1.0)
    assert [v.version for v in row.beyond] == ["10.0"]


def test_latency_chart_shows_every_build_inside_its_scale(observed: RunObservation) -> None:
    (chart,) = latency_charts(analysed(observed).rows)
    assert chart.rows[0].builds == (2.00, 2.01, 2.02)
    assert all(0 <= chart.scale.place(value) <= 1 for row in chart.rows for value in row.builds)


def test_time_adds_up_to_the_layers(observed: RunObservation) -> None:
    (view,) = time_charts(analysed(observed).rows)
    for bar, total in zip(view.figures.classes, (0.2, 0.1, 0.1), strict=True):
        assert bar.total_ms == pytest.approx(total)
        assert sum(ms for _, ms, _ in bar.parts) == pytest.approx(total)
    assert [op.name for op in view.figures.ops] == list(NAMES)


def test_side_by_side_puts_the_largest_difference_first(observed: RunObservation) -> None:
    (view,) = analysed(observed).rows[0].sides
    assert (view.old.version, view.new.version) == ("9.0", "10.0")
    assert [op.op for op in view.ops] == ["d", "c", "b", "a"]


def test_configuration_has_one_entry_a_release_that_ran(observed: RunObservation) -> None:
    assert len(configurations(grid_of(observed))) == 3


def test_what_differs_between_the_cells_of_a_release_is_all_shown() -> None:
    def made(precision: str, throttled: int) -> CellObservation:
        settings = [{"name": "precision", "value": precision}, {"name": "workspace", "value": 1}]
        facts = {"settings": settings, "engine_bytes": len(precision), "not_expressible": ["no X", precision]}
        found = cell("8.6", [1.0, 1.1], facts=facts, treatment=Treatment(precision=precision))
        host = f"host-{precision}"
        builds = tuple(replace(b, throttled=throttled, host=host) for b in found.builds)
        return replace(found, builds=builds)

    observed = run(
        *(made(precision, n) for n, precision in enumerate(("fp32", "fp16", "int8", "tf32", "bf16")))
    )
    (found,) = configurations(grid_of(observed))
    assert found.settings == (
        ("precision", "fp32 | fp16 | int8 | tf32 | and 1 more"),
        ("workspace", "1"),
    )
    assert found.facts == (("engine_bytes", "4"),)
    assert found.not_expressible == ("no X", "fp32", "fp16", "int8", "tf32", "bf16")
    assert found.throttled == 2 * (1 + 2 + 3 + 4)
    assert grid_of(observed).builds_by_host[:2] == (("host-fp32", "", 2), ("host-fp16", "", 2))
    text = " ".join(Parsed(render(analysed(observed, []))).text.split())
    assert "host-fp32: 2 builds, host-fp16: 2 builds" in text


def test_every_section_is_rendered_where_it_has_something_to_say(observed: RunObservation) -> None:
    other = cell("10.0", [1.3, 1.31], engine(layers(NAMES), graph(NAMES)), host="GPU-0123-4567")
    pair = next(c for c in observed.cells if c.cell.version == "10.0" and not c.cell.repeat)
    both = replace(pair, builds=pair.builds + other.builds)
    several = replace(observed, cells=tuple(both if c is pair else c for c in observed.cells))
    for found in (observed, several):
        text = Parsed(render(analysed(found))).text
        for title in (
            "Verdicts",
            "Noise: one version as if it were two",
            "The matrix at a glance",
            "Latency",
        ):
            assert title in text
    assert "on GPU-0123" in text


def test_recording_is_rendered_and_marked_as_one(tmp_path: Path) -> None:
    files = {
        RECORDINGS / V2_860 / "profile.json": "profile",
        RECORDINGS / V2_860 / "layers.json.gz": "layers",
    }
    import_recording(Recording(files, version="8.6.0", network="mobilenet_v2"), tmp_path / "run")
    found = observe([tmp_path / "run"])
    text = Parsed(render(analysed(found))).text
    assert "expanded_conv_1/" in text
    assert "recorded" in text
