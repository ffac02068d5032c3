"""The short answers in full: every case is named or counted, and nothing is said that no case tells."""

from __future__ import annotations

from dataclasses import replace

import pytest

from harness.analysis.answers.kernels import FAMILY, KernelAnswer
from harness.analysis.table import Change
from tests.analysis.answers.rows import best, gain, lines, remedy, row, short, verdict

WHICH, WHY, WORSE, OPEN, HELPS = (
    "Which version?",
    "Why?",
    "What is worse than before?",
    "What cannot be told?",
    "What can be done?",
)


def test_the_version_is_held_against_each_other_one_case_by_case() -> None:
    every = ("1", "2", "3")
    said = lines(
        row("a", best("3", {"1": 0.8, "2": 0.9}), versions=every),
        row("b", best("3", {"1": 0.5}, unclear=("2",)), versions=every),
        row("c", best("2", {"1": 0.4, "3": 0.7}), versions=every),
    )[WHICH]
    assert said == (
        "3. It is faster than 1 in 2 of 3 networks and treatments: b −50.0 %; a −20.0 %. "
        "It is faster than 2 in 1 of 3 networks and treatments: a −10.0 %. "
        "It is slower than the fastest in 1: c. In 1 it cannot be told from 2."
    ), "the largest gain first"
    assert lines(row("a", best("2", {"1": 0.8})))[WHICH] == "2. It is faster than 1, −20.0 %."


def test_three_networks_are_named_and_the_others_counted() -> None:
    rows = [row(name, best("2", {"1": 0.5})) for name in "abcde"]
    lost = [row(name, best("1", {"2": 0.5})) for name in "vwxyz"]
    assert lines(*rows)[WHICH].endswith(": a −50.0 %; b −50.0 %; c −50.0 %; and 2 more.")
    assert lines(*rows[:3])[WHICH].endswith("; c −50.0 %.")
    assert lines(*rows, *lost[1:])[WHICH].endswith(
        " It is slower than the fastest in 4: w; x; y; and 1 more."
    )


def test_what_is_as_fast_is_told_from_what_cannot_be_told() -> None:
    every = ("1", "2", "3")
    alike = row("a", best("3", {"1": 0.5}, alike=("2",)), versions=every)
    unclear = row("b", best("2", {"1": 0.5}, unclear=("3",)), versions=every)
    assert lines(alike)[WHICH].endswith(" It is as fast as 2.")
    assert lines(alike, alike)[WHICH].endswith(" In 2 it is as fast as 2.")
    assert lines(alike, unclear)[WHICH].endswith(" In 2 it cannot be told from 2.")


def test_the_newest_of_those_that_are_best_as_often_is_to_be_used() -> None:
    assert short(row("a", best("2", {"1": 0.5})), row("b", best("1", {"2": 0.5}))).version == "2"
    assert short(row("a", best("1", {"2": 0.5}))).version == "1"
    assert short(row("a", best("2", alike=("1",)))).version is None
    every = ("1", "2", "3")
    found = short(
        row("a", best("1", {"3": 0.5}, alike=("2",)), versions=every),
        row("b", best("2", {"3": 0.5}, alike=("1",)), versions=every),
        row("c", best("1", {"2": 0.9}), versions=("1", "2")),
    )
    assert found.version == "1", "never slower than the best; 3 was not measured in the last case"


def test_devices_are_named_once() -> None:
    rows = [
        row(name, device=device) for name, device in (("a", "H100"), ("b", ""), ("c", "A10"), ("d", "H100"))
    ]
    assert short(*rows).device == "H100, A10"


SINCE = KernelAnswer("on GEMM kernels since 2", "9 of 10 in 3 builds", "1 of 10", since="2", of=10)
AFTER = KernelAnswer("on GEMM kernels since 2", "7 of 9 in 5 builds", "3 of 9", since="2", of=9)


def test_why_is_since_when_kernels_changed_with_an_example_and_what_got_cheaper() -> None:
    won = best("2", {"1": 0.5})
    costs = {
        size: [
            verdict(Change.REDUCED, -size, bottleneck="pointwise"),
            verdict(Change.REGRESSED, 0.9, bottleneck="depthwise"),
        ]
        for size in (0.125, 0.25)
    }
    gone = verdict(Change.REMOVED, -0.0625, bottleneck="relu6")
    rows = [
        row("a", won, kernels=SINCE, costs=[*costs[0.25], gone]),
        row("b", won, builds=5, kernels=AFTER, costs=costs[0.125]),
        row("c", won),
    ]
    assert lines(*rows)[WHY] == (
        "1x1 convolutions run on GEMM kernels since 2 in 2 of 3 networks and treatments: "
        "7 of 9 in 5 builds of b, 3 of 9 before; "
        "1x1 convolutions take less time in 2, by 12.5 to 25.0 % of the layer time; "
        "ReLU6 on its own take less time in 1, by 6.2 % of the layer time."
    )
    assert lines(rows[0])[WHY] == (
        "1x1 convolutions run on GEMM kernels since 2: 9 of 10 in 3 builds, 1 of 10 before; "
        "1x1 convolutions take less time, by 25.0 % of the layer time; "
        "ReLU6 on its own take less time, by 6.2 % of the layer time."
    )


def test_kernels_explain_a_version_only_where_they_changed_with_it_or_before() -> None:
    assert WHY in lines(row("a", best("2", {"1": 0.5}), kernels=SINCE))
    older = lines(row("a", best("1", {"2": 0.5}), kernels=SINCE))
    assert WHY not in older
    assert "What changed?" in older
    assert WHY not in lines(row("a", best("2", alike=("1",)), kernels=SINCE)), "none stands out"


def test_kernels_that_never_changed_are_said_where_all_networks_agree() -> None:
    gemm, direct = KernelAnswer("on GEMM kernels in 2"), KernelAnswer("on direct kernels in 2")
    asked = "What changed?"
    assert (
        lines(row("a", kernels=gemm), row("b", kernels=gemm))[asked]
        == "1x1 convolutions run on GEMM kernels in 2."
    )
    assert lines(row("a", kernels=gemm), row("b"))[asked] == "1x1 convolutions run on GEMM kernels in 2."
    assert asked not in lines(row("a", kernels=gemm), row("b", kernels=direct))
    assert asked not in lines(row("a"))


def test_what_is_worse_is_named_by_network_and_version() -> None:
    slow = verdict(Change.REGRESSED, 1.25)
    dear = verdict(Change.REGRESSED, 0.125, bottleneck="depthwise")
    wrong = verdict(None, word="invalid", version="3")
    other = verdict(Change.REGRESSED, 0.5, bottleneck="own_rule")
    assert lines(row("a", latency=[slow], costs=[dear]))[WORSE] == (
        "Latency in 2, +25.0 %; depthwise convolutions in 2, +12.5 % of the layer time."
    )
    assert lines(row("a", latency=[slow]), row("b", latency=[wrong], costs=[other]))[WORSE] == (
        "a: latency in 2, +25.0 %; b: own_rule in 2, +50.0 % of the layer time; b: outputs of 3 are wrong."
    )
    assert lines(row("a"))[WORSE] == "Nothing that these builds show."


def test_what_cannot_be_told_is_counted_with_what_would_settle_it() -> None:
    unclear = verdict(None, 1.0, settles="about 2 more builds a side")
    told = verdict(Change.UNCHANGED, 1.0)
    costs = [
        verdict(None, 0.1, bottleneck="pointwise"),
        verdict(Change.REDUCED, -0.1, bottleneck="depthwise"),
        verdict(None, None, bottleneck="relu6", builds=(0, 3)),
        verdict(None, None, bottleneck="relu6", word="unsupported"),
    ]
    assert lines(row("a", latency=[unclear, told], costs=costs))[OPEN] == (
        "1 of 2 changes of latency (would take about 2 more builds a side); "
        "1 of 3 changes of a bottleneck's cost."
    )
    several = row("b", latency=[verdict(None, 1.0, version="3", against="2")], versions=("1", "2", "3"))
    assert lines(row("a", latency=[unclear]), several)[OPEN] == (
        "2 of 2 changes of latency (a, 1 to 2, would take about 2 more builds a side; b, 2 to 3)."
    )
    assert lines(row("a", latency=[told]))[OPEN] == "Nothing: every comparison is told."


def test_of_one_version_nothing_is_worse_and_nothing_open() -> None:
    said = lines(row("a", versions=("1",)))
    assert said[WHICH] == "1 is the only one measured."
    assert WORSE not in said
    assert OPEN not in said


def test_a_remedy_is_told_by_the_gain_that_most_builds_show_and_the_largest_of_these() -> None:
    rows = [
        row("a", remedies=[remedy("clip", (0.5, 2))]),
        row("b", remedies=[remedy("clip", (0.75, 4))]),
        row("c", remedies=[remedy("clip", (0.8, 4))]),
    ]
    assert lines(*rows)[HELPS] == "The clip: −25.0 % (−25.0 to −25.0) in b, and in 2 more."
    assert lines(rows[0])[HELPS] == "The clip: −50.0 % (−50.0 to −50.0)."


def test_what_was_set_is_named_where_the_remedy_does_not_say_it() -> None:
    fp16 = remedy("precision", (0.5, 2), value="fp16")
    assert lines(row("a", remedies=[fp16]))[HELPS].startswith("The precision: fp16 −50.0 %")
    same = remedy("clip", (0.5, 2), value="CLIP")
    assert lines(row("a", remedies=[same]))[HELPS].startswith("The clip: −50.0 %")


def test_remedies_without_a_gain_are_named_as_what_they_are() -> None:
    rows = [
        row(
            "a",
            remedies=[
                remedy("clip", (0.5, 2)),
                remedy("graph", (0.5, 1)),
                remedy("batch"),
                remedy("cache", (0.9, 1)),
                remedy("format"),
                remedy("place", published=[gain(0.5, 3, name="place")]),
            ],
        )
    ]
    assert lines(*rows)[HELPS] == (
        "The clip: −50.0 % (−50.0 to −50.0); "
        "the place: published, latency −50.0 % (−50.0 to −50.0) (elsewhere, tensorrt 2 on GPU); "
        "measured, without a gain that the builds show: the graph, the cache; "
        "not measured here: the batch, the format."
    )
    assert HELPS not in lines(row("a"))
    measured = row("b", remedies=[remedy("place", (0.9, 1), published=[gain(0.5, 3, name="place")])])
    assert "published" not in lines(measured)[HELPS], "what was measured here comes first"


@pytest.mark.parametrize(
    ("chosen", "of", "word"),
    [(5, 10, "Yes"), (4, 10, "No, but for 4 layers"), (1, 3, "No, but for one layer")],
)
def test_layers_on_gemm_as_conv1x1_are_counted(chosen: int, of: int, word: str) -> None:
    kernels = KernelAnswer(chosen=chosen, of=of, family=f"{FAMILY}: chosen for some")
    assert lines(row("a", kernels=kernels))["Is it gemm_as_conv1x1?"] == f"{word}: a, chosen for some."


def test_what_one_log_says_holds_for_the_runtime() -> None:
    silent, offered = KernelAnswer(chosen=0, of=10), KernelAnswer(chosen=0, of=10, offered=True, timed=False)
    timed = KernelAnswer(chosen=0, of=10, offered=True, timed=True)
    asked = "Is it gemm_as_conv1x1?"
    assert lines(row("a", kernels=silent), row("b", kernels=offered))[asked].startswith(
        "No: offered, not timed"
    )
    assert lines(row("a", kernels=timed), row("b", kernels=offered))[asked].startswith(
        "No: offered and timed"
    )


def test_the_first_screen_asks_in_fewer_words() -> None:
    found = short(
        row("a", best("2", {"1": 0.5}), kernels=replace(SINCE, chosen=9), remedies=[remedy("clip", (0.8, 3))])
    )
    assert [question for question, _ in found.leads] == [
        "Which version?",
        "Why?",
        "gemm_as_conv1x1?",
        "What is worse?",
        "What helps?",
    ]
    assert "Is it gemm_as_conv1x1?" in dict(found.lines)
