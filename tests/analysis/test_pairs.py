"""Two groups of builds: measured one after the other by themselves, side by side as their block has it."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from msgspec import structs
from scipy import stats

from harness.analysis.blocks import Blocks
from harness.analysis.grid import grid_of
from harness.analysis.judge import judge
from harness.analysis.pair import Pair
from harness.analysis.pairs import Sides, latency_sides, pairs_of
from harness.analysis.settling import what_settles
from harness.analysis.statistics.intervals import ratio
from harness.analysis.verdict import Verdict, verdict_message
from harness.matrix.cell import Cell, Treatment
from harness.observations.identity import Identity
from harness.observations.records import BuildObservation, CellObservation, RunObservation, Slice
from harness.store.documents.manifest import Manifest

latencies = st.lists(st.floats(0.9, 1.1), min_size=2, max_size=6)
CYCLES = 40


def group(compose: Any, values: list[float]) -> Any:
    cell = compose.cell("1.0", [compose.build(n, ms) for n, ms in enumerate(values)])
    return grid_of(compose.run(cell)).judged[0]


def pair_of(old: Any, new: Any) -> Pair | None:
    """Return the pair of the latencies of two groups that were measured one after the other."""
    sides = latency_sides(old, new, Blocks(), None)
    assert not isinstance(sides, Pair)
    return None if sides is None else pairs_of([sides])[0]


def interval(compose: Any, old: list[float], new: list[float]) -> Any:
    pair = pair_of(group(compose, old), group(compose, new))
    assert pair is not None
    assert pair.builds == (len(old), len(new))
    assert not any(side.count for side in pair.slow), "a slow build may be a slow moment"
    return pair.difference.ratio(0.95)


@given(latencies, latencies)
def test_one_after_the_other_the_means_are_compared(compose: Any, old: list[float], new: list[float]) -> None:
    expected = ratio(old, new)
    assert expected is not None
    found = interval(compose, old, new)
    assert found.estimate == pytest.approx(expected.interval.estimate)
    back = interval(compose, new, old)
    assert (1 / found.low, 1 / found.high) == (pytest.approx(back.high), pytest.approx(back.low))


@given(latencies)
def test_spreads_that_do_not_differ_are_pooled(compose: Any, values: list[float]) -> None:
    assume(np.ptp(values) > 1e-6)
    found = interval(compose, values, [2 * ms for ms in values])
    logs = np.log(values)
    half = stats.t.ppf(0.975, 2 * len(values) - 2) * math.sqrt(2 * logs.var(ddof=1) / len(values))
    assert found.estimate == pytest.approx(2.0)
    assert math.log(found.high / 2) == pytest.approx(half, rel=1e-6)


def test_fewer_than_two_builds_are_no_pair(compose: Any) -> None:
    one, two = group(compose, [1.0]), group(compose, [1.0, 1.1])
    assert pair_of(one, two) is None
    assert pair_of(two, one) is None


costs = st.builds(
    lambda builds, in_block, slow: Sides(
        old=tuple(0.1 * ms for ms in builds),
        new=tuple(0.1 * ms * (1.5 if slow and n == 0 else 1.0) for n, ms in enumerate(reversed(builds))),
        totals=tuple(builds),
        in_block=in_block,
    ),
    latencies,
    st.booleans(),
    st.booleans(),
)
times = st.builds(lambda old, new: Sides(tuple(old), tuple(new)), latencies, latencies)


@given(st.lists(st.one_of(costs, times), max_size=8))
def test_a_pair_is_the_same_whatever_is_worked_out_beside_it(sides: list[Sides]) -> None:
    assert pairs_of(sides) == [pairs_of([one])[0] for one in sides]


def test_costs_of_several_blocks_are_compared_in_each_and_not_pooled() -> None:
    first = Sides((1.0, 1.1), (1.2, 1.3, 1.25), (10.0, 10.1), in_block=True)
    second = Sides((2.0, 2.1, 2.2), (2.4, 2.5), (20.0, 20.2, 20.1), in_block=True)
    pooled = Sides(
        first.old + second.old, first.new + second.new, first.totals + second.totals, in_block=True
    )
    one, other, both = pairs_of([first, second, structs.replace(pooled, parts=(first, second))])
    assert both.difference.estimate == pytest.approx(
        (one.difference.estimate + other.difference.estimate) / 2
    ), "as many builds of either side in both"
    assert both.difference.variance == pytest.approx(
        (one.difference.variance + other.difference.variance) / 4
    )
    assert max(one.difference.degrees, other.difference.degrees) < both.difference.degrees <= 6
    assert both.builds == (5, 5)
    assert (both.situation.old.builds, both.situation.new.builds) == (5, 5)


def measured(
    rng: np.random.Generator, number: int, ms: float, shared: Any, *, block: str = "b", processes: int = 1
) -> BuildObservation:
    """A build whose process differs by 0.5 %, each cycle longer by what the cycle shares."""
    slices, samples = [], []
    for process in range(processes):
        own = ms * float(np.exp(rng.normal(0, 0.005)))
        for cycle in range(CYCLES):
            taken = own * shared[cycle] * np.exp(rng.normal(0, 0.005, 5))
            slices.append(Slice(cycle, taken, process))
            samples.append(taken)
    start = datetime(2026, 11, 1, 2, 0, tzinfo=UTC) + timedelta(seconds=number)
    return BuildObservation(
        number,
        "ok",
        "host",
        passes={"latency": np.concatenate(samples)},
        slices={"latency": tuple(slices)},
        block=block,
        identity=Identity(started=start, ended=start + timedelta(seconds=60)),
    )


def answer(
    *levels: tuple[str, float], builds: int = 4, blocks: str = "bb", processes: int = 1, seed: int = 1
) -> Verdict:
    """Return the verdict on the last of some versions, the machine getting 30 % slower and slower."""
    rng = np.random.default_rng(seed)
    shared = np.exp(np.linspace(0, 0.3, CYCLES) + rng.normal(0, 0.1, CYCLES))
    cells = tuple(
        CellObservation(
            Cell("m", Treatment(), "r", version, "venv"),
            "measured",
            "",
            tuple(measured(rng, n, ms, shared, block=block, processes=processes) for n in range(builds)),
        )
        for (version, ms), block in zip(levels, blocks, strict=True)
    )
    found = judge(grid_of(RunObservation((), Manifest(), cells)), rules={})
    return next(v for v in found if v.version == levels[-1][0])


def test_a_small_change_is_seen_side_by_side_on_a_machine_that_drifts() -> None:
    found = answer(("1.0", 1.0), ("2.0", 1.05), builds=6)
    assert (found.verdict, found.measured) == ("regressed", "side by side")
    assert found.effect == pytest.approx(1.05, abs=0.01)
    assert found.smallest_detectable is not None
    assert found.smallest_detectable < 0.04
    assert found.builds == (6, 6)


def test_blocks_are_never_taken_for_one() -> None:
    found = answer(("1.0", 1.0), ("2.0", 1.05), blocks="ab")
    assert found.measured == "one after the other"


def test_blocks_of_one_build_a_side_are_said_to_be_side_by_side() -> None:
    found = gone_on_with((1, 1, 1.0), (1, 1, 1.2), (1, 1, 0.9))
    assert found.measured == "side by side, one build a side"
    assert found.builds == (3, 3)
    said = verdict_message(found)
    assert "; measured side by side, one build a side: no block tells what builds spread by" in said
    assert "one after the other" not in said
    more = gone_on_with((1, 1, 1.0), (1, 2, 1.0))
    assert more.measured == "one after the other", "not all of its builds have one beside them alone"
    assert gone_on_with((1, 1, 1.0)).measured == "side by side"


def gone_on_with(*blocks: tuple[int, int, float], slower: float = 1.05, seed: int = 2) -> Verdict:
    """Return the verdict on two versions of some blocks."""
    (found,) = judge(grid_of(run_of_blocks(*blocks, slower=slower, seed=seed)), rules={})
    return found


def run_of_blocks(*blocks: tuple[int, int, float], slower: float = 1.05, seed: int = 2) -> RunObservation:
    """Return two versions of some blocks: builds of the old and the new one, and a level."""
    rng = np.random.default_rng(seed)
    sides: tuple[list[BuildObservation], list[BuildObservation]] = ([], [])
    for name, (old, new, level) in zip("bcd", blocks, strict=False):
        shared = level * np.exp(rng.normal(0, 0.1, CYCLES))
        for side, count, ms in zip(sides, (old, new), (1.0, slower), strict=True):
            first = len(side)
            side += [measured(rng, first + n, ms, shared, block=name) for n in range(count)]
    cells = tuple(
        CellObservation(Cell("m", Treatment(), "r", f"{n}.0", "venv"), "measured", "", tuple(side))
        for n, side in enumerate(sides, start=1)
    )
    return RunObservation((), Manifest(), cells)


def test_blocks_of_a_run_that_was_gone_on_with_are_compared_each_in_itself() -> None:
    # The second block is of another time, 40 % slower, and has more of the old version: builds that were
    # pooled over both would make the new version look faster.
    found = gone_on_with((3, 6, 1.0), (6, 3, 1.4))
    assert (found.measured, found.builds, found.verdict) == ("side by side", (9, 9), "regressed")
    assert found.effect == pytest.approx(1.05, abs=0.01)
    assert "left out" not in found.reason
    first = gone_on_with((3, 6, 1.0))
    assert first.interval is not None
    assert found.interval is not None
    assert math.log(found.interval[1] / found.interval[0]) < math.log(first.interval[1] / first.interval[0])


def test_the_spread_of_a_whole_block_counts_for_two_of_it() -> None:
    alone = answer(("1.0", 1.0), ("2.0", 1.0), builds=2)
    among = answer(*((f"{n}.0", 1.0) for n in range(1, 7)), builds=2, blocks="bbbbbb")
    assert alone.interval is not None
    assert among.interval is not None
    assert math.log(among.interval[1] / among.interval[0]) < math.log(alone.interval[1] / alone.interval[0])


def test_one_engine_a_side_is_compared_over_its_processes_and_answers_nothing() -> None:
    found = answer(("1.0", 1.0), ("2.0", 1.2), builds=1, processes=3)
    assert found.verdict == "indeterminate"
    assert "these two engines differ by 1." in found.reason
    assert "which says nothing of other builds" in found.reason
    assert "engines differ" not in answer(("1.0", 1.0), ("2.0", 1.2), builds=1).reason


def test_what_would_settle_is_priced_by_what_the_builds_took() -> None:
    found = answer(("1.0", 1.0), ("2.0", 1.02), builds=3, seed=3)
    assert found.verdict == "indeterminate"
    assert found.settles is not None
    # eight builds of one block overlap: two minutes a side would be far off
    assert found.settles.startswith("about ")
    assert found.settles.rpartition(", ")[2].partition(" ")[2] in ("seconds", "minute", "minutes")


def test_nothing_is_said_of_time_where_nobody_knows_it(compose: Any) -> None:
    pair = pair_of(group(compose, [1.0, 1.1, 0.9]), group(compose, [1.0, 1.2, 0.9]))
    assert pair is not None
    assert pair.costs is None
    said = what_settles(pair, 0.01)
    assert said is not None
    assert said.endswith(" builds a side")


def test_what_is_told_needs_nothing_more(compose: Any) -> None:
    steady = [1.0, 1.0001, 0.9999]
    pair = pair_of(group(compose, steady), group(compose, steady))
    assert pair is not None
    assert what_settles(pair, 0.01) is None


def test_a_build_outside_of_the_block_is_left_out_and_told() -> None:
    rng = np.random.default_rng(5)
    shared = np.ones(CYCLES)
    sides = [[measured(rng, n, ms, shared) for n in range(3)] for ms in (1.0, 1.1)]
    sides[0].append(replace(measured(rng, 3, 5.0, shared), block="", slices={}))
    cells = tuple(
        CellObservation(Cell("m", Treatment(), "r", f"{n}.0", "venv"), "measured", "", tuple(side))
        for n, side in enumerate(sides, start=1)
    )
    (found,) = judge(grid_of(RunObservation((), Manifest(), cells)), rules={})
    assert (found.measured, found.builds, found.verdict) == ("side by side", (3, 3), "regressed")
    assert "not in this block and left out: one build" in found.reason


def test_slow_builds_of_a_block_are_told_and_not_dropped_in_silence() -> None:
    rng = np.random.default_rng(7)
    shared = np.exp(rng.normal(0, 0.1, CYCLES))
    levels = [[1.0] * 8, [1.0] * 8 + [1.2]]
    cells = tuple(
        CellObservation(
            Cell("m", Treatment(), "r", f"{n}.0", "venv"),
            "measured",
            "",
            tuple(measured(rng, i, ms, shared) for i, ms in enumerate(side)),
        )
        for n, side in enumerate(levels, start=1)
    )
    (found,) = judge(grid_of(RunObservation((), Manifest(), cells)), rules={})
    assert (found.verdict, found.builds) == ("unchanged", (8, 9))
    assert "new: 1 of 9 builds is " in found.reason
    assert " % slower than the rest" in found.reason
    sides = found.evidence["slow_builds"]
    assert isinstance(sides, dict)
    assert (sides["old"]["count"], sides["new"]["count"], sides["new"]["of"]) == (0, 1, 9)
    assert sides["new"]["by"][0] == pytest.approx(0.2, abs=0.02)
