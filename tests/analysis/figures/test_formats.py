"""Which tensor formats a version accepts, and what each takes beside the first."""

from __future__ import annotations

from dataclasses import replace

from harness.analysis.figures.formats import format_tables
from harness.analysis.grid import grid_of
from harness.attribution.engine import LayerRole
from harness.attribution.format_trial import FormatTrial
from harness.observations.records import CellObservation, OutputCheck
from tests.report.composed import cell, engine, layers, run

REFUSED = FormatTrial("CHW32", "int8", False, "not supported")
LINEAR = FormatTrial("LINEAR", "fp32", True, latency_ms=0.5)
NATIVE = FormatTrial("HWC8", "fp16", True, latency_ms=0.25)


def tried(*trials: FormatTrial, outputs: OutputCheck | None = None) -> CellObservation:
    found = cell("8.6.0", [1.0])
    (build,) = found.builds
    return replace(found, builds=(replace(build, trials=trials, outputs=outputs),))


def test_what_was_accepted_is_held_against_the_first_that_was() -> None:
    (row,) = grid_of(run(tried(REFUSED, LINEAR, NATIVE))).rows
    (table,) = format_tables(row)
    assert (table.release.version, table.host, table.bound) == ("8.6.0", "host-a", None)
    assert [(r.trial, r.against_first) for r in table.accepted] == [(LINEAR, 1.0), (NATIVE, 0.5)]
    assert [(r.reformats, r.layers_ms) for r in table.accepted] == [(None, None)] * 2
    assert table.refused == (REFUSED,)


def test_an_engine_says_what_it_moves() -> None:
    rows = layers(("a", "b"))
    moved = replace(rows[1], role=LayerRole.REFORMAT, op_class="reformat")
    known = replace(LINEAR, engine=engine([rows[0], moved]))
    (table,) = format_tables(grid_of(run(tried(known, replace(NATIVE, engine=engine([]))))).rows[0])
    first, second = table.accepted
    assert first.reformats is not None
    assert (first.reformats.executed, first.reformats.time_ms) == (1, 0.02)
    assert first.layers_ms == 0.03
    assert (second.reformats, second.layers_ms) == (None, None), "no layers are known"


def test_without_a_first_time_nothing_is_held_against_it() -> None:
    untimed = replace(LINEAR, latency_ms=None)
    (table,) = format_tables(grid_of(run(tried(untimed, NATIVE))).rows[0])
    assert [row.against_first for row in table.accepted] == [None, None]
    (table,) = format_tables(grid_of(run(tried(LINEAR, untimed))).rows[0])
    assert [row.against_first for row in table.accepted] == [1.0, None]


def test_the_bound_is_that_of_the_outputs_that_were_checked() -> None:
    (table,) = format_tables(grid_of(run(tried(LINEAR, outputs=OutputCheck(True, 0.1, 0.25)))).rows[0])
    assert table.bound == 0.25
    wrong = tried(LINEAR, outputs=OutputCheck(False, 0.5, 0.25))
    assert format_tables(grid_of(run(wrong)).rows[0]) == ()
    assert format_tables(grid_of(run(cell("8.6.0", [1.0]))).rows[0]) == (), "it tried none"
