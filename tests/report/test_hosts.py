"""What rows call the hosts of a run: only what was measured on one may be compared."""

from __future__ import annotations

import html
from dataclasses import replace
from itertools import product

import pytest

from harness.analysis.figures.relu6 import relu6_figures
from harness.analysis.grid import grid_of
from harness.analysis.hosts import HostNames
from harness.matrix.cell import Treatment
from harness.observations.records import RunObservation
from harness.report.board import board
from harness.report.markdown import summary
from harness.report.render import render
from tests.report.composed import analysed, cell, judged, on_hosts, run
from tests.report.parsed import Parsed

CLIP, SUB = Treatment(), Treatment(relu6="relu_sub")
H100, H200 = "NVIDIA H100 80GB HBM3", "NVIDIA H200"
FIRST, SECOND = "GPU-73fbeb02-0d2e-4b3a-9c5e-1f0a2b3c4d5e", "GPU-38793a65-cc13-a642-7243-817fa5b86d39"


def test_a_cell_measured_on_two_hosts_has_one_row_a_host() -> None:
    both = on_hosts("8.5", CLIP, a=[2.0, 2.1], b=[3.0, 3.1])
    only_b = on_hosts("8.6", CLIP, b=[1.0, 1.1])
    failed = cell("9.0", status="failed", reason="worker killed")
    rows = {row.name: row.groups for row in grid_of(run(both, only_b, failed)).rows}
    name = both.cell.subject
    assert list(rows) == [f"{name} on host-a", f"{name} on host-b"]
    first, second = rows.values()
    # What was not measured at all belongs to each.
    assert [group.cell.version for group in first] == ["8.5", "9.0"]
    assert [group.cell.version for group in second] == ["8.5", "8.6", "9.0"]
    assert [build.latency_ms for build in first[0].observed] == [2.0, 2.1]
    assert [build.latency_ms for build in second[0].observed] == [3.0, 3.1]


def test_cells_of_one_host_have_one_row_without_its_name() -> None:
    rows = grid_of(run(on_hosts("8.5", CLIP, a=[2.0]), on_hosts("8.6", CLIP, a=[1.0]))).rows
    assert [row.name for row in rows] == [f"mobilenet_v2-{CLIP.label}"]


def test_hosts_that_are_gpus_are_called_by_the_first_part_of_their_uuid() -> None:
    assert _rows_on(FIRST, SECOND) == {"GPU-73fbeb02": 2, "GPU-38793a65": 2}


def test_hosts_whose_short_names_are_alike_keep_rows_of_their_own() -> None:
    assert _rows_on("GPU-0123-4567", "GPU-0123-89ab") == {"GPU-0123-4567": 2, "GPU-0123-89ab": 2}


def _rows_on(first: str, second: str) -> dict[str, int]:
    """Rows of a cell with two builds on each of two hosts: what they call the host, and their builds."""
    found = on_hosts("8.5", CLIP, a=[2.0, 2.1], b=[3.0, 3.1])
    names = {"host-a": first, "host-b": second}
    found = replace(found, builds=tuple(replace(b, host=names[b.host]) for b in found.builds))
    return {row.name.partition(" on ")[2]: len(row.groups[0].observed) for row in grid_of(run(found)).rows}


def test_one_model_of_gpu_is_not_named_in_every_row() -> None:
    one = run(on_hosts("8.6", CLIP, {"a": H100, "b": H100}, a=[1.0], b=[1.1]))
    assert not HostNames.of(one).mixed
    assert [row.name.partition(" on ")[2] for row in grid_of(one).rows] == ["host-a", "host-b"]


@pytest.fixture
def mixed() -> RunObservation:
    """ReLU6 as a clip on both GPUs, in pieces on the H200; a cell of the CPU beside them."""
    return run(
        on_hosts("8.5", CLIP, {"a": H100, "b": H200}, a=[2.0, 2.1], b=[1.0, 1.1]),
        on_hosts("8.6", CLIP, {"a": H100, "b": H200}, a=[1.8, 1.9], b=[0.9, 0.95]),
        on_hosts("8.6", SUB, {"b": H200}, b=[1.2, 1.3]),
        cell("1.20", [5.0], runtime="onnxruntime", network="mobilenet_v1", host="host-c"),
    )


def test_rows_say_the_model_where_gpus_of_several_were_used(mixed: RunObservation) -> None:
    clip, sub = f"mobilenet_v2-{CLIP.label}", f"mobilenet_v2-{SUB.label}"
    assert [row.name for row in grid_of(mixed).rows] == [
        f"{clip} on {H100} host-a",
        f"{clip} on {H200} host-b",
        f"{sub} on {H200}",
        f"mobilenet_v1-{CLIP.label}",
    ]


def test_relu6_says_the_model_of_each_pair(mixed: RunObservation) -> None:
    (row,) = relu6_figures(grid_of(mixed))
    assert (row.subject, row.host) == ("mobilenet_v2-fp32-b1", H200)
    assert row.factor == pytest.approx(1.25 / 0.925, rel=1e-3)


def test_relu6_on_two_hosts_stands_host_by_host() -> None:
    models = {"a": H100, "b": H200}
    pairs = product(("8.5", "8.6"), (CLIP, SUB))
    cells = [on_hosts(version, form, models, b=[1.0, 1.1], a=[2.0, 2.1]) for version, form in pairs]
    rows = [(row.host, row.release.version) for row in relu6_figures(grid_of(run(*cells)))]
    assert rows == list(product((f"{H200} host-b", f"{H100} host-a"), ("8.5", "8.6")))


def test_verdicts_and_facts_say_host_and_model(mixed: RunObservation) -> None:
    verdicts = judged(mixed)
    rows = {(row.host, row.release) for row in board(verdicts, grid_of(mixed), {}).rows}
    assert rows >= {(f"{H100} host-a", "tensorrt 8.6"), ("host-c", "onnxruntime 1.20")}
    assert grid_of(mixed).builds_by_host == (("host-a", H100, 4), ("host-b", H200, 6), ("host-c", "", 1))
    text = " ".join(Parsed(render(analysed(mixed, verdicts))).text.split())
    assert f"host-a ({H100}): 4 builds, host-b ({H200}): 6 builds, host-c: 1 build" in text


def test_the_summary_tells_rows_of_two_hosts_apart(mixed: RunObservation) -> None:
    text = html.unescape(summary(analysed(mixed)))
    section = text.partition("Verdicts")[2].partition("\n#")[0]
    rows = [line.split("|")[1].strip() for line in section.splitlines() if "| tensorrt 8.6 |" in line]
    clip, sub = f"mobilenet_v2-{CLIP.label}", f"mobilenet_v2-{SUB.label}"
    assert rows == [f"{clip} on {H100} host-a", f"{clip} on {H200} host-b", f"{sub} on {H200} host-b"]
