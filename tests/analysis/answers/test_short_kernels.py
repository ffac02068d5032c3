"""The short answer on ``gemm_as_conv1x1``: chosen or not, and how far it came where it was not."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.analysis.answers.kernels import FAMILY, KernelAnswer
from harness.analysis.answers.short import short_answers
from harness.analysis.run_analysis import RunAnalysis
from tests.analysis.answers.rows import row, short
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
        (None, None, "chosen in no engine; no builder log says whether it was offered."),
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
    [(1, "No, but for one layer"), (4, "No, but for 4 layers"), (9, "No, but for 9 layers"), (10, "Yes")],
)
def test_half_of_what_the_middle_case_has_is_a_yes(two: RunAnalysis, chosen: int, begin: str) -> None:
    """The middle of two cases lies between them; those that have none are told apart."""
    here = KernelAnswer(chosen=chosen, of=10, family=f"{FAMILY}: chosen for some")
    none = KernelAnswer(chosen=0, of=10, offered=False)
    name = two.answers[0].name
    assert said(two, here, none) == (
        f"{begin}: {name}, chosen for some; of the other case: chosen in no engine; never offered."
    )
    more = KernelAnswer(chosen=9, of=900, family=f"{FAMILY}: chosen for few")
    assert said(two, more, replace(here, chosen=5)) == (
        f"No, but for 5 layers: {name}, chosen for few; {two.answers[1].name}, chosen for some."
    )


@given(
    st.lists(
        st.integers(0, 40).flatmap(lambda of: st.tuples(st.integers(0, of), st.just(of))),
        min_size=1,
        max_size=6,
    )
)
def test_the_first_screen_and_the_answer_in_full_say_the_same_word(counts: list[tuple[int, int]]) -> None:
    kernels = [KernelAnswer(chosen=chosen, of=of, family=FAMILY) for chosen, of in counts]
    rows = [row(str(at), kernels=own) for at, own in enumerate(kernels)]
    found = short(*rows)
    full = dict(found.lines)["Is it gemm_as_conv1x1?"]
    assert full[:3].rstrip(":,") == dict(found.leads)["gemm_as_conv1x1?"][:3].rstrip(":,")
    half = sum(2 * chosen >= of > 0 for chosen, of in counts)
    if 2 * half > len(counts):
        assert full.startswith("Yes: ")
    if all(2 * chosen < of or not of for chosen, of in counts):
        assert full.startswith("No")
