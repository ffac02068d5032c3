"""Kernels of the 1x1 convolutions in words: of one version and several, and what logs say of one of many."""

from __future__ import annotations

from dataclasses import replace

import pytest

from harness.analysis.answers.kernels import KernelAnswer, kernel_answer
from harness.attribution.engine import KernelFamily
from tests.analysis.answers.test_short import NEVER, OFFERED, TIMED, figures


def test_one_version_is_named_and_several_are_counted() -> None:
    assert kernel_answer([figures("8.6", [9])]).gemm == "on GEMM kernels in 8.6, 9 of 10 in one build"
    assert kernel_answer([figures("8.6", [0])]).gemm == "on direct kernels in 8.6, never on GEMM kernels"
    assert kernel_answer([figures("8.6", [2, 3])]).gemm == "on GEMM kernels in part: 2 to 3 of 10 in 8.6"


def test_other_kernels_are_named_by_their_families() -> None:
    known = figures("8.6", [0])
    several = replace(known, families=(("implicit_gemm_like", 4), ("direct", 6)))
    said = kernel_answer([several, replace(known, families=(("direct", 10),))]).gemm
    assert said == "on implicit gemm like and direct kernels in every version measured, never on GEMM kernels"


@pytest.mark.parametrize(("on_gemm", "since"), [([5, 5], "2"), ([4, 5, 6], "2"), ([4, 4, 9], None)])
def test_a_version_runs_on_gemm_kernels_from_half_of_its_middle_build_on(
    on_gemm: list[int], since: str | None
) -> None:
    assert kernel_answer([figures("1", [0]), figures("2", on_gemm)]).since == since


def test_a_change_is_said_with_the_version_right_before_it() -> None:
    found = kernel_answer([figures("1", [0]), figures("2", [2]), figures("3", [8, 9]), figures("4", [10])])
    assert (found.since, found.now, found.before) == ("3", "8 to 10 of 10 in 3 builds", "2 of 10")
    assert (found.every, found.of) == (False, 10)
    assert kernel_answer([figures("1", [9]), figures("2", [9])]).every
    back = kernel_answer([figures("1", [0]), figures("2", [9]), figures("3", [0])])
    assert (back.since, back.every) == (None, False)


def test_versions_whose_kernels_nobody_knows_say_nothing() -> None:
    known, blind = figures("2", [9]), figures("1", [0])
    (adoption,) = blind.adoptions
    unknown = replace(adoption.pointwise, families={KernelFamily.UNKNOWN: 10})
    hidden = replace(blind, adoptions=(replace(adoption, pointwise=unknown),))
    assert kernel_answer([hidden]) == KernelAnswer()
    assert kernel_answer([hidden, known]).gemm == "on GEMM kernels in 2, 9 of 10 in one build"


def test_the_chosen_are_counted_by_version_and_in_how_many_builds() -> None:
    mixed = figures("2", [5, 5], as_conv1x1=3)
    none = figures("2", [5], as_conv1x1=0)
    both = replace(mixed, adoptions=(*mixed.adoptions, *none.adoptions))
    found = kernel_answer([figures("1", [5, 5]), both, figures("3", [5], as_conv1x1=1)])
    assert found.family == (
        "`gemm_as_conv1x1`: chosen for 3 of 10 in 2 of 3 builds of 2, 1 of 10 in 1 of 1 build of 3"
    )
    assert (found.chosen, found.offered, found.timed) == (3, None, None)


@pytest.mark.parametrize(
    ("logs", "offered", "timed"),
    [((NEVER, NEVER), False, False), ((NEVER, OFFERED), True, False), ((OFFERED, TIMED, NEVER), True, True)],
)
def test_one_log_of_many_tells_that_it_was_offered(logs: tuple, offered: bool, timed: bool) -> None:  # type: ignore[type-arg]
    found = kernel_answer([figures(str(at), [5], log=log) for at, log in enumerate(logs)])
    assert (found.offered, found.timed, found.chosen) == (offered, timed, 0)


def test_a_runtime_without_tactics_has_kernels_and_no_tactic() -> None:
    found = kernel_answer([figures("1", [9], tactics=False)])
    assert found == KernelAnswer("on GEMM kernels in 1, 9 of 10 in one build", every=True, of=10)
