"""What cannot be looked at, and what nothing can be held against, each in one line."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from harness.analysis.comparison import Comparison
from harness.analysis.grid import grid_of
from harness.analysis.groups import BuildGroup
from harness.analysis.refusals import baseline_problem, cannot_be_looked_at
from harness.analysis.rules.builtin import trtmatrix_bottlenecks
from harness.attribution.format_trial import FormatTrial
from harness.observations.records import BuildObservation

RULE = trtmatrix_bottlenecks()[0]


def group(compose: Any, builds: list[BuildObservation], **more: Any) -> BuildGroup:
    (found,) = grid_of(compose.run(compose.cell("2.0", builds, **more))).groups
    return found


def failed(compose: Any, reason: str) -> BuildObservation:
    return replace(compose.build(0, None), status="failed", reason=reason)


def test_a_new_side_that_cannot_be_looked_at_says_why(compose: Any) -> None:
    good = compose.build(0, 1.0)
    wrong = replace(good, outputs=compose.wrong)
    slowed = replace(good, throttled=21)
    cases = [
        (group(compose, [wrong, good]), "invalid", "outputs out of bounds in one build"),
        (
            group(compose, [wrong, wrong], reason="why"),
            "invalid",
            "outputs out of bounds in 2 builds: why",
        ),
        (
            group(compose, [slowed, slowed]),
            "indeterminate",
            "all 2 builds were throttled most of the time",
        ),
        (group(compose, [slowed]), "indeterminate", "all one build were throttled most of the time"),
        (group(compose, [], status="unsupported"), "unsupported", "the cell is unsupported here"),
        (group(compose, [], status="unavailable"), "unsupported", "the cell is unavailable here"),
        (group(compose, [], status="unsupported", reason="too old"), "unsupported", "too old"),
        (
            group(compose, [failed(compose, "it died")], status="failed"),
            "indeterminate",
            "no build to look at: it died",
        ),
        (group(compose, [], status="failed"), "indeterminate", "no build to look at: failed"),
        (
            group(compose, [compose.build(0, None)]),
            "indeterminate",
            "no build has latency samples that tell",
        ),
    ]
    for new, word, reason in cases:
        said = cannot_be_looked_at(Comparison(None, new))
        assert said is not None
        assert (said.verdict, said.reason) == (word, reason)
        assert said.evidence == ({"status": "failed"} if reason.startswith("no build to") else {})
    assert cannot_be_looked_at(Comparison(None, group(compose, [good]))) is None
    said = cannot_be_looked_at(Comparison(RULE, group(compose, [good])))
    assert said is not None
    assert said.reason == "no build has layer times that tell"


def test_an_old_side_that_nothing_can_be_held_against_says_why(compose: Any) -> None:
    good = compose.build(0, 1.0)
    new = group(compose, [good], digest="sha256:2")

    def problem(old: BuildGroup | None, kind: str = "version") -> str | None:
        return baseline_problem(Comparison(None, new, old, "1.0", kind))

    assert problem(None) is None
    assert problem(group(compose, [good])) is None
    wrong = group(compose, [replace(good, outputs=compose.wrong), good])
    assert problem(wrong) == "outputs of 1.0 are out of bounds: nothing is compared with them"
    dead = group(compose, [failed(compose, "it died")], status="failed")
    assert problem(dead) == "1.0 has no build to compare with: it died"
    assert problem(group(compose, [], status="failed")) == "1.0 has no build to compare with: failed"
    assert problem(group(compose, [compose.build(0, None)])) == "no build of 1.0 can tell"
    other = group(compose, [good], digest="sha256:1")
    assert problem(other) == "1.0 ran another network: the digests differ"
    assert problem(other, "treatment") is None
    assert problem(group(compose, [good], digest="sha256:2")) is None


@pytest.mark.parametrize("status", ["measured", "failed"])
def test_builds_that_tried_formats_alone_are_no_build_to_look_at(compose: Any, status: str) -> None:
    tried = replace(compose.build(0, 1.0), trials=(FormatTrial("CHW32", "fp32", True),))
    said = cannot_be_looked_at(Comparison(None, group(compose, [tried], status=status)))
    assert said is not None
    assert said.reason == f"no build to look at: {status}"
