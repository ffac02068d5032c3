"""What can be done about a bottleneck: gains are told where builds show them, and nowhere else."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from msgspec import structs

from harness.analysis.answers.remedies import catalogue, clear_gains, gains_of, remedies
from harness.analysis.grid import grid_of
from harness.matrix.cell import Treatment
from harness.matrix.treatment import COMMON
from harness.observations.records import CellObservation
from harness.runtimes.tftrt.runtime import TFTRT
from harness.store.documents.published import GainRecord
from tests.report.composed import cell, run

SLOW, FAST = [1.0, 1.01, 0.99], [0.8, 0.808, 0.792]
PIECES, CLIP = Treatment(relu6="relu_sub"), Treatment()


def told(*cells: CellObservation, name: str, published: tuple[GainRecord, ...] = ()) -> str:
    """Return what is said of the remedy called *name* for the first of *cells*."""
    grid = grid_of(run(*cells))
    asked = next(group for group in grid.groups if group.cell == cells[0].cell)
    present = frozenset({"relu6", "formats", "launch", "pointwise"})
    found = remedies(grid, asked, present, "a network", published)
    return next(one.text for one in found if one.remedy.name == name)


def test_every_remedy_names_a_field_that_treatments_have() -> None:
    fields = {item.name for item in (*COMMON, *TFTRT.treatment_fields)}
    assert len({one.name for one in catalogue()}) == len(catalogue()) > 4
    for one in catalogue():
        assert one.how
        assert one.measure
        assert not one.field or (one.field in fields and one.new)


def test_a_gain_is_told_of_cells_that_differ_in_one_field_on_one_host() -> None:
    pieces = cell("8.6", SLOW, treatment=PIECES)
    said = told(pieces, cell("8.6", FAST, treatment=CLIP), name="clip")
    assert said.startswith("ReLU6 as one clip: latency clip −20.0 % (")
    for other in (
        cell("8.6", FAST, treatment=CLIP, host="host-b"),
        cell("8.5", FAST, treatment=CLIP),
        cell("8.6", FAST, treatment=replace(CLIP, precision="fp16")),
    ):
        assert told(pieces, other, name="clip").startswith("ReLU6 as one clip: not measured here; ")


@pytest.mark.parametrize("times", [[0.8], [0.7, 1.4]])
def test_no_gain_is_claimed_that_the_builds_do_not_show(times: list[float]) -> None:
    said = told(cell("8.6", SLOW, treatment=PIECES), cell("8.6", times, treatment=CLIP), name="clip")
    assert "no gain that" in said


def test_a_batch_is_compared_by_image() -> None:
    eight = cell("8.6", [4.0, 4.04, 3.96], treatment=Treatment(batch=8))
    assert "latency batch 8 −50.0 % (" in told(cell("8.6", SLOW), eight, name="batch")


def test_a_cuda_graph_is_a_pass_of_the_same_builds() -> None:
    found = cell("8.6", SLOW)
    builds = (replace(b, passes={**b.passes, "cuda_graph": b.passes["latency"] * 0.9}) for b in found.builds)
    both = replace(found, builds=tuple(builds))
    grid = grid_of(run(both))
    (graph,) = (one for one in catalogue() if one.name == "graph")
    (gain,) = gains_of(grid, grid.groups[0], graph, "", "")
    assert (gain.factor, gain.told) == (pytest.approx(0.9), True)
    assert np.ptp(gain.interval or ()) == pytest.approx(0, abs=1e-9), (
        "the builds' own spread is no part of it"
    )
    assert told(found, name="graph").startswith("a CUDA graph in place of single launches: not measured here")


@pytest.mark.parametrize(("times", "published"), [([0.5], True), ([0.8], False), (FAST, False)])
def test_one_build_a_side_is_published_where_no_two_builds_lie_as_far_apart(
    times: list[float], published: bool
) -> None:
    grid = grid_of(run(cell("8.6", [1.0], treatment=PIECES), cell("8.6", times, treatment=CLIP)))
    assert [(gain.remedy, gain.builds) for gain in clear_gains(grid)] == [("clip", 1)] * published


def test_a_published_gain_stands_in_for_what_this_run_did_not_measure() -> None:
    gain = GainRecord(
        remedy="clip",
        runtime="tensorrt",
        version="8.6",
        network="net",
        device="GPU",
        value="clip",
        factor=0.8,
        interval=(0.7, 0.9),
        builds=3,
    )
    pieces = cell("8.6", SLOW, treatment=PIECES)
    said = told(pieces, name="clip", published=(gain,))
    assert (
        said
        == "ReLU6 as one clip: published, latency clip −20.0 % (−30.0 to −10.0) (net, tensorrt 8.6 on GPU)"
    )
    once = structs.replace(gain, interval=None, builds=1)
    assert told(pieces, name="clip", published=(once,)).endswith("on GPU, one build a side)")
    for other in (structs.replace(gain, runtime="openvino"), structs.replace(gain, remedy="hwc8")):
        assert "not measured here" in told(pieces, name="clip", published=(other,))


def test_a_gain_says_all_that_tells_it_from_others() -> None:
    pieces = cell("8.6", SLOW, treatment=PIECES, facts={"gpu": "H100"})
    grid = grid_of(run(pieces, cell("8.6", FAST, treatment=CLIP), cell("8.6", [0.5], repeat="aa")))
    found = remedies(grid, grid.groups[0], frozenset({"relu6"}), "a network", ())
    (gain,) = next(one.gains for one in found if one.remedy.name == "clip")
    assert (gain.remedy, gain.runtime, gain.version, gain.network, gain.device, gain.value) == (
        "clip", "tensorrt", "8.6", "a network", "H100", "clip",
    )  # fmt: skip
    assert (gain.factor, gain.builds) == (pytest.approx(0.8), 3)
    assert gain.interval is not None
    assert gain.interval[0] < 0.8 < gain.interval[1]
    nameless = remedies(
        grid, replace(grid.groups[0], observed=grid.groups[1].observed), frozenset({"relu6"}), "", ()
    )
    assert {gain.device for one in nameless for gain in one.gains} == {""}


def test_remedies_are_for_what_is_present_and_for_their_own_runtimes() -> None:
    def names(runtime: str, *present: str) -> list[str]:
        grid = grid_of(run(cell("8.6", SLOW, treatment=PIECES, runtime=runtime)))
        return [one.remedy.name for one in remedies(grid, grid.groups[0], frozenset(present), "", ())]

    assert names("tensorrt", "relu6") == names("openvino", "relu6") == ["clip"]
    assert names("tensorrt", "launch") == ["graph", "batch"]
    assert names("openvino", "launch") == ["batch"]
    assert names("tensorrt") == []


def test_of_several_gains_the_largest_stands_first_and_a_failed_twin_is_none() -> None:
    cells = [
        cell("8.6", SLOW),
        cell("8.6", [0.9, 0.9], treatment=replace(CLIP, precision="tf32")),
        cell("8.6", [0.5, 0.5], treatment=replace(CLIP, precision="fp16")),
        cell("8.6", status="failed", treatment=replace(CLIP, precision="int8")),
    ]
    said = told(*cells, name="precision")
    assert said.startswith("another precision: latency fp16 −50.0 % (")
    assert ", latency tf32 −10.0 % (" in said
    assert "int8" not in said


@pytest.mark.parametrize(("builds", "said"), [([0.8], "one build"), ([0.7, 1.4], "2 builds")])
def test_what_the_builds_do_not_show_is_said_with_their_number(builds: list[float], said: str) -> None:
    cells = cell("8.6", SLOW, treatment=PIECES), cell("8.6", builds, treatment=CLIP)
    assert told(*cells, name="clip").endswith(f" in 8.6, no gain that {said} a side show")


def test_one_graph_is_a_gain_without_an_interval() -> None:
    found = cell("8.6", [2.0])
    builds = (replace(b, passes={**b.passes, "cuda_graph": b.passes["latency"] * 0.75}) for b in found.builds)
    grid = grid_of(run(replace(found, builds=tuple(builds))))
    (graph,) = (one for one in catalogue() if one.name == "graph")
    (gain,) = gains_of(grid, grid.groups[0], graph, "", "")
    assert (gain.factor, gain.interval, gain.builds, gain.told) == (pytest.approx(0.75), None, 1, False)


def test_of_published_gains_one_with_an_interval_comes_first_then_the_largest() -> None:
    def published(factor: float, sure: bool) -> GainRecord:
        return GainRecord(
            remedy="clip", runtime="tensorrt", version="8.6", network="net", device="GPU", value="clip",
            factor=factor, interval=(factor, factor) if sure else None, builds=3 if sure else 1,
        )  # fmt: skip

    pieces = cell("8.6", SLOW, treatment=PIECES)
    every = published(0.5, False), published(0.9, True), published(0.8, True)
    assert "−20.0 % (" in told(pieces, name="clip", published=every)
