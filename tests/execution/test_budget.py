"""What a block may spend beyond its first builds."""

from __future__ import annotations

import time

import pytest

from harness.execution.budget import Budget


@pytest.fixture
def now(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    at = [1000.0]
    monkeypatch.setattr(time, "monotonic", lambda: at[0])
    return at


def test_without_minutes_there_is_nothing_beyond_the_first_builds() -> None:
    assert Budget().share(10, 30.0, 0) == 0.0


def test_the_last_block_may_spend_all_that_is_left(now: list[float]) -> None:
    budget = Budget(300.0)
    now[0] += 100
    assert budget.share(10, 60.0, 0) == pytest.approx(200.0)


def test_what_a_run_waits_for_a_device_is_not_its_own_time(now: list[float]) -> None:
    budget = Budget(300.0)
    now[0] += 100
    budget.waited(70.0)
    now[0] += 50
    budget.waited(90.0)  # in all
    assert budget.share(10, 60.0, 0) == pytest.approx(240.0)
    unlimited = Budget()
    unlimited.waited(90.0)
    assert unlimited.share(10, 60.0, 0) == 0.0


def test_first_builds_to_come_are_kept_time_for_and_the_rest_is_shared(now: list[float]) -> None:
    budget = Budget(300.0)
    now[0] += 60
    # 240 s are left; 20 builds to come take 6 s each; 120 s for 30 builds, 10 of which are this block's.
    assert budget.share(10, 60.0, 20) == pytest.approx(40.0)


def test_a_budget_that_is_spent_leaves_nothing(now: list[float]) -> None:
    budget = Budget(300.0)
    now[0] += 290
    assert budget.share(10, 290.0, 10) == 0.0
    now[0] += 1000
    assert budget.share(10, 290.0, 0) == 0.0


def test_what_is_left_counts_down_to_nothing(now: list[float]) -> None:
    budget = Budget(2.0)
    assert budget.left == 2.0
    now[0] += 1.5
    assert budget.left == 0.5
    now[0] += 7
    assert budget.left == 0.0
    budget.waited(6.75)
    assert budget.left == 0.25, "it was not the run's own time"
    assert Budget().left is None


def test_a_block_without_builds_has_no_share(now: list[float]) -> None:
    budget = Budget(300.0)
    now[0] += 1
    assert budget.share(0, 0.0, 5) == 0.0
    assert budget.share(1, 0.0, 0) == 299.0
    assert Budget(precision=0.25).precision == 0.25
    assert Budget(300.0).precision == 0.01
