"""The sentences of the first screen: ranges and counts over the cases of a run."""

from __future__ import annotations

import pytest

from harness.analysis.answers.kernels import KernelAnswer
from harness.analysis.answers.leads import (
    is_gemm_as_conv1x1,
    what_can_be_done,
    what_changed,
    what_is_open,
    what_is_worse,
    which_version,
)
from harness.analysis.table import Change
from harness.analysis.verdict import Verdict
from tests.analysis.answers.rows import TITLES, best, remedy, row, verdict

SINCE = KernelAnswer("on GEMM kernels since 2", "9 of 10 in 3 builds", "1 of 10", since="2", of=10)
LATER = KernelAnswer("on GEMM kernels since 3", "8 of 10 in 3 builds", "2 of 10", since="3", of=10)


def less(share: float, bottleneck: str = "pointwise", change: Change = Change.REDUCED) -> Verdict:
    return verdict(change, -share, bottleneck=bottleneck)


def test_what_changed_is_said_of_the_version_that_it_changed_in_most_cases() -> None:
    rows = [
        row("a", kernels=LATER),
        row("b", kernels=SINCE),
        row("c", builds=5, kernels=KernelAnswer("", "7 of 9 in 5 builds", "3 of 9", since="2", of=9)),
        row("d"),
    ]
    assert what_changed(rows) == (
        "Since 2, 1x1 convolutions run on GEMM kernels in 2 of 4 cases (7 of 9, before 3 of 9)."
    ), "the example is the case with the most builds"
    assert what_changed(rows[1:2]) == (
        "Since 2, 1x1 convolutions run on GEMM kernels (9 of 10, before 1 of 10)."
    )


def test_what_it_saves_is_a_range_over_the_cases_where_1x1_convolutions_got_cheaper() -> None:
    rows = [
        row("a", kernels=SINCE, costs=[less(0.25), less(0.5, "depthwise")]),
        row("b", kernels=SINCE, costs=[less(0.125, change=Change.REMOVED)]),
        row("c", kernels=SINCE, costs=[verdict(Change.REGRESSED, 0.75, bottleneck="pointwise")]),
    ]
    assert what_changed(rows).endswith("; that saves 12.5 to 25.0 % of the layer time in 2 of 3 cases.")
    assert what_changed(rows[:1]).endswith(" (9 of 10, before 1 of 10); that saves 25.0 % of the layer time.")


@pytest.mark.parametrize(
    ("texts", "said"),
    [
        ((), ""),
        (("", ""), ""),
        (
            ("on direct kernels in 2, never", "on direct kernels in 2, never", ""),
            "1x1 convolutions run on direct kernels in 2.",
        ),
        (("on direct kernels in 2", "on GEMM kernels in 2"), ""),
    ],
)
def test_where_nothing_changed_it_is_said_what_runs_if_all_agree(texts: tuple[str, ...], said: str) -> None:
    assert what_changed([row(str(at), kernels=KernelAnswer(text)) for at, text in enumerate(texts)]) == said


def chosen(count: int | None, of: int = 10, **more: object) -> KernelAnswer:
    return KernelAnswer(chosen=count, of=of, **more)  # type: ignore[arg-type]


TIMED = {"offered": True, "timed": True}


@pytest.mark.parametrize(
    ("kernels", "said"),
    [
        ([chosen(None)], ""),
        ([chosen(0)], "No: chosen in no engine; no builder log says whether it was offered."),
        ([chosen(0, offered=False, timed=False)], "No: chosen in no engine; never offered."),
        ([chosen(0, offered=True, timed=False)], "No: offered, not timed, chosen in no engine."),
        ([chosen(0, **TIMED)], "No: offered and timed, chosen in no engine."),
        ([chosen(0, **TIMED), chosen(0)], "No: offered and timed, chosen in no engine."),
        (
            [chosen(0, **TIMED, since="2")],
            "No: offered and timed, chosen in no engine; the GEMM kernels are others.",
        ),
        (
            [chosen(0, **TIMED, every=True), chosen(None)],
            "No: offered and timed, chosen in no engine; the GEMM kernels are others.",
        ),
        ([chosen(5, **TIMED)], "Yes: chosen for at most 5 of 10 convolutions."),
        (
            [chosen(4, **TIMED, since="2")],
            "No: offered and timed, but chosen for at most 4 of 10 convolutions; "
            "the GEMM kernels are others.",
        ),
        (
            [chosen(6, **TIMED, since="2"), chosen(9, 12, **TIMED), chosen(0, **TIMED)],
            "Yes: chosen for at most 9 of 12 convolutions, in 2 of 3 cases.",
        ),
        (
            [chosen(9, **TIMED), chosen(0, **TIMED), chosen(0, **TIMED)],
            "No: offered and timed, but chosen for at most 9 of 10 convolutions, in 1 of 3 cases.",
        ),
        ([chosen(1, 3)], "No, but chosen for at most 1 of 3 convolutions."),
        ([chosen(1, 1)], "Yes: chosen for at most 1 of 1 convolution."),
        ([chosen(0, 0, **TIMED)], "No: offered and timed, chosen in no engine."),
    ],
)
def test_gemm_as_conv1x1_is_a_yes_where_half_of_the_cases_run_half_on_it(
    kernels: list[KernelAnswer], said: str
) -> None:
    assert is_gemm_as_conv1x1([row(str(at), kernels=one) for at, one in enumerate(kernels)]) == said


def test_what_got_slower_comes_before_what_got_worse_more_often() -> None:
    dear = [verdict(Change.REGRESSED, 0.1 * n, bottleneck="pointwise") for n in (1, 2)]
    rows = [row("a", costs=dear[:1]), row("b", costs=dear[1:])]
    assert (
        what_is_worse(rows, TITLES)
        == "1x1 convolutions in 2, +10.0 to 20.0 % of the layer time in 2 of 2 cases."
    )
    assert what_is_worse(rows, {}).startswith("Pointwise in 2, +")
    slow = verdict(Change.REGRESSED, 1.25)
    assert what_is_worse([row("a", latency=[slow], costs=dear[:1]), rows[1]], TITLES) == (
        "Latency in 2, +25.0 % in 1 of 2 cases; and 2 more."
    )
    assert what_is_worse([row(latency=[slow])], TITLES) == "Latency in 2, +25.0 %."
    assert (
        what_is_worse([row(latency=[verdict(Change.REDUCED, 0.8)])], TITLES)
        == "Nothing that these builds show."
    )


def test_wrong_outputs_are_said_of_each_version_once_and_first() -> None:
    wrong = [verdict(None, word="invalid", version=version) for version in ("2", "3", "2", "4")]
    slow = verdict(Change.REGRESSED, 1.25)
    rows = [row("a", latency=[slow, *wrong[:2]]), row("b", latency=wrong[2:])]
    assert what_is_worse(rows, TITLES) == "Outputs of 2, 3 and 4 are wrong."
    assert what_is_worse([row(latency=wrong[:2])], TITLES) == "Outputs of 2 and 3 are wrong."
    assert what_is_worse([row(latency=wrong[:1])], TITLES) == "Outputs of 2 are wrong."


def test_what_is_open_is_counted_of_all_comparisons_with_what_would_settle_the_first() -> None:
    unclear = [verdict(None, 1.0, settles=by) for by in (None, "about 3 more builds a side", "an hour")]
    told = verdict(Change.UNCHANGED, 1.0)
    rows = [row(name, latency=[one, told]) for name, one in zip("abc", unclear, strict=True)]
    assert what_is_open(rows) == ("3 of 6 changes of latency; b would take about 3 more builds a side."), (
        "of the first it is not known"
    )
    assert what_is_open(rows[:1]) == "1 of 2 changes of latency."
    assert what_is_open([row(latency=[told])]) == "No change of latency."
    assert what_is_open([row()]) == "", "nothing was compared"
    alone = verdict(None, 1.0, builds=(0, 3))
    assert what_is_open([row(latency=[alone])]) == "No change of latency.", (
        "there was nothing to tell it from"
    )


def test_the_largest_gain_that_several_builds_show_is_what_can_be_done() -> None:
    rows = [
        row("a", remedies=[remedy("clip", (0.9, 2)), remedy("batch", (0.5, 1))]),
        row("b", remedies=[remedy("graph", (0.75, 3), (0.8, 3)), remedy("other", (1.0, 4))]),
    ]
    assert what_can_be_done(rows) == "The graph: latency −25.0 % (−25.0 to −25.0) in b."
    assert what_can_be_done(rows[:1]) == "The clip: latency −10.0 % (−10.0 to −10.0)."
    assert what_can_be_done([row(remedies=[remedy("batch", (0.5, 1))])]) == ""
    assert what_can_be_done([row()]) == ""


def test_the_version_is_said_with_every_version_that_it_beats() -> None:
    every = ("1", "2", "3", "4")
    rows = [
        row("a", best("4", {"1": 0.5, "2": 0.75}, alike=("3",)), versions=every),
        row("a", best("4", {"1": 0.8, "3": 0.6}), versions=every, label="FP16"),
    ]
    assert (
        which_version(rows, every, "4") == "4 takes 20.0 to 50.0 % less time than 1, 2 or 3 in 2 of 2 cases."
    )
    assert which_version(rows[:1], every, "4") == "4 takes 25.0 to 50.0 % less time than 1 or 2."


def test_cases_without_a_gain_are_told_apart_by_what_is_known_of_them() -> None:
    both = ("1", "2")
    won = row("a", best("2", {"1": 0.5}))
    lost = row("b", best("1", {"2": 0.9}))
    same = row("c", best("2", alike=("1",)))
    unclear = row("d", best("1", unclear=("2",)))
    said = "2 takes 50.0 % less time than 1 in 1 of {} cases (a)"
    assert which_version([won, lost], both, "2") == f"{said.format(2)}; in 1 it is slower than the fastest."
    assert which_version([won, same, same], both, "2") == f"{said.format(3)}; in 2 no version is slower."
    assert which_version([won, unclear], both, "2") == f"{said.format(2)}; in 1 that cannot be told."
    assert which_version([won, lost, same, unclear], both, "2") == (
        f"{said.format(4)}; in 1 it is slower than the fastest; in 1 no version is slower; "
        "in 1 that cannot be told."
    )


def test_networks_are_named_where_they_are_few_and_not_all() -> None:
    lost = row("z", best("1", {"2": 0.9}))
    won = [row(name, best("2", {"1": 0.5})) for name in "abcd"]
    assert "(a, b, c)" in which_version([*won[:3], lost], ("1", "2"), "2")
    assert "(" not in which_version([*won, lost], ("1", "2"), "2")
    assert "(" not in which_version(won[:2], ("1", "2"), "2")


def test_where_none_is_picked_it_is_said_whether_they_are_alike() -> None:
    same, unclear = row("a", best("2", alike=("1",))), row("b", best("2", unclear=("1",)))
    assert which_version([same], ("1", "2"), None) == "None stands out of 1, 2: they are equally fast."
    assert (
        which_version([same, unclear], ("1", "2"), None) == "None stands out of 1, 2: the builds cannot tell."
    )
    assert which_version([row(versions=("1",))], ("1",), None) == "1 is the only one measured."
