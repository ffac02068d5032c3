"""How numbers are written in a report."""

import pytest

from harness.report import words


@pytest.mark.parametrize(
    ("factor", "text"),
    [
        (None, ""),
        (0.835, "−16.5 %"),
        (1.0, "+0.0 %"),
        (1.999, "+99.9 %"),
        (2.0, "2.0 times"),
        (99.94, "99.9 times"),
        (100.0, "100 times"),
        (1000.0, "1000 times"),
        (6.4e9, "over 1000 times"),
        (0.001, "−99.9 %"),
        (4e-9, "under 1/1000"),
    ],
)
def test_a_change_is_a_percentage_up_to_a_doubling_and_then_a_factor(factor: float | None, text: str) -> None:
    assert words.change(factor) == text


@pytest.mark.parametrize(
    ("value", "text"), [(-0.011, "−0.0110 ms"), (0.25, "+0.250 ms"), (-12.344, "−12.34 ms")]
)
def test_a_difference_has_its_sign(value: float, text: str) -> None:
    assert words.difference(value) == text


@pytest.mark.parametrize(
    ("count", "more", "text"),
    [
        (0, (), "0 builds"),
        (1, (), "1 build"),
        (2, (), "2 builds"),
        (1, ("builds are",), "1 build"),
        (1234, ("builds are",), "1234 builds are"),
    ],
)
def test_one_is_one_and_all_else_are_many(count: int, more: tuple[str, ...], text: str) -> None:
    assert words.number_of(count, "build", *more) == text


def test_an_interval_has_both_ends_as_changes() -> None:
    assert words.interval((0.95, 1.2)) == "−5.0 % to +20.0 %"
    assert words.interval(None) == ""


@pytest.mark.parametrize(
    ("value", "text"),
    [(None, ""), (0.0, "0"), (0.00964, "0.0096"), (0.1234, "0.123"), (12.344, "12.34"), (123.46, "123.5")],
)
def test_milliseconds_have_the_digits_that_are_worth_reading(value: float | None, text: str) -> None:
    assert words.milliseconds(value) == text
