"""What is judged of the passes of a build."""

from dataclasses import replace

import numpy as np

from harness.observations.records import (
    LATENCY_PASS,
    BuildObservation,
    CellObservation,
    RunObservation,
    judged_by,
    passes_of,
)
from harness.store.documents.manifest import Manifest
from tests.report.composed import cell, run


def _observed() -> list[BuildObservation]:
    (found,) = run(cell("8.6.0", [1.0, 1.1])).cells
    first, second = found.builds
    return [replace(first, passes={**first.passes, "cuda_graph": first.passes[LATENCY_PASS] / 2}), second]


def test_another_pass_is_the_latency_of_the_builds_that_have_it() -> None:
    observed = run(cell("8.6.0", [1.0, 1.1]))
    (found,) = observed.cells
    observed = replace(observed, cells=(replace(found, builds=tuple(_observed())),))
    graphs = judged_by(observed, "cuda_graph").cells[0].builds
    assert [b.latency_ms for b in graphs] == [0.5, None]
    assert [b.latency_ms for b in judged_by(observed, LATENCY_PASS).cells[0].builds] == [1.0, 1.1]
    assert [set(b.passes) for b in graphs] == [{LATENCY_PASS, "cuda_graph"}, {LATENCY_PASS}], "none is lost"


def test_the_passes_of_a_run_are_those_of_any_build() -> None:
    observed = run(cell("8.6.0", [1.0, 1.1]))
    assert passes_of(observed) == (LATENCY_PASS,)
    (found,) = observed.cells
    graph = replace(found.builds[1], passes={"cuda_graph": np.array([0.5])})
    both = replace(observed, cells=(replace(found, builds=(found.builds[0], graph)),))
    assert passes_of(both) == (LATENCY_PASS, "cuda_graph")


def test_a_cell_that_nobody_measured_has_no_builds() -> None:
    known = run(cell("8.6.0", [1.0])).cells[0].cell
    observed = CellObservation(known, "unavailable", "no wheel")
    assert (observed.builds, observed.good) == ((), ())
    assert passes_of(RunObservation((), Manifest(), (observed,))) == ()
