"""Peaks measured by single builds become those of their host."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from harness.analysis.device import group_with_peaks, host_peaks, with_peaks
from harness.analysis.grid import grid_of
from harness.analysis.judge import judge
from harness.analysis.rules.builtin import trtmatrix_bottlenecks
from harness.attribution.peaks import peaks_for
from harness.observations.records import BuildObservation, RunObservation


def measured(
    build: BuildObservation, flops: float, moved: float, precision: str = "fp32"
) -> BuildObservation:
    peaks = {"flops_per_s": flops, "bytes_per_s": moved, "how": "a product of matrices"}
    return replace(build, facts={"precision": precision, "peaks": peaks})


def test_the_most_of_a_host_counts_for_all_its_builds(compose: Any) -> None:
    builds = [
        measured(compose.build(0, 1.0), 9e9, 3e9),
        measured(compose.build(1, 1.0), 8e9, 4e9),
        measured(compose.build(2, 1.0, host="host-b"), 5e9, 5e9),
        replace(compose.build(3, 1.0), facts={"precision": "fp32"}),
        replace(compose.build(4, 1.0), facts={}),
    ]
    run = compose.run(compose.cell("1.0", builds))
    pooled = with_peaks(run, host_peaks([run])).cells[0].builds
    found = [peaks_for(build.facts) for build in pooled]
    assert [None if p is None else (p.flops_per_s, p.bytes_per_s) for p in found] == [
        (9e9, 4e9),
        (9e9, 4e9),
        (5e9, 5e9),
        (9e9, 4e9),
        None,
    ]
    assert found[0] is not None
    assert "the most of 2 builds on this host" in found[0].source


def test_runs_without_measured_peaks_stay_as_they_are(compose: Any) -> None:
    run = compose.run(compose.noisy("1.0", 0.4))
    assert with_peaks(run, host_peaks([run])) is run


def test_peaks_of_a_host_are_measured_and_say_of_how_many_builds(compose: Any) -> None:
    builds = [
        measured(compose.build(0, 1.0), 9e9, 3e9),
        measured(compose.build(1, 1.0), 8e9, 4e9, "fp16"),
        measured(compose.build(2, 1.0), 7e9, 5e9, "fp16"),
    ]
    runs = [compose.run(compose.cell("1.0", [build])) for build in builds]
    found = host_peaks(runs)
    assert set(found) == {("host-a", "fp32"), ("host-a", "fp16")}
    half = found["host-a", "fp16"]
    assert (half.flops_per_s, half.bytes_per_s, half.measured) == (8e9, 5e9, True)
    assert half.source == "the most of 2 builds on this host"


def test_a_table_of_peaks_gives_each_precision_its_own(compose: Any) -> None:
    table = {"flops_per_s": {"fp32": 1e9, "fp16": 2e9}, "bytes_per_s": 3e9}
    builds = [
        replace(compose.build(number, 1.0), facts={"precision": precision, "peaks": table})
        for number, precision in enumerate(("fp32", "fp16"))
    ]
    found = host_peaks([compose.run(compose.cell("1.0", builds))])
    assert {key[1]: peaks.flops_per_s for key, peaks in found.items()} == {"fp32": 1e9, "fp16": 2e9}


def test_a_group_is_given_the_peaks_of_its_host(compose: Any) -> None:
    builds = [measured(compose.build(0, 1.0), 9e9, 3e9), measured(compose.build(1, 1.0), 8e9, 4e9)]
    run = compose.run(compose.cell("1.0", builds), compose.cell("2.0", status="failed"))
    built, empty = grid_of(run).judged
    given = group_with_peaks(built, host_peaks([run]))
    assert [peaks_for(b.facts) and peaks_for(b.facts).flops_per_s for b in given.observed] == [9e9, 9e9]  # type: ignore[union-attr]
    assert [b.facts["precision"] for b in given.observed] == ["fp32", "fp32"]
    assert group_with_peaks(built, {}) is built
    assert group_with_peaks(empty, host_peaks([run])) is empty


def test_both_sides_of_a_comparison_are_held_against_one_roofline(compose: Any) -> None:
    """The most that any build of either run gave on this host, also where the other run is a stored one."""

    def run_of(flops: float, name: str) -> RunObservation:
        engine = replace(
            compose.engine(
                [
                    compose.layer("dw", "depthwise", 0.5),
                    replace(compose.layer("pw", "pointwise", 0.5), position=1),
                ]
            ),
            graph=compose.separable(),
        )
        builds = [
            replace(measured(compose.build(number, 1.0 + number / 1e3), flops, 1e9), engine=engine)
            for number in range(3)
        ]
        made: RunObservation = compose.run(compose.cell("1.0", builds), name=name)
        return made

    rules = {rule.name: rule for rule in trtmatrix_bottlenecks()}
    slow, fast = run_of(1e7, "monday"), run_of(2e7, "tuesday")
    for new, old in ((slow, fast), (fast, slow)):
        (verdict,) = [
            v for v in judge(grid_of(new), grid_of(old), rules=rules) if v.bottleneck == "depthwise"
        ]
        sides = [verdict.evidence[side]["bound_ms"] for side in ("old", "new")]  # type: ignore[index]
        # 2304 FLOP at 20 MFLOP/s
        assert sides == [[pytest.approx(0.1152, rel=1e-3)] * 3] * 2


def test_peaks_that_a_build_beats_are_none_for_all_of_its_host(compose: Any) -> None:
    """Which of two builds it is must not make their costs differ."""

    def version(name: str, ms: float, host: str = "host-a") -> Any:
        layers = [
            compose.layer("dw", "depthwise", ms),
            replace(compose.layer("pw", "pointwise", 0.5), position=1),
        ]
        engine = replace(compose.engine(layers), graph=compose.separable())
        builds = [
            replace(measured(compose.build(n, 1.0, host=host), 2e7, 1e9), engine=engine) for n in range(3)
        ]
        return compose.cell(name, builds)

    # 2304 FLOP at 20 MFLOP/s take 0.1152 ms
    run = compose.run(version("1.0", 0.05), version("2.0", 0.2), version("3.0", 0.2, "host-b"))
    rules = {rule.name: rule for rule in trtmatrix_bottlenecks()}
    found = {v.version: v for v in judge(grid_of(run), rules=rules) if v.bottleneck == "depthwise"}
    for name, ms in (("1.0", 0.05), ("2.0", 0.2)):
        side = found[name].evidence["new"]
        assert isinstance(side, dict)
        assert side["ms"] == pytest.approx([ms] * 3), "the whole time"
        assert (
            side["bound"]
            == ["the peaks measured here are too low: depthwise ran in 0.050 ms, bound 0.115 ms"] * 3
        )
    assert found["2.0"].difference == pytest.approx(0.15 / 0.55)
    other = found["3.0"].evidence["new"]
    assert isinstance(other, dict)
    assert other["ms"] == pytest.approx([0.2 - 0.1152] * 3)


def host(compose: Any, *times: tuple[float, float], flops: float = 2e7, name: str = "host-a") -> Any:
    """Return a cell of builds with these times of the depthwise and the 1x1 convolution, ms."""
    builds = []
    for number, (depthwise, pointwise) in enumerate(times):
        rows = [
            compose.layer("dw", "depthwise", depthwise),
            replace(compose.layer("pw", "pointwise", pointwise), position=1),
        ]
        engine = replace(compose.engine(rows), graph=compose.separable())
        build = measured(compose.build(number, 1.0, host=name), flops, 1e12)
        builds.append(replace(build, engine=engine))
    return compose.cell("1.0", builds)


def beaten(*cells: Any, compose: Any) -> dict[str, str]:
    """Return by host what beat its peaks."""
    return {key[0]: peaks.beaten for key, peaks in host_peaks([compose.run(*cells)]).items()}


# The depthwise convolution is of 2304 FLOP, the 1x1 convolution of 6144: 0.1152 and 0.3072 ms at 20 MFLOP/s.
FAIR = (0.2, 0.4)


def test_what_beat_the_peaks_by_most_is_told_whichever_build_it_was(compose: Any) -> None:
    most = "the peaks measured here are too low: depthwise ran in 0.050 ms, bound 0.115 ms"
    for times in (
        (FAIR, (0.05, 0.4), (0.1, 0.3)),
        ((0.1, 0.3), (0.05, 0.4), FAIR),
        ((0.1, 0.4), (0.05, 0.3)),
    ):
        assert beaten(host(compose, *times), compose=compose) == {"host-a": most}
    pointwise = "the peaks measured here are too low: pointwise ran in 0.200 ms, bound 0.307 ms"
    assert beaten(host(compose, (0.1, 0.2)), compose=compose) == {"host-a": pointwise}


def test_peaks_are_beaten_by_what_ran_on_their_host_alone(compose: Any) -> None:
    fair, quick = host(compose, FAIR), host(compose, (0.05, 0.4), name="host-b")
    found = beaten(fair, quick, compose=compose)
    assert found["host-a"] == ""
    assert "depthwise ran in 0.050 ms" in found["host-b"]


def test_what_took_no_time_or_was_wrong_beats_nothing(compose: Any) -> None:
    assert beaten(host(compose, (0.0, 0.4)), compose=compose) == {"host-a": ""}
    cell = host(compose, (0.05, 0.4))
    wrong = replace(cell, builds=tuple(replace(b, outputs=compose.wrong) for b in cell.builds))
    assert beaten(wrong, compose=compose) == {"host-a": ""}


def test_builds_of_another_precision_keep_their_facts(compose: Any) -> None:
    mine = measured(compose.build(0, 1.0), 9e9, 3e9)
    other = replace(compose.build(1, 1.0), facts={"precision": "fp16", "gpu": "H100"})
    run = compose.run(compose.cell("1.0", [mine, other]))
    given = with_peaks(run, host_peaks([run])).cells[0].builds
    assert given[1] is other
    assert given[0].facts["peaks"] == {
        "flops_per_s": 9e9, "bytes_per_s": 3e9, "how": "the most of 1 build on this host",
    }  # fmt: skip
