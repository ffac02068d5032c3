"""The short answers on a runtime, and the sentences on its bottlenecks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pytest

from harness.analysis.answers.kernels import kernel_answer
from harness.analysis.figures.kernels import GroupCounts, KernelFigures, LostSearches, SearchSummary
from harness.analysis.groups import Release
from harness.analysis.run_analysis import RunAnalysis
from harness.attribution.adoption import Adoption, PointwiseKernels, Reformats
from harness.attribution.engine import KernelFamily
from harness.matrix.cell import Treatment
from tests.report.composed import analysed, cell, engine, graph, layers, run

NAMES = ("a", "b", "c", "d")
FAST, SLOW = [1.0, 1.001, 0.999], [2.0, 2.002, 1.998]


def figures(
    version: str,
    on_gemm: Sequence[int],
    *,
    as_conv1x1: int = 0,
    log: GroupCounts | None = None,
    tactics: bool = True,
) -> KernelFigures:
    """One version with 10 1x1 convolutions in each build."""

    def adoption(count: int) -> Adoption:
        families = {KernelFamily.GEMM: count - as_conv1x1, KernelFamily.GEMM_AS_CONV1X1: as_conv1x1}
        families[KernelFamily.DIRECT] = 10 - count
        return Adoption(
            PointwiseKernels(10, families, {}), Reformats(0, 0.0, 0, 0, 0, {}), None, None, 0, 0, 0.0
        )

    none = GroupCounts(0, 0, 0, 0)
    search = None if log is None else SearchSummary(0, 10, 10, 0, log, none, LostSearches(0, 0, 0.0, 0.0), ())
    found = tuple(map(adoption, on_gemm))
    families = tuple((str(name), n) for name, n in found[0].pointwise.families.items() if n)
    release = Release("tensorrt", version)
    searches = () if search is None else (search,) * len(found)
    return KernelFigures(
        release, version, found, families, 1.0, 1.0, 0.0, 0.0, None, None, (), (0, 0), searches, tactics
    )


TIMED, OFFERED, NEVER = GroupCounts(1, 1, 0, 0), GroupCounts(1, 0, 0, 0), GroupCounts(0, 0, 0, 0)


@pytest.mark.parametrize(
    ("versions", "since", "said"),
    [
        (
            {"1": [1, 1], "2": [8, 9], "3": [10]},
            "2",
            "on GEMM kernels since 2, 8 to 10 of 10 in 3 builds (1 of 10 in 1)",
        ),
        ({"1": [9], "2": [10]}, None, "on GEMM kernels in every version measured, 9 to 10 of 10 in 2 builds"),
        ({"1": [0], "2": [0]}, None, "on direct kernels in every version measured, never on GEMM kernels"),
        ({"1": [1], "2": [3]}, None, "on GEMM kernels in part: 1 of 10 in 1, 3 of 10 in 2"),
        ({"1": [9], "2": [1]}, None, "on GEMM kernels in some versions: 9 of 10 in 1, 1 of 10 in 2"),
        ({}, None, ""),
    ],
)
def test_since_when_gemm_kernels_run_the_1x1_convolutions(
    versions: Mapping[str, list[int]], since: str | None, said: str
) -> None:
    found = kernel_answer([figures(version, counts) for version, counts in versions.items()])
    assert (found.since, found.gemm) == (since, said)


@pytest.mark.parametrize(
    ("log", "chosen", "said"),
    [
        (TIMED, 0, "offered, timed, never chosen"),
        (OFFERED, 0, "offered, not timed, never chosen"),
        (NEVER, 0, "never offered"),
        (None, 0, "never chosen; no builder log says whether it was offered"),
        (TIMED, 2, "chosen for 2 of 10 in 2 of 2 builds of 1"),
    ],
)
def test_what_became_of_gemm_as_conv1x1(log: GroupCounts | None, chosen: int, said: str) -> None:
    found = kernel_answer([figures("1", [5, 5], as_conv1x1=chosen, log=log)])
    assert found.family == f"`gemm_as_conv1x1`: {said}"
    assert kernel_answer([]).of == 0
    plain = kernel_answer([figures("1", [5, 5], tactics=False)])
    assert (plain.family, plain.chosen) == ("", None), "a runtime without tactics has no such kernel"


def lines(analysis: RunAnalysis) -> dict[str, str]:
    (short,) = analysis.short
    return dict(short.lines)


def test_the_version_to_use_is_said_with_what_it_is_faster_than() -> None:
    found = analysed(run(cell("8.5", SLOW), cell("8.6", FAST)))
    assert found.short[0].version == "8.6"
    assert lines(found)["Which version?"].startswith("8.6. It is faster than 8.5, −50.0 % (")
    assert lines(found)["What is worse than before?"] == "Nothing that these builds show."
    assert lines(found)["What cannot be told?"] == "Nothing: every comparison is told."


def test_what_is_worse_and_what_is_open_stands_there_by_name() -> None:
    found = analysed(
        run(
            cell("8.5", FAST),
            cell("8.6", SLOW),
            cell("8.5", [1.0, 1.3], network="other"),
            cell("8.6", [1.0, 1.2], network="other"),
        )
    )
    said = lines(found)
    assert found.short[0].version == "8.5"
    assert said["Which version?"].startswith(
        "8.5. It is faster than 8.6 in 1 of 2 networks and treatments: mobilenet_v2 "
    )
    assert said["Which version?"].endswith("In 1 it cannot be told from 8.6.")
    assert said["What is worse than before?"].startswith("mobilenet_v2: latency in 8.6, +100.0 % (")
    assert said["What cannot be told?"].startswith("1 of 2 changes of latency (other, would take ")
    assert found.shared == ("FP32", "batch 1")


@pytest.mark.parametrize(
    ("times", "said"),
    [
        ({"8.5": FAST, "8.6": FAST}, "None stands out of 8.5, 8.6: they are equally fast."),
        (
            {"8.5": [1.0], "8.6": [1.1]},
            "None stands out of 8.5, 8.6: the builds cannot tell which is best.",
        ),
        ({"8.6": [1.0]}, "8.6 is the only one measured."),
    ],
)
def test_where_no_version_stands_out_it_is_said_why(times: Mapping[str, list[float]], said: str) -> None:
    assert lines(analysed(run(*(cell(v, ms) for v, ms in times.items()))))["Which version?"] == said


def test_no_change_is_never_said_of_what_regressed() -> None:
    network = graph(NAMES)
    found = analysed(
        run(
            cell("8.5", FAST, engine(layers(NAMES), network)),
            cell("8.6", SLOW, engine(layers(NAMES, 2.0), network)),
        )
    )
    (one,) = found.answers[0].runtimes
    assert one.worse[0].bottleneck == "latency"
    for finding in one.findings:
        assert (finding.word == "regressed") == ("regressed from 8.5 to 8.6" in finding.text)
        assert not (finding.word == "regressed" and finding.quiet)


def test_treatments_are_said_in_words() -> None:
    said = Treatment(
        precision="fp16", batch=8, relu6="relu_sub", tensor_format="hwc8", tactic_sources="core"
    ).words
    assert said == ("FP16", "batch 8", "ReLU6 in pieces", "hwc8 inputs and outputs", "core tactic sources")
    assert Treatment(batch=None).words == ("FP32", "batch unknown")
