"""Bisection over simulated versions whose one change is known, with its cells counted."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pytest

from harness.bottlenecks.bisect import bisect, found_as_json, found_message, most_evaluations
from harness.errors import UsageError
from harness.layers.observation import CellObservation


def stepped(
    compose: Any, step: int, names: list[str], noise: float = 0.004
) -> Callable[[str], CellObservation]:
    """Versions before *step* take 0.4 ms, those from it on 0.3."""

    def evaluate(version: str) -> CellObservation:
        found: CellObservation = compose.noisy(
            version, 0.4 if names.index(version) < step else 0.3, noise=noise
        )
        return found

    return evaluate


@pytest.mark.parametrize("count", [2, 3, 4, 5, 8, 9, 17])
def test_finds_every_step_within_its_budget(compose: Any, count: int) -> None:
    names = [f"{i}.0" for i in range(1, count + 1)]
    for step in range(1, count):
        found = bisect(names, stepped(compose, step, names), "latency", rules={})
        assert (found.before, found.after) == (names[step - 1], names[step])
        assert found.certain
        assert found.verdict is not None
        assert found.verdict.verdict == "reduced"
        assert len(found.evaluated) == len(set(found.evaluated)) <= most_evaluations(count)


def test_budget_is_two_and_the_logarithm_of_the_gaps() -> None:
    assert [most_evaluations(n) for n in (2, 3, 5, 6, 17)] == [2, 3, 4, 5, 6]
    assert most_evaluations(100) == 2 + math.ceil(math.log2(99))


def test_no_change_takes_two_evaluations(compose: Any) -> None:
    names = [f"{i}.0" for i in range(1, 10)]
    found = bisect(names, stepped(compose, 99, names), "latency", rules={})
    assert (found.before, found.after, found.evaluated) == (None, None, ("1.0", "9.0"))
    assert found.reason.startswith("no change from 1.0 to 9.0")


def test_noise_at_the_ends_cannot_tell(compose: Any) -> None:
    names = ["1.0", "2.0", "3.0"]
    found = bisect(names, stepped(compose, 1, names, noise=0.2), "latency", rules={})
    assert found.before is None
    assert found.reason.startswith("cannot tell from 1.0 to 3.0")


def test_an_indeterminate_middle_is_put_to_the_nearer_end_and_said(compose: Any) -> None:
    names = ["1.0", "2.0", "3.0"]

    def evaluate(version: str) -> CellObservation:
        if version == "2.0":
            found: CellObservation = compose.noisy(version, 0.31, builds=1)
            return found
        return stepped(compose, 2, names)(version)

    found = bisect(names, evaluate, "latency", rules={})
    assert (found.before, found.after, found.certain) == ("1.0", "2.0", False)
    assert "indeterminate version on the way" in found.reason


def test_versions_that_cannot_run_are_stepped_over(compose: Any) -> None:
    names = [f"{i}.0" for i in range(1, 10)]

    def evaluate(version: str) -> CellObservation:
        if version == "5.0":
            found: CellObservation = compose.cell(version, status="unsupported", reason="no wheel")
            return found
        return stepped(compose, 6, names)(version)

    found = bisect(names, evaluate, "latency", rules={})
    assert len(found.evaluated) <= most_evaluations(9)
    assert "5.0" in found.evaluated
    # one evaluation went to 5.0, so the last gap may stay open; the change lies in what is named
    assert found.before is not None
    assert found.after is not None
    assert names.index(found.before) < 6 <= names.index(found.after)


def test_invalid_outputs_are_a_change(compose: Any) -> None:
    names = [f"{i}.0" for i in range(1, 6)]

    def evaluate(version: str) -> CellObservation:
        if version < "4":
            found: CellObservation = compose.noisy(version, 0.4)
            return found
        wrong: CellObservation = compose.cell(version, [compose.build(0, 0.1, outputs=compose.wrong)])
        return wrong

    found = bisect(names, evaluate, "latency", rules={})
    assert (found.before, found.after) == ("3.0", "4.0")
    assert found.verdict is not None
    assert found.verdict.verdict == "invalid"


@pytest.mark.parametrize("names", [["1.0"], [], ["1.0", "2.0", "1.0"]])
def test_needs_two_versions_named_once(compose: Any, names: list[str]) -> None:
    with pytest.raises(UsageError, match="at least two versions"):
        bisect(names, stepped(compose, 1, names), "latency", rules={})


def test_what_shares_no_host_cannot_be_compared(compose: Any) -> None:
    def evaluate(version: str) -> CellObservation:
        found: CellObservation = compose.cell(
            version, [compose.build(i, 0.4, host=version) for i in range(3)]
        )
        return found

    with pytest.raises(UsageError, match="no common host"):
        bisect(["1.0", "2.0"], evaluate, "latency", rules={})


def test_answers_for_people_and_programs(compose: Any) -> None:
    names = ["1.0", "2.0", "3.0"]
    found = bisect(names, stepped(compose, 2, names), "latency", rules={})
    assert "between 2.0 and 3.0 (3 cells evaluated: 1.0, 3.0, 2.0)" in found_message(found)
    data = found_as_json(found)
    assert (data["before"], data["after"], data["certain"]) == ("2.0", "3.0", True)
    assert isinstance(data["verdict"], dict)
