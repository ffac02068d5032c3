"""How much a run could tell, in one sentence."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from harness.analysis.verdict import Verdict
from harness.report.telling import telling

LATENCY = Verdict(
    "latency", "m", "fp32-b1-clip", "ort", "2.0", "h", "unchanged", "same", "m-2.0", against="1.0",
    builds=(3, 3), effect=1.0, interval=(0.99, 1.01), smallest_detectable=0.02,
)  # fmt: skip
COST = replace(
    LATENCY, bottleneck="relu6", difference=0.0, difference_interval=(-0.01, 0.01), smallest_detectable=0.013
)
OPEN = replace(LATENCY, verdict="indeterminate", smallest_detectable=0.3)


@pytest.mark.parametrize(
    ("verdicts", "said"),
    [
        ([], ""),
        ([replace(LATENCY, kind="aa"), replace(LATENCY, against=None), replace(LATENCY, builds=(3, 0))], ""),
        ([replace(LATENCY, verdict="invalid"), replace(LATENCY, verdict="unsupported")], ""),
        (
            [LATENCY],
            "Of 1 comparison 1 is told and 0 cannot be told; half of the latencies would show a change of "
            "2.0 %.",
        ),
        (
            [LATENCY, OPEN, OPEN, COST],
            "Of 4 comparisons 2 are told and 2 cannot be told; half of the latencies would show a change of "
            "30.0 %, half of the bottlenecks one of 1.3 % of the layer time.",
        ),
        (
            [replace(OPEN, smallest_detectable=None)],
            "Of 1 comparison 0 are told and 1 cannot be told; half of the latencies would show a change of "
            "over 1000 times.",
        ),
        (
            [replace(LATENCY, interval=None, smallest_detectable=None)],
            "Of 1 comparison 1 is told and 0 cannot be told.",
        ),
        (
            [COST],
            "Of 1 comparison 1 is told and 0 cannot be told; half of the bottlenecks would show a change of "
            "1.3 % of the layer time.",
        ),
    ],
)
def test_told_and_not(verdicts: list[Verdict], said: str) -> None:
    assert telling(verdicts) == said


def test_those_that_only_the_limit_leaves_untold_are_counted() -> None:
    about = replace(OPEN, interval=(1.004, 1.016), evidence={"material": 0.01}, smallest_detectable=0.02)
    said = telling([LATENCY, OPEN, about, about])
    assert said.startswith(
        "Of 4 comparisons 1 is told and 3 cannot be told (2 of them are about as large as what is material); "
    )
    one = telling([about, OPEN])
    assert "2 cannot be told (1 of them is about as large as what is material)" in one


@given(st.permutations([LATENCY, OPEN, COST, replace(COST, verdict="regressed"), replace(OPEN, kind="aa")]))
def test_their_order_says_nothing(verdicts: list[Verdict]) -> None:
    assert telling(verdicts).startswith("Of 4 comparisons 3 are told and 1 cannot be told; ")
    assert telling(verdicts) == telling(verdicts[::-1])
