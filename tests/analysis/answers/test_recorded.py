"""What is said of layer times without a latency: rows of a forum, a profile alone."""

from __future__ import annotations

from dataclasses import replace

from harness.analysis.answers.recorded import recorded_answers, timed_runtimes
from harness.analysis.grid import grid_of
from harness.attribution.engine import AttributedEngine, AttributedLayer, LayerRole
from harness.observations.records import CellObservation
from tests.report.composed import cell, engine, layers, run

DEPTHWISE = "Is depthwise slow because of reformats?"
PIECES = "What do activations on their own take?"
WHAT = "What is this?"
NONE = "no latency was recorded, so no version is called faster."


def row(name: str, op_class: str, ms: float, **more: object) -> AttributedLayer:
    made = replace(layers((name,))[0], op_class=op_class, time_ms=ms)
    return replace(made, **more)  # type: ignore[arg-type]


def pieces(name: str, ms: float) -> AttributedLayer:
    return row(name, "activation", ms, standalone_activation=True, source_ops=(), shares={})


QUOTED = engine(
    [
        row("conv/depthwise", "depthwise", 0.3),
        row("conv/depthwise input reformatter 0", "reformat", 0.1, role=LayerRole.REFORMAT),
        pieces("conv/Relu6", 0.05),
        pieces("conv/Relu6/relu1", 0.15),
    ],
    partial=True,
)


def untimed(version: str, found: AttributedEngine, **more: str) -> CellObservation:
    """A recorded cell of one build without a latency."""
    made = cell(version, [1.0], found, status="recorded", **more)  # type: ignore[arg-type]
    return replace(made, builds=tuple(replace(build, passes={}) for build in made.builds))


def test_rows_of_a_profile_answer_what_they_can() -> None:
    (found,) = recorded_answers(grid_of(run(untimed("5.0", QUOTED))))
    assert (found.runtime, found.device, found.version, found.leads) == ("tensorrt", "", None, ())
    said = dict(found.lines)
    assert list(said) == [DEPTHWISE, PIECES, WHAT]
    where = "mobilenet_v2 in 5.0: "
    assert said[DEPTHWISE] == (
        f"{where}depthwise convolutions: 1, 0.300 ms; 1 reformat around them, 0.100 ms more: 25 % of both."
    )
    assert said[PIECES] == f"{where}2 layers, 0.200 ms."
    assert said[WHAT] == f"{where}a part of a profile, 4 layers, 0.600 ms; {NONE}"


def test_three_cells_are_said_and_what_they_lack_is_no_answer() -> None:
    plain = engine([row("stem", "convolution", 0.5)])
    cells = [untimed(f"{n}.0", plain) for n in range(1, 6)]
    (found,) = recorded_answers(grid_of(run(*cells)))
    whole = "; ".join(f"mobilenet_v2 in {n}.0: a whole profile, 1 layer, 0.500 ms" for n in (1, 2, 3))
    assert found.lines == ((WHAT, f"{whole}; {NONE}"),)


def test_a_runtime_with_a_latency_is_answered_elsewhere_and_one_without_times_nowhere() -> None:
    cells = [
        untimed("5.0", QUOTED),
        cell("6.0", [1.0]),
        untimed("1.0", QUOTED, runtime="openvino"),
        untimed("1.0", engine([]), runtime="onnxruntime"),
        cell("1.0", status="failed", runtime="tftrt"),
    ]
    grid = grid_of(run(*cells))
    assert timed_runtimes(grid) == {"tensorrt"}
    assert [one.runtime for one in recorded_answers(grid)] == ["openvino"]
    bare = grid_of(run(*(replace(c, builds=tuple(replace(b, engine=None) for b in c.builds)) for c in cells)))
    assert recorded_answers(bare) == ()
