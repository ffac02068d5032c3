"""The short answer on ``gemm_as_conv1x1``: chosen or not, and how far it came where it was not."""

from __future__ import annotations

from dataclasses import replace

import pytest

from harness.analysis.answers.kernels import FAMILY, KernelAnswer
from harness.analysis.answers.short import short_answers
from harness.analysis.run_analysis import RunAnalysis
from tests.report.composed import analysed, cell, run


@pytest.fixture(scope="module")
def two() -> RunAnalysis:
    """Two networks in one version."""
    return analysed(run(cell("8.6", [1.0, 1.1]), cell("8.6", [1.0, 1.1], network="other")))


def said(two: RunAnalysis, *kernels: KernelAnswer) -> str | None:
    """Return what is said where the networks' kernels are these."""
    answers = [
        replace(answer, runtimes=tuple(replace(one, kernels=own) for one in answer.runtimes))
        for answer, own in zip(two.answers, kernels, strict=False)
    ]
    (short,) = short_answers(answers, {}, (), two.grid.hosts)
    return dict(short.lines).get("Is it gemm_as_conv1x1?")


@pytest.mark.parametrize(
    ("offered", "timed", "end"),
    [
        (True, True, "offered and timed, chosen in no engine."),
        (True, False, "offered, not timed, chosen in no engine."),
        (False, False, "chosen in no engine; never offered."),
        (None, None, "chosen in no engine; no builder log says whether offered."),
    ],
)
def test_a_kernel_that_no_engine_has_came_as_far_as_the_logs_say(
    two: RunAnalysis, offered: bool | None, timed: bool | None, end: str
) -> None:
    assert said(two, KernelAnswer(chosen=0, offered=offered, timed=timed, of=10)) == f"No: {end}"


def test_nothing_is_said_of_runtimes_without_tactics(two: RunAnalysis) -> None:
    assert said(two, KernelAnswer(), KernelAnswer()) is None


@pytest.mark.parametrize(
    ("chosen", "begin"),
    [(1, "No, but for one layer"), (4, "No, but for 4 layers"), (5, "Yes"), (10, "Yes")],
)
def test_half_of_the_convolutions_are_a_yes(two: RunAnalysis, chosen: int, begin: str) -> None:
    """By the network that has most of them; the others are counted."""
    here = KernelAnswer(chosen=chosen, of=10, family=f"{FAMILY}: chosen for some")
    found = said(two, here, KernelAnswer(chosen=0, of=10))
    name = two.answers[0].name
    rest = "in no engine of the other 1, where it is offered and timed"
    assert found == f"{begin}: {name}, chosen for some; {rest}."
    more = KernelAnswer(chosen=9, of=900, family=f"{FAMILY}: chosen for few")
    assert said(two, more, here) == (
        f"{begin}: {two.answers[0].name}, chosen for few; {two.answers[1].name}, chosen for some."
    )
