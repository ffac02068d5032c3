"""What is open of a cell: its latency, what carries it between the same versions, and nothing else."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from harness.analysis.nights import KIND
from harness.analysis.verdict import LATENCY, Verdict
from harness.history.open_changes import OpenChange, with_open

DAY = "2026-02-04"
SLOWER = Verdict(
    LATENCY, "mobilenet_v2", "fp32-b1-clip", "openvino", "2.0", "host-a", "regressed", "+12 %", "cell-2.0",
    against="1.0", against_cell="cell-1.0",
)  # fmt: skip
KNOWN = {("version", "cell-2.0", "host-a", LATENCY, "cell-1.0"): OpenChange(DAY, "regressed", "+12 %")}


def since(*verdicts: Verdict) -> list[str | None]:
    return [verdict.since for verdict in with_open(verdicts, KNOWN)]


def test_a_bottleneck_of_the_same_pair_carries_what_is_open() -> None:
    assert since(SLOWER, replace(SLOWER, bottleneck="relu6")) == [DAY, DAY]


@pytest.mark.parametrize(
    "other",
    [
        {"kind": KIND, "against": "the last 14 nights", "against_cell": None},
        {"against": "0.9", "against_cell": "cell-0.9"},
        {"cell": "cell-3.0", "version": "3.0"},
        {"host": "host-b"},
        {"kind": "treatment"},
    ],
)
def test_what_changed_elsewhere_is_news(other: dict[str, str | None]) -> None:
    assert since(SLOWER, replace(SLOWER, bottleneck="relu6", **other)) == [DAY, None]


def test_a_latency_that_is_no_longer_open_carries_nothing() -> None:
    told = replace(SLOWER, verdict="unchanged")
    assert since(told, replace(SLOWER, bottleneck="relu6")) == [None, None]
