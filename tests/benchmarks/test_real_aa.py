"""Pairs of the same thing: what is cut out of arms, and that an alarm among them is counted."""

from __future__ import annotations

import pytest

from benchmarks import real_aa
from tests.report.composed import cell, engine, graph, layers, run

NAMES = ("a", "b", "c", "d")


def test_the_builds_of_one_arm_make_pairs(capsys: pytest.CaptureFixture[str]) -> None:
    drawn = engine(layers(NAMES), graph(NAMES))
    observed = run(cell("8.6.0", [1.00, 1.01, 1.02, 1.01, 1.00], drawn))
    assert real_aa.report(observed, 2, [], within=True) == 0
    said = capsys.readouterr().out
    assert "| tensorrt | latency | 1 | 0 |" in said
    assert "0 alarms in" in said


def test_two_halves_that_differ_are_an_alarm(capsys: pytest.CaptureFixture[str]) -> None:
    drawn = engine(layers(NAMES), graph(NAMES))
    observed = run(cell("8.6.0", [1.0, 1.001, 1.002, 3.0, 3.001, 3.002], drawn))
    assert real_aa.report(observed, 3, [], within=True) == 1
    assert "alarm: latency of mobilenet_v2" in capsys.readouterr().out


def test_pairs_of_rounds_drawn_at_random(capsys: pytest.CaptureFixture[str]) -> None:
    levels = [1.00, 1.01, 1.02, 1.01, 1.00]
    arms = cell("8.6.0", levels), cell("8.6.0", levels[::-1], repeat="aa")
    assert real_aa.report(run(*arms), 3, [], draws=20) == 0
    assert "| tensorrt | latency | 20 | 0 |" in capsys.readouterr().out
    assert real_aa.report(run(*arms), 6, [], draws=20) == 2, "five rounds hold no pair of six"


def test_without_pairs_it_says_what_is_missing(capsys: pytest.CaptureFixture[str]) -> None:
    assert real_aa.report(run(cell("8.6.0", [1.0, 1.0])), 2, [], within=True) == 2
    assert "no A/A pairs" in capsys.readouterr().err
