"""Bisection over simulated versions whose one change is known, with its cells counted."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from harness.analysis.bisect import bisect, most_evaluations
from harness.analysis.bisect_answer import location_as_json, location_message
from harness.analysis.verdict import verdict_message
from harness.errors import UsageError
from harness.observations.records import CellObservation


class Asked:
    """Looks cells up one by one, and notes which were asked for together."""

    def __init__(self, look_up: Callable[[str], CellObservation]) -> None:
        self.look_up = look_up
        self.calls: list[tuple[str, ...]] = []

    def __call__(self, versions: Sequence[str]) -> list[CellObservation]:
        self.calls.append(tuple(versions))
        return [self.look_up(version) for version in versions]


def at_levels(compose: Any, levels: dict[str, float], noise: float = 0.004) -> Asked:
    """Versions take these milliseconds; a version without any cannot run."""

    def look_up(version: str) -> CellObservation:
        if version not in levels:
            missing: CellObservation = compose.cell(version, status="unavailable", reason="no wheel")
            return missing
        found: CellObservation = compose.noisy(version, levels[version], noise=noise)
        return found

    return Asked(look_up)


def named(count: int) -> list[str]:
    return [f"{i}.0" for i in range(1, count + 1)]


def stepped(compose: Any, step: int, names: list[str], noise: float = 0.004) -> Asked:
    """Versions before *step* take 0.4 ms, those from it on 0.3."""
    levels = {name: 0.4 if index < step else 0.3 for index, name in enumerate(names)}
    return at_levels(compose, levels, noise)


@pytest.mark.parametrize("count", [2, 3, 4, 5, 8, 9, 17])
def test_finds_every_step_within_its_budget(compose: Any, count: int) -> None:
    names = named(count)
    for step in range(1, count):
        evaluate = stepped(compose, step, names)
        found = bisect(names, evaluate, "latency", rules={})
        # The ends in one call, so that whoever measures can interleave them; then one at a time.
        assert [len(call) for call in evaluate.calls] == [2] + [1] * (len(evaluate.calls) - 1)
        assert (found.before, found.after) == (names[step - 1], names[step])
        assert found.certain
        assert found.verdict is not None
        assert found.verdict.verdict == "reduced"
        assert len(found.evaluated) == len(set(found.evaluated)) <= most_evaluations(count)


def test_budget_is_two_and_the_logarithm_of_the_gaps() -> None:
    assert [most_evaluations(n) for n in (2, 3, 5, 6, 17)] == [2, 3, 4, 5, 6]
    assert most_evaluations(100) == 2 + math.ceil(math.log2(99))


def test_no_change_takes_two_evaluations(compose: Any) -> None:
    names = named(9)
    found = bisect(names, stepped(compose, 99, names), "latency", rules={})
    assert (found.before, found.after, found.evaluated) == (None, None, ("1.0", "9.0"))
    assert found.reason.startswith("no change from 1.0 to 9.0")
    assert found.certain


def test_noise_at_the_ends_cannot_tell(compose: Any) -> None:
    names = ["1.0", "2.0", "3.0"]
    found = bisect(names, stepped(compose, 1, names, noise=0.5), "latency", rules={})
    assert found.before is None
    assert found.reason.startswith("cannot tell from 1.0 to 3.0")
    assert not found.certain


def test_where_the_ends_scatter_stored_neighbours_are_told_apart(compose: Any) -> None:
    """The oldest version scatters, as a TensorRT that kept another layout in one of its builds."""

    def look_up(version: str) -> CellObservation:
        level = 0.3 if version in ("4.0", "5.0") else 0.4
        found: CellObservation = compose.noisy(version, level, noise=0.3 if version == "1.0" else 0.004)
        return found

    names = named(5)
    found = bisect(names, Asked(look_up), "latency", rules={}, stored=True)
    assert (found.before, found.after) == (None, None)
    assert found.reason.startswith("cannot tell from 1.0 to 5.0")
    assert found.reason.endswith("neighbours that differ: 3.0 to 4.0")
    assert sorted(found.evaluated) == names
    assert [(v.against, v.version, v.verdict) for v in found.neighbours] == [("3.0", "4.0", "reduced")]
    assert "latency of mobilenet_v2 fp32-b1-clip on tensorrt 4.0 against 3.0" in location_message(found)
    data = location_as_json(found)
    assert [v["version"] for v in data["neighbours"]] == ["4.0"]  # type: ignore[attr-defined]
    # A measured cell costs minutes: there the ends decide.
    evaluate = Asked(look_up)
    live = bisect(names, evaluate, "latency", rules={})
    assert (live.neighbours, len(evaluate.calls)) == ((), 1)


def test_stored_neighbours_that_do_not_differ_either_are_none(compose: Any) -> None:
    evaluate = at_levels(compose, dict.fromkeys(named(3), 0.4), noise=0.3)
    found = bisect(named(3), evaluate, "latency", rules={}, stored=True)
    assert found.reason.endswith("neighbours that differ: none")
    assert found.neighbours == ()


def test_an_indeterminate_middle_is_put_to_the_nearer_end_and_said(compose: Any) -> None:
    names = ["1.0", "2.0", "3.0"]

    def look_up(version: str) -> CellObservation:
        latency, builds = {"1.0": (0.4, 5), "2.0": (0.31, 1), "3.0": (0.3, 5)}[version]
        found: CellObservation = compose.noisy(version, latency, builds=builds)
        return found

    found = bisect(names, Asked(look_up), "latency", rules={})
    assert (found.before, found.after, found.certain) == ("1.0", "2.0", False)
    assert "indeterminate version on the way" in found.reason


def test_a_middle_that_one_end_alone_can_place_is_certain(compose: Any) -> None:
    # Too noisy to be called unchanged from its own end, yet clearly not as the other.
    def look_up(version: str) -> CellObservation:
        latency, noise = {"1.0": (0.4, 0.004), "2.0": (0.39, 0.05), "3.0": (0.2, 0.004)}[version]
        found: CellObservation = compose.noisy(version, latency, noise=noise)
        return found

    found = bisect(named(3), Asked(look_up), "latency", rules={})
    assert (found.before, found.after, found.certain) == ("2.0", "3.0", True)


def test_of_two_changes_the_larger_is_followed(compose: Any) -> None:
    # 2.0 and 3.0 are a little faster than 1.0, 4.0 and 5.0 much.
    levels = {"1.0": 0.40, "2.0": 0.38, "3.0": 0.38, "4.0": 0.2, "5.0": 0.2}
    found = bisect(named(5), at_levels(compose, levels), "latency", rules={})
    assert (found.before, found.after, found.certain) == ("3.0", "4.0", True)


def test_many_small_steps_are_not_told_as_one(compose: Any) -> None:
    levels = {name: 0.4 * 0.993**index for index, name in enumerate(named(9))}
    found = bisect(named(9), at_levels(compose, levels), "latency", rules={})
    assert found.before is not None
    assert found.verdict is not None
    assert found.verdict.verdict in ("unchanged", "indeterminate")
    assert "it may come in several steps" in found.reason


def valid_or_not(compose: Any, valid: set[str]) -> Asked:
    def look_up(version: str) -> CellObservation:
        if version in valid:
            found: CellObservation = compose.noisy(version, 0.4)
            return found
        wrong: CellObservation = compose.cell(version, [compose.build(0, 0.1, outputs=compose.wrong)])
        return wrong

    return Asked(look_up)


def test_invalid_outputs_are_a_change(compose: Any) -> None:
    found = bisect(named(5), valid_or_not(compose, {"1.0", "2.0", "3.0"}), "latency", rules={})
    assert (found.before, found.after, found.certain) == ("3.0", "4.0", True)
    assert found.verdict is not None
    assert found.verdict.verdict == "invalid"


def test_outputs_that_became_right_are_a_change(compose: Any) -> None:
    found = bisect(named(5), valid_or_not(compose, {"4.0", "5.0"}), "latency", rules={})
    assert (found.before, found.after, found.certain) == ("3.0", "4.0", True)
    assert found.verdict is not None
    assert "outputs of 3.0 are out of bounds" in found.verdict.reason


def test_one_version_with_wrong_outputs_between_right_ones(compose: Any) -> None:
    levels = {"1.0": 0.4, "2.0": 0.4, "4.0": 0.3, "5.0": 0.3}
    good = at_levels(compose, levels)
    wrong = valid_or_not(compose, set())
    found = bisect(named(5), Asked(lambda v: (wrong if v == "3.0" else good).look_up(v)), "latency", rules={})
    assert (found.before, found.after) == ("2.0", "3.0")


def test_wrong_outputs_at_both_ends_cannot_tell(compose: Any) -> None:
    found = bisect(named(5), valid_or_not(compose, {"3.0"}), "latency", rules={})
    assert (found.before, len(found.evaluated)) == (None, 2)
    assert found.reason.startswith("cannot tell from 1.0 to 5.0: outputs out of bounds")


@pytest.mark.parametrize("names", [["1.0"], [], ["1.0", "2.0", "1.0"]])
def test_needs_two_versions_named_once(compose: Any, names: list[str]) -> None:
    with pytest.raises(UsageError, match="at least two versions"):
        bisect(names, stepped(compose, 1, names), "latency", rules={})


def test_what_shares_no_host_cannot_be_compared(compose: Any) -> None:
    def look_up(version: str) -> CellObservation:
        found: CellObservation = compose.cell(
            version, [compose.build(i, 0.4, host=version) for i in range(3)]
        )
        return found

    with pytest.raises(UsageError, match="no common host"):
        bisect(["1.0", "2.0"], Asked(look_up), "latency", rules={})


def test_each_step_says_where_the_change_lies(compose: Any) -> None:
    said: list[str] = []
    bisect(named(5), stepped(compose, 4, named(5)), "latency", rules={}, say=said.append)
    assert said[0].startswith("5.0 beside 1.0: reduced: 0.")
    assert said[1:] == [
        "with 3.0: the change lies between 3.0 and 5.0",
        "with 4.0: the change lies between 4.0 and 5.0",
    ]


def test_answers_for_people_and_programs(compose: Any) -> None:
    names = ["1.0", "2.0", "3.0"]
    found = bisect(names, stepped(compose, 2, names), "latency", rules={})
    assert "between 2.0 and 3.0 (3 cells evaluated: 1.0, 3.0, 2.0)" in location_message(found)
    data = location_as_json(found)
    assert (data["before"], data["after"], data["certain"]) == ("2.0", "3.0", True)
    assert isinstance(data["verdict"], dict)


def test_an_answer_for_programs_holds_all_that_was_found(compose: Any) -> None:
    levels = {"1.0": 0.4, "3.0": 0.3}
    found = bisect(named(3), at_levels(compose, levels), "latency", rules={})
    assert found.verdict is not None
    assert location_as_json(found) == {
        "schema": "trtmatrix.bisect/1",
        "before": "1.0",
        "after": "3.0",
        "certain": True,
        "evaluated": ["1.0", "3.0", "2.0"],
        "cannot_run": {"2.0": "no wheel"},
        "reason": "the change lies between 1.0 and 3.0; 2.0 cannot run here",
        "verdict": found.verdict.as_json(),
        "neighbours": [],
    }
    assert location_message(found).splitlines() == [
        "the change lies between 1.0 and 3.0; 2.0 cannot run here (3 cells evaluated: 1.0, 3.0, 2.0)",
        verdict_message(found.verdict),
        "2.0: no wheel",
    ]


def test_an_answer_without_a_change_names_no_pair(compose: Any) -> None:
    found = bisect(named(2), at_levels(compose, {"1.0": 0.4, "2.0": 0.4}), "latency", rules={})
    assert (found.before, found.after, found.certain) == (None, None, True)
    assert found.verdict is not None
    assert found.reason == f"no change from 1.0 to 2.0: {found.verdict.reason}"
    assert location_message(found) == f"{found.reason} (2 cells evaluated: 1.0, 2.0)"


def test_what_is_not_compared_says_whether_hosts_are_too_many_or_too_few(compose: Any) -> None:
    def on_two_hosts(version: str) -> CellObservation:
        builds = [compose.build(n, 0.4 + n / 1e4, host=f"h{n % 2}") for n in range(6)]
        found: CellObservation = compose.cell(version, builds)
        return found

    with pytest.raises(UsageError) as caught:
        bisect(named(2), Asked(on_two_hosts), "latency", rules={})
    said = "its builds are on several hosts: name one of h0, h1"
    assert str(caught.value) == f"2.0 cannot be compared with 1.0 for 'latency': {said}"
    with pytest.raises(UsageError) as caught:
        bisect(named(2), at_levels(compose, {"1.0": 0.4, "2.0": 0.4}), "relu6", rules={})
    assert str(caught.value) == "2.0 cannot be compared with 1.0 for 'relu6': no common host or bottleneck"


def test_a_stored_run_whose_ends_scatter_names_the_neighbours_that_differ(compose: Any) -> None:
    def look_up(version: str) -> CellObservation:
        latency, builds = {"1.0": (0.4, 5), "2.0": (0.4, 5), "3.0": (0.3, 5), "4.0": (0.3, 1)}[version]
        found: CellObservation = compose.noisy(version, latency, builds=builds)
        return found

    found = bisect(named(4), Asked(look_up), "latency", rules={}, stored=True)
    assert found.reason.startswith("cannot tell from 1.0 to 4.0: ")
    assert found.reason.endswith("; neighbours that differ: 2.0 to 3.0")
    assert [(v.against, v.version, v.verdict) for v in found.neighbours] == [("2.0", "3.0", "reduced")]
    assert found.evaluated == ("1.0", "4.0", "2.0", "3.0")
    data = location_as_json(found)
    assert data["neighbours"] == [verdict.as_json() for verdict in found.neighbours]
    assert location_message(found).splitlines()[-1] == verdict_message(found.neighbours[0])
    unstored = bisect(named(4), Asked(look_up), "latency", rules={})
    assert (unstored.neighbours, unstored.evaluated) == ((), ("1.0", "4.0"))
