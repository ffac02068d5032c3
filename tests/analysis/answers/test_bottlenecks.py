"""What is said of each bottleneck: what it costs now, what became of it, how often it is there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from msgspec.structs import replace

from harness.analysis.answers.bottlenecks import Finding, findings
from harness.analysis.answers.kernels import FAMILY, KernelAnswer
from harness.analysis.table import Change, State
from harness.analysis.verdict import Verdict

TITLES = {"pointwise": "1x1 convolutions", "reformat": "reformats", "relu6": "ReLU6 on its own"}


def verdict(version: str, side: Mapping[str, Sequence[object]], **more: Any) -> Verdict:
    """Return a verdict whose new builds' evidence is *side*."""
    said: dict[str, Any] = {
        "bottleneck": "relu6",
        "network": "mobilenet_v2",
        "treatment": "fp32-b1-clip",
        "runtime": "tensorrt",
        "host": "host-a",
        "verdict": "present",
        "reason": "",
        "cell": "c",
    }
    return Verdict(**{**said, "version": version, "evidence": {"new": side}, **more})


def found(*verdicts: Verdict, kernels: KernelAnswer | None = None) -> Finding:
    (one,) = findings(verdicts, TITLES, kernels or KernelAnswer())
    return one


def costs(*shares: float, **more: Sequence[object]) -> dict[str, Sequence[object]]:
    return {"ms": list(shares), "shares": list(shares), **more}


NOTHING = {"ms": [0.0, 0.0], "shares": [0.0, 0.0], "own_layers": [0, 0]}
SAME = {"against": "1", "verdict": "unchanged", "change": Change.UNCHANGED, "state": State.ABSENT}


def test_what_no_build_spends_any_time_on_is_no_bottleneck_and_no_change() -> None:
    one = found(verdict("1", NOTHING, state=State.ABSENT), verdict("2", NOTHING, **SAME))
    assert one.text == "it runs inside the convolutions"
    assert (one.nothing, one.quiet, one.word, one.title) == (True, True, "unchanged", "ReLU6 on its own")
    some = found(verdict("1", costs(0.1)), verdict("2", NOTHING, **SAME))
    assert not some.nothing
    assert some.quiet


@pytest.mark.parametrize(
    ("counts", "said"),
    [
        ({"1": [3, 3], "2": [3]}, "layers of its own: 3"),
        ({"1": [3, 3], "2": [1, 2]}, "layers of its own: 3 in 1, 1 to 2 in 2"),
        ({"1": [0], "2": [2]}, "layers of its own: 0 in 1, 2 in 2"),
        ({"1": [0], "2": [0]}, "it runs inside the convolutions"),
        ({"1": [], "2": [4]}, "layers of its own: 4"),
    ],
)
def test_how_often_it_is_there_is_counted_by_version_where_that_differs(
    counts: Mapping[str, list[int]], said: str
) -> None:
    one = found(*(verdict(version, costs(0.1, own_layers=own)) for version, own in counts.items()))
    assert one.text.split("; ")[0] == said


@pytest.mark.parametrize(
    ("side", "state", "said"),
    [
        (costs(0.2, 0.22), State.PRESENT, "21.0 % of the layer time in 2: a bottleneck"),
        (costs(0.02, 0.02), State.ABSENT, "2.0 % of the layer time in 2: no bottleneck"),
        (
            costs(0.04, 0.06),
            None,
            "5.0 % of the layer time in 2, and whether that is over 5 % cannot be told",
        ),
        (costs(0.2), None, "20.0 % of the layer time in 2"),
        (costs(0.1, time_share=[0.3]), None, "30.0 % of the layer time in 2"),
        (
            costs(0.1, time_share=[0.3], bound_ms=[0.2]),
            None,
            "30.0 % of the layer time in 2, 10.0 % beyond the least the device could take",
        ),
        (
            {"ms": [0.2], "shares": [None]},
            None,
            "a part of the network's layers is known: no share of the whole",
        ),
    ],
)
def test_what_it_costs_is_said_of_the_newest_version(
    side: Mapping[str, Sequence[object]], state: State | None, said: str
) -> None:
    one = found(
        verdict("1", costs(0.9), bottleneck="pointwise"),
        verdict("2", side, bottleneck="pointwise", state=state),
    )
    assert one.text == said
    assert (one.state, one.quiet) == (state, False)


def test_changes_are_said_from_version_to_version() -> None:
    first = verdict("1", costs(0.2, 0.2), bottleneck="reformat")
    moved = {"against": "1", "difference": -0.1, "difference_interval": (-0.11, -0.09)}
    less = verdict(
        "2", costs(0.1, 0.1), bottleneck="reformat", verdict="reduced", change=Change.REDUCED, **moved
    )
    said = found(first, less).text
    assert said.endswith("; reduced from 1 to 2, −10.0 % (−11.0 to −9.0) of the layer time")
    same = verdict("2", costs(0.2, 0.2), bottleneck="reformat", **{**SAME, "state": State.PRESENT})
    assert found(first, same).text.endswith("; unchanged since 1")
    unclear = verdict("2", costs(0.2, 0.2), bottleneck="reformat", verdict="indeterminate", against="1")
    assert found(first, unclear).text.endswith("; whether it changed from 1 to 2 cannot be told")
    open_one = verdict("3", costs(0.2, 0.2), bottleneck="reformat", verdict="indeterminate", against="2")
    assert found(first, same, open_one).text.endswith("; whether it changed from 2 to 3 cannot be told")


def test_the_kernels_of_1x1_convolutions_are_said_with_them() -> None:
    kernels = KernelAnswer(gemm="on GEMM kernels since 2", family=f"{FAMILY}: never offered")
    said = found(verdict("2", costs(0.2), bottleneck="pointwise"), kernels=kernels).text
    assert said == f"on GEMM kernels since 2; 20.0 % of the layer time in 2; {FAMILY}: never offered"
    assert "GEMM" not in found(verdict("2", costs(0.2)), kernels=kernels).text


def test_findings_stand_in_the_order_of_the_rules_without_what_no_build_can_tell() -> None:
    every = [
        verdict("1", costs(0.1)),
        verdict("1", costs(0.1), bottleneck="latency"),
        verdict("1", costs(0.1), bottleneck="pointwise"),
        verdict("1", {"ms": []}, bottleneck="reformat"),
    ]
    assert [one.bottleneck for one in findings(every, TITLES, KernelAnswer())] == ["pointwise", "relu6"]


@pytest.mark.parametrize(
    ("name", "key", "some", "none"),
    [
        ("reformat", "interior", "reformats between layers: 2", "none runs between layers"),
        ("relu6", "own_layers", "layers of its own: 2", "it runs inside the convolutions"),
        ("formats", "boundary_reformats", "reformats there: 2", "nothing is reformatted there"),
    ],
)
def test_each_rule_that_counts_says_what_it_counts(name: str, key: str, some: str, none: str) -> None:
    for count, said in ((2, some), (0, none)):
        one = verdict("2", costs(0.1, **{key: [count]}), bottleneck=name, state=State.PRESENT)
        (told,) = findings([one], {name: "title"}, KernelAnswer())
        assert told.text == f"{said}; 10.0 % of the layer time in 2: a bottleneck"
        assert not told.nothing
    (other,) = findings([replace(one, bottleneck="own")], {"own": "title"}, KernelAnswer())
    assert other.text == "10.0 % of the layer time in 2: a bottleneck"


@pytest.mark.parametrize(
    ("word", "state", "quiet"),
    [
        ("unchanged", State.ABSENT, True),
        ("indeterminate", State.ABSENT, True),
        ("absent", State.ABSENT, True),
        ("removed", State.ABSENT, False),
        ("regressed", State.ABSENT, False),
        ("unchanged", State.PRESENT, False),
        ("indeterminate", None, False),
    ],
)
def test_what_is_absent_and_did_not_change_is_quiet(word: str, state: State | None, quiet: bool) -> None:
    assert Finding("relu6", "title", "", word, state).quiet is quiet
    assert Finding("relu6", "title", "", word, state, nothing=True).quiet
