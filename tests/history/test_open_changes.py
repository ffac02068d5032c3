"""What is open of a cell: its latency, what carries it between the same versions, and nothing else."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from harness.analysis.nights import KIND
from harness.analysis.table import Change
from harness.analysis.verdict import LATENCY, Verdict
from harness.history.open_changes import OpenChange, changed_series, with_open

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


NIGHTLY = replace(
    SLOWER,
    kind=KIND,
    change=Change.REGRESSED,
    against="the last 14 nights",
    against_cell="cell-2.0",
    evidence={"nights": ["n1", "n2"]},
)


def opened(run: str, verdict: str = "regressed") -> dict[tuple[str, str, str, str, str], OpenChange]:
    return {key: OpenChange(DAY, verdict, "+12 %", run=run) for key in KNOWN}


def test_a_change_that_a_night_told_between_versions_is_not_told_again_between_nights() -> None:
    """The nights compared with hold the one that told it, which was not sure enough between nights."""
    between, nightly = with_open([SLOWER, NIGHTLY], opened("n2"))
    assert (between.since, nightly.since) == (DAY, DAY)
    # and the index notes that the level is another from tonight on
    (noted,) = changed_series([between, nightly], {}, opened("n2"), lambda verdict: verdict.since is None)
    assert (noted.kind, noted.gone) == (KIND, False)


@pytest.mark.parametrize(
    ("between", "nightly", "run"),
    [
        (SLOWER, NIGHTLY, "n0"),  # the level is already that since the change: it changed once more
        (replace(SLOWER, verdict="unchanged"), NIGHTLY, "n2"),
        (SLOWER, replace(NIGHTLY, verdict="reduced"), "n2"),
        (SLOWER, replace(NIGHTLY, bottleneck="relu6"), "n2"),
        (SLOWER, replace(NIGHTLY, evidence={}), "n2"),
    ],
)
def test_any_other_change_between_nights_is_news(between: Verdict, nightly: Verdict, run: str) -> None:
    assert with_open([between, nightly], opened(run))[1].since is None
