"""Bisection where versions cannot run, or not where the others did: the budget holds."""

from __future__ import annotations

import random
from typing import Any

import pytest

from harness.analysis.bisect import bisect, most_evaluations
from harness.analysis.bisect_answer import location_as_json, location_message
from harness.analysis.rules.builtin import trtmatrix_bottlenecks
from harness.errors import UsageError
from harness.observations.records import CellObservation
from tests.analysis.test_bisect import Asked, at_levels, named


def test_versions_that_cannot_run_are_stepped_over(compose: Any) -> None:
    names = named(9)
    levels = {name: 0.4 if index < 6 else 0.3 for index, name in enumerate(names) if name != "5.0"}
    found = bisect(names, at_levels(compose, levels), "latency", rules={})
    assert len(found.evaluated) <= most_evaluations(9)
    assert found.cannot_run == {"5.0": "no wheel"}
    # one evaluation went to 5.0, so the last gap may stay open; the change lies in what is named
    assert found.before is not None
    assert found.after is not None
    assert names.index(found.before) < 6 <= names.index(found.after)
    assert "5.0: no wheel" in location_message(found)


def test_a_gap_that_cannot_run_stays_open_and_is_named(compose: Any) -> None:
    found = bisect(named(3), at_levels(compose, {"1.0": 0.4, "3.0": 0.3}), "latency", rules={})
    assert (found.before, found.after) == ("1.0", "3.0")
    assert found.reason == "the change lies between 1.0 and 3.0; 2.0 cannot run here"


def test_ends_that_cannot_run_are_moved_inwards(compose: Any) -> None:
    levels = {"2.0": 0.4, "3.0": 0.4, "4.0": 0.3}
    found = bisect(named(5), at_levels(compose, levels), "latency", rules={})
    # Four cells at most for five versions, two of which went to ends that cannot run.
    assert found.evaluated == ("1.0", "5.0", "2.0", "4.0")
    assert (found.before, found.after) == ("2.0", "4.0")
    assert found.reason == "the change lies between 2.0 and 4.0; 3.0 not looked at: 4 cells is the most"


@pytest.mark.parametrize("levels", [{}, {"9.0": 0.3}, {"1.0": 0.3}])
def test_fewer_than_two_that_run_cannot_tell(compose: Any, levels: dict[str, float]) -> None:
    evaluate = at_levels(compose, levels)
    found = bisect(named(9), evaluate, "latency", rules={})
    assert (found.before, found.after, found.verdict) == (None, None, None)
    assert len(found.evaluated) <= most_evaluations(9)
    assert found.reason.startswith("cannot tell: ")
    assert not found.certain
    assert "cannot run here" in found.reason
    assert location_as_json(found)["verdict"] is None


@pytest.mark.parametrize("count", [2, 3, 5, 8, 17])
def test_the_budget_holds_whatever_cannot_run(compose: Any, count: int) -> None:
    names = named(count)
    for seed in range(40):
        chance = random.Random(seed)
        levels = {name: chance.choice((0.4, 0.3)) for name in names if chance.random() > seed / 50}
        evaluate = at_levels(compose, levels)
        found = bisect(names, evaluate, "latency", rules={})
        asked = [version for call in evaluate.calls for version in call]
        assert tuple(asked) == found.evaluated
        assert len(asked) == len(set(asked)) <= most_evaluations(count)


def test_what_cannot_run_is_stepped_over_to_the_version_next_nearest_to_the_middle(compose: Any) -> None:
    names = named(6)
    levels = {name: 0.4 if index < 5 else 0.3 for index, name in enumerate(names)}
    del levels["3.0"]
    evaluate = at_levels(compose, levels)
    found = bisect(names, evaluate, "latency", rules={})
    assert [call[0] for call in evaluate.calls[1:3]] == ["3.0", "4.0"], "as near to the middle as each other"
    assert (found.before, found.after) == ("5.0", "6.0")


def test_versions_on_two_hosts_have_states_and_no_comparison(compose: Any) -> None:
    """A rule answers for each of them alone: that is one verdict, and none on both."""

    def on_its_own_host(version: str) -> CellObservation:
        builds = [compose.build(n, 0.4, {"relu6": 0.1}, host=version) for n in range(3)]
        found: CellObservation = compose.cell(version, builds)
        return found

    rules = {rule.name: rule for rule in trtmatrix_bottlenecks()}
    with pytest.raises(UsageError, match=r"cannot be compared .* no common host or bottleneck"):
        bisect(named(2), Asked(on_its_own_host), "relu6", rules=rules)
