"""What published runs answer stands beside a run without their runtimes."""

from __future__ import annotations

from harness.analysis.answers.published import published, published_answers, published_gains
from harness.analysis.answers.remedies import CLEAR
from harness.report.render import render
from tests.report.composed import analysed, cell, run
from tests.report.parsed import Parsed


def test_a_run_without_tensorrt_shows_what_published_ones_answer() -> None:
    bare = analysed(run(cell("1.0", [1.0, 1.1], runtime="openvino")))
    assert {found.bundle for found in bare.published} == {found.bundle for found in published()}
    text = Parsed(render(bare)).text
    assert "Is it gemm_as_conv1x1?" in text
    assert "not measured here" in text
    assert analysed(run(cell("8.6", [1.0, 1.1]))).published == ()


def test_answers_that_name_a_version_stand_first_and_those_of_one_version_alone_nowhere() -> None:
    shown = [short for found in published_answers({"openvino"}) for short in found.short]
    assert [short.version is None for short in shown] == sorted(short.version is None for short in shown)
    assert [short.runtime for short in shown].count("tensorrt") == 1
    assert all(short.version is not None or len(short.lines) > 1 for short in shown)
    assert published_answers({short.runtime for found in published() for short in found.short}) == ()


def test_published_gains_are_shown_by_builds_and_are_not_a_run_s_own() -> None:
    gains = published_gains()
    assert gains
    assert all(gain.told or (gain.builds == 1 and gain.factor < CLEAR) for gain in gains)
    assert published_gains(frozenset(found.bundle for found in published())) == ()
