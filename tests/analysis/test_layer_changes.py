"""Which layers carry a change: times of both sides, their order, and which of them changed."""

from __future__ import annotations

import numpy as np
import pytest

from harness.analysis.layer_changes import TOP, layer_rows
from harness.analysis.series import Series


def series(*builds: dict[str, float]) -> Series:
    return Series(values=tuple(sum(build.values()) for build in builds), layers=builds)


def test_times_are_means_over_builds_and_a_layer_that_is_missing_took_none() -> None:
    rows = layer_rows([(series({"a": 1.0}, {"a": 3.0, "b": 4.0}), series({"c": 1.0, "a": 2.0}))])[0]
    assert rows.names == ("a", "b", "c")
    assert rows.old is not None
    assert list(rows.old) == [2.0, 2.0, 0.0]
    assert list(rows.new) == [2.0, 0.0, 1.0]
    assert (rows.p, rows.probabilities) == (None, [None, None, None]), "one build has no spread"


def test_the_largest_differences_come_first_and_equal_ones_by_name() -> None:
    old = series({"b": 1.0, "a": 1.0, "c": 1.0, "d": 5.0})
    rows = layer_rows([(old, series({"b": 2.0, "a": 0.0, "c": 4.0, "d": 5.0}))])[0]
    found = rows.top([0.5, 0.01, 0.05, None])
    assert [(x.name, x.old_ms, x.new_ms) for x in found] == [
        ("c", 1.0, 4.0),
        ("a", 1.0, 0.0),
        ("b", 1.0, 2.0),
        ("d", 5.0, 5.0),
    ]
    assert [(x.q, x.changed) for x in found] == [(0.05, True), (0.01, True), (0.5, False), (None, False)]


@pytest.mark.parametrize("old", [None, Series(values=())])
def test_of_one_side_the_heaviest_come_first(old: Series | None) -> None:
    rows = layer_rows([(old, series({"a": 1.0, "b": 3.0}, {"a": 2.0, "b": 3.0}))])[0]
    assert rows.old is None
    assert [(x.name, x.old_ms, x.new_ms) for x in rows.top([None] * 2)] == [
        ("b", None, 3.0),
        ("a", None, 1.5),
    ]
    empty = layer_rows([(old, Series(values=()))])[0]
    assert (empty.names, list(empty.new), empty.top([])) == ((), [], ())


def test_no_more_than_ten_are_named() -> None:
    many = {f"l{number:02}": float(number) for number in range(15)}
    found = layer_rows([(None, series(many))])[0].top([None] * 15)
    assert [x.name for x in found] == [f"l{number:02}" for number in range(14, 14 - TOP, -1)]
    assert len(found) == 10


def test_a_layer_that_came_and_went_is_sure_and_one_that_stayed_is_not() -> None:
    old = series({"stay": 1.0, "gone": 0.5}, {"stay": 1.1, "gone": 0.5})
    new = series({"stay": 1.1, "come": 0.5}, {"stay": 1.0, "come": 0.5})
    rows = layer_rows([(old, new)])[0]
    assert rows.p is not None
    assert rows.p.shape == (3,)
    by_name = dict(zip(rows.names, rows.probabilities, strict=True))
    assert by_name["stay"] == pytest.approx(1.0)
    assert by_name["gone"] == by_name["come"] == 0.0
    assert all(isinstance(p, float) for p in rows.probabilities)


def test_noise_below_a_ten_thousandth_of_the_whole_is_no_change() -> None:
    """Both sides are raised to that floor, so that what hardly costs does not differ by its logarithm."""
    old = series({"whole": 1.0, "dust": 1e-6}, {"whole": 1.0, "dust": 2e-6})
    new = series({"whole": 1.0, "dust": 9e-5}, {"whole": 1.0, "dust": 8e-5})
    rows = layer_rows([(old, new)])[0]
    assert dict(zip(rows.names, rows.probabilities, strict=True))["dust"] == 1.0
    more = series({"whole": 1.0, "dust": 3e-4}, {"whole": 1.0, "dust": 3e-4})
    rows = layer_rows([(old, more)])[0]
    assert dict(zip(rows.names, rows.probabilities, strict=True))["dust"] == 0.0


def test_layers_of_no_time_at_all_do_not_differ() -> None:
    rows = layer_rows([(series({"a": 0.0}, {"a": 0.0}), series({"a": 0.0}, {"a": 0.0}))])[0]
    assert rows.probabilities == [1.0]
    assert np.isfinite(rows.new).all()
