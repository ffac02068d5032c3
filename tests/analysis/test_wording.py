"""How the numbers of a verdict are written."""

import numpy as np
import pytest
from msgspec.structs import replace

from harness.analysis.material import latency_answer
from harness.analysis.statistics.differences import Difference
from harness.analysis.verdict import Verdict, verdict_message
from harness.analysis.wording import change_that_shows, times


@pytest.mark.parametrize(
    ("factor", "text"),
    [
        (0.83512, "0.835"),
        (0.001, "0.001"),
        (1000.0, "1000.000"),
        (0.00099, "under 0.001"),
        (0.0, "under 0.001"),
        (1000.1, "over 1000"),
        (6.4e9, "over 1000"),
    ],
)
def test_a_ratio_has_three_decimals_where_they_say_something(factor: float, text: str) -> None:
    assert times(factor) == text


@pytest.mark.parametrize(
    ("smallest", "size"),
    [
        (0.02, "of 2.0 %"),
        (0.999, "of 99.9 %"),
        (1.0, "to 2.0 times"),
        (38.028, "to 39.0 times"),
        (999.0, "to 1000.0 times"),
        (9.1e13, "to over 1000 times"),
        (float("inf"), "to over 1000 times"),
    ],
)
def test_a_change_that_shows_is_a_factor_from_a_doubling_on(smallest: float, size: str) -> None:
    assert change_that_shows(smallest) == f"a change {size} could have been shown"


def test_an_interval_of_builds_that_hardly_agree_is_not_printed_in_ten_digits() -> None:
    found = Difference(np.array(-1.65), np.array(1.0), np.array(1.0))
    assert latency_answer(found).reason == "0.1920 times (under 0.001 to over 1000)"


def _verdict(reason: str) -> Verdict:
    where = ("pointwise", "m", "fp32", "r", "2", "h", "unchanged")
    return Verdict(*where, reason, "m-2", effect=1.0, interval=(0.9, 1.1), smallest_detectable=0.18)


def test_what_builds_could_have_shown_is_said_once() -> None:
    said = change_that_shows(0.18)
    assert _verdict("inside").shows == said
    assert verdict_message(_verdict("inside")).count(said) == 1
    assert _verdict(f"noise; {said}").shows is None
    assert verdict_message(_verdict(f"noise; {said}")).count(said) == 1


def test_costs_that_were_not_measured_could_not_have_shown_anything() -> None:
    """Below the resolution on both sides: an interval without width, whose noise nobody knows."""
    nothing = replace(_verdict("costs less than 0.1 %"), interval=(1.0, 1.0), smallest_detectable=0.02)
    assert not nothing.scatters
    assert nothing.shows is None
    assert "shown" not in verdict_message(nothing)
