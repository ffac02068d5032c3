"""Runtimes beside each other: what is held against what, and the figures of each."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from harness.analysis.across import compare_runtimes
from harness.analysis.answers.beside import beside
from harness.analysis.figures.runtimes import runtime_tables, shares_of, side_by_side
from harness.analysis.grid import Grid, grid_of
from harness.analysis.rules.builtin import trtmatrix_bottlenecks
from harness.attribution.engine import AttributedEngine
from harness.cli.runtime_table import print_runtimes
from harness.errors import UsageError
from harness.matrix.cell import Cell, Treatment
from harness.observations.host_clock import by_host_clock
from harness.plugins.reading import observe
from harness.runtimes.tftrt.runtime import TFTRT
from harness.store.bundle import Bundle
from harness.store.documents.build import Build
from harness.store.documents.manifest import Manifest
from harness.store.documents.origin import Host
from tests.runtimes.tftrt.test_evidence import ENGINE, SAMPLES, build
from tests.worker.worker_jobs import small_network

HOST = Host(machine="m", device="GPU-1")
PLACED = Treatment(own=(("placement", "gpu"),), own_label="placed_gpu")
CELLS = (
    (Cell("small", Treatment(), "tensorflow", "2.14.1+cu11", "venv"), 1.5, "host"),
    (Cell("small", Treatment(), "tensorflow", "2.13.1+cu11", "venv"), 1.4, "host"),
    (Cell("small", Treatment(), "tftrt", "2.14.1", "venv"), 1.0, "host"),
    (Cell("small", PLACED, "tftrt", "2.14.1", "venv"), 0.75, "host"),
    (Cell("small", Treatment(), "tensorrt", "8.5.3.1", "venv"), 0.4, "gpu"),
    (Cell("small", Treatment(batch=8), "tftrt", "2.14.1", "venv"), 2.0, "host"),
    (Cell("small", Treatment(batch=4), "tftrt", "2.14.1", "venv"), 2.0, "host"),
    (Cell("small", Treatment(batch=4), "tensorrt", "8.5.3.1", "venv"), 1.0, "gpu without the host's"),
)


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> Grid:
    """A run of three runtimes; TensorRT's latency is the GPU's, 0.1 ms below what the host waits."""
    made = Bundle.create(tmp_path_factory.mktemp("run") / "run", Manifest(run="run", state="complete"))
    for cell, ms, clock in CELLS:
        made.set_cell(cell, "measured")
        for number, factor in enumerate((1.0, 1.002, 0.998)):
            files = made.root / "incoming"
            (files / "evidence").mkdir(parents=True)
            (files / "result.json").write_text('{"facts": {}}', encoding="utf-8")
            window: dict[str, object] = {"pass": "latency", "window": 0, "clock": clock.partition(" ")[0]}
            window["latency_ms"] = [ms * factor] * 5
            if " " not in clock:
                window["host_ms"] = [(ms + 0.1) * factor if clock == "gpu" else ms * factor] * 5
            (files / "samples.json").write_text(json.dumps({"windows": [window]}), encoding="utf-8")
            made.put_build(files, Build(cell=cell.id, build=number, status="ok", host=HOST, round=number))
    made.save()
    return grid_of(observe([made.root]))


@pytest.fixture(scope="module")
def grid(measured: Grid) -> Grid:
    """The same by the host's clock."""
    return grid_of(by_host_clock(measured.run))


def test_each_is_held_against_the_same_release_on_its_network_and_treatment(grid: Grid) -> None:
    found = compare_runtimes(grid, "tensorflow", "tftrt", rules={})
    assert [(v.treatment, v.against, v.kind, v.verdict) for v in found] == [
        ("fp32-b1-clip", "tensorflow 2.14.1+cu11", "runtime", "reduced"),
        ("fp32-b1-clip-placed_gpu", "tensorflow 2.14.1+cu11", "runtime", "reduced"),
    ]
    assert found[1].effect == pytest.approx(0.5)


def test_bottlenecks_are_asked_too_and_the_latency_last(grid: Grid) -> None:
    rules = {rule.name: rule for rule in trtmatrix_bottlenecks()}
    found = compare_runtimes(grid, "tftrt", "tensorrt", rules=rules)
    assert [v.bottleneck for v in found if v.treatment == "fp32-b1-clip"] == [*rules, "latency"]


def test_by_the_clock_that_both_have(grid: Grid) -> None:
    found, _ = compare_runtimes(grid, "tftrt", "tensorrt", rules={})
    assert (found.effect, found.against) == (pytest.approx(0.5), "tftrt 2.14.1")


def test_the_table_says_what_each_gains(grid: Grid, capsys: pytest.CaptureFixture[str]) -> None:
    (table,) = runtime_tables(grid, "tensorflow")
    gains = {f"{row.release} {row.label}".strip(): row.speed_up for row in table.rows}
    assert gains == {
        "tensorflow 2.13.1+cu11": None,
        "tensorflow 2.14.1+cu11": None,
        "tensorrt 8.5.3.1": pytest.approx(3.0),  # against the newest
        "tftrt 2.14.1 placed_gpu": pytest.approx(2.0),
        "tftrt 2.14.1": pytest.approx(1.5),
    }
    assert {row.release: row.images_per_s for row in table.rows}["tensorrt 8.5.3.1"] == pytest.approx(
        2000, rel=1e-4
    )
    print_runtimes([table])
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "small fp32-b1-clip on m/GPU-1, against tensorflow"
    assert any(line.startswith("  tftrt 2.14.1 placed_gpu") and " 2.000 (" in line for line in lines)


def test_what_is_said_without_being_asked_is_by_the_host_s_clock_too(measured: Grid) -> None:
    tables = side_by_side(measured)
    rows = {row.name: row for row in tables[0].rows}
    assert rows["tensorrt 8.5.3.1"].speed_up == pytest.approx(3.0)
    assert not any(row.by_gpu for row in tables[0].rows)
    said = beside(tables[:1], measured.hosts, 3)
    assert "small: tensorrt 8.5.3.1 is 3.00 times as fast" in said
    assert "own" not in said


def test_where_no_host_s_clock_was_read_that_is_said(measured: Grid) -> None:
    table = side_by_side(measured)[-1]
    assert (table.treatment, table.against) == ("fp32-b4-clip", "tftrt")
    assert [row.by_gpu for row in table.rows] == [False, True]
    said = beside([table], measured.hosts, 3)
    assert said.endswith(" Of tensorrt 8.5.3.1 by the GPU's own, without launches.")


def test_where_the_time_of_a_converted_graph_goes(tmp_path: Path) -> None:
    graph, runtime = small_network(), TFTRT()
    engine = runtime.attribute(graph, runtime.read(build(tmp_path / "b", graph, SAMPLES)))
    shares = shares_of(engine, "tftrt")
    assert shares is not None
    # Of 0.105 ms: 0.075 ms in the engine, 0.025 ms turning tensors, 0.005 ms in a kernel of TensorFlow.
    assert shares.segments == pytest.approx(0.075 / 0.105)
    assert shares.reformats == pytest.approx(0.025 / 0.105)
    assert shares.outside == pytest.approx(0.005 / 0.105)
    assert ENGINE in engine.layers[0].name
    assert shares_of(AttributedEngine((), graph, 0.0, 0.0, False), "tftrt") is None


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [("tensorflow", "openvino", "these runs have no 'openvino'"), ("tftrt", "tftrt", "against itself")],
)
def test_a_mistake_is_one_line(grid: Grid, old: str, new: str, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        compare_runtimes(grid, old, new, rules={})
