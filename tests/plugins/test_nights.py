"""A change over nights: it alarms once, is open until it is accepted or gone, and its level is known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import pytest

from harness.analysis.accepted import Accepted
from harness.analysis.grid import grid_of
from harness.analysis.judge import judge
from harness.analysis.policy import Policy
from harness.analysis.verdict import Verdict
from harness.history.folder import open_history
from harness.history.open_changes import left_open
from harness.history.records import Subject
from harness.messages.message import has_news, message_of
from harness.plugins import registry
from harness.plugins.nights import keep_night, tonight
from harness.plugins.reading import observe
from harness.store.bundle import Bundle
from tests.history.composed import night_bundle

pytest.importorskip("duckdb", reason="a history is read with DuckDB, the extra 'history'")

POLICY = Policy(frozenset({"regressed", "invalid"}))
CHANGED, GONE = 5, 8
"""Nights from which on the version takes an eighth longer, and no longer does."""


class Nights:
    """Nights of one version, each judged as a run with the history is, and kept."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.history = folder, folder / "history"
        self.draw = np.random.default_rng(5)
        self.number = 0

    def next(self, policy: Policy = POLICY, **wrong: bool) -> tuple[Path, list[Verdict]]:
        """Measure one more night, and return its bundle and the verdicts on it.

        :param wrong: a second version, and whether its outputs are wrong
        """
        level = 4.5 if CHANGED <= self.number < GONE else 4.0
        value = level * float(np.exp(self.draw.normal(0.0, 0.003)))
        root = night_bundle(
            self.folder,
            self.number,
            {"2024.6.0": value, **dict.fromkeys(wrong, value)},
            wrong=[x for x in wrong if wrong[x]],
        )
        self.number += 1
        grid = grid_of(observe([root]))
        between = judge(grid, rules=registry.bottlenecks(), accepted=policy.accepted)
        verdicts = tonight(self.history, grid, between, policy.accepted)
        keep_night(self.history, Bundle.open(root), grid, verdicts, policy)
        return root, verdicts


def said(verdicts: Sequence[Verdict]) -> list[tuple[str, str | None]]:
    return [(v.verdict, v.since) for v in verdicts if v.bottleneck == "latency" and v.kind == "night"]


def test_a_change_alarms_once_is_open_and_gone(tmp_path: Path) -> None:
    nights = Nights(tmp_path)
    for _ in range(CHANGED):
        root, verdicts = nights.next()
        assert POLICY.failing(verdicts) == []
    root, verdicts = nights.next()
    (alarm,) = POLICY.failing(verdicts)
    assert said(verdicts) == [("regressed", None)]
    message = message_of(observe([root]), verdicts, POLICY)
    assert has_news(message)
    assert "latency of mobilenet_v2" in message.title

    root, verdicts = nights.next()
    (still,) = POLICY.failing(verdicts)
    assert (still.verdict, still.since) == ("regressed", "2026-02-04")
    assert alarm.reason in still.reason
    message = message_of(observe([root]), verdicts, POLICY)
    assert not has_news(message)
    assert "open: latency of mobilenet_v2-fp32-b1-clip on openvino 2024.6.0 since 2026-02-04" in message.text
    assert replace(POLICY, open="pass").failing(verdicts) == []
    assert POLICY.suspects(verdicts) == []

    (left,) = left_open(open_history(nights.history), [], ())
    assert (left.day, left.measure, left.verdict) == ("2026-02-04", "latency", "regressed")

    known = replace(POLICY, accepted=(Accepted("regressed", "we want it", date(2999, 1, 1)),))
    _, verdicts = nights.next(known)
    assert known.failing(verdicts) == []
    assert [v.accepted for v in verdicts if v.since] == [{"reason": "we want it", "expires": "2999-01-01"}]

    subject = Subject("mobilenet_v2", "fp32-b1-clip", "openvino", "2024.6.0", "venv", "host-a")
    assert left_open(open_history(nights.history), [subject], known.accepted) == []

    _, verdicts = nights.next()
    assert said(verdicts) == [("reduced", None)]
    assert left_open(open_history(nights.history), [], ()) == []
    _, verdicts = nights.next()
    assert said(verdicts) != [("regressed", "2026-02-04")]
    assert POLICY.failing(verdicts) == []


def test_wrong_outputs_are_open_until_they_are_right_again(tmp_path: Path) -> None:
    nights = Nights(tmp_path)
    for _ in range(3):
        nights.next(other=False)
    _, verdicts = nights.next(other=True)
    failing = POLICY.failing(verdicts)
    assert {(v.version, v.verdict, v.since) for v in failing} == {("other", "invalid", None)}
    assert {v.kind for v in failing} == {"version", "night"}
    _, verdicts = nights.next(other=True)
    assert {(v.verdict, v.since) for v in POLICY.failing(verdicts)} == {("invalid", "2026-02-02")}
    assert {one.verdict for one in left_open(open_history(nights.history), [], ())} == {"invalid"}

    nights.number = GONE
    for before in (3, 4):
        _, verdicts = nights.next(other=False)
        assert POLICY.failing(verdicts) == []
        (latency,) = (
            v for v in verdicts if (v.version, v.bottleneck, v.kind) == ("other", "latency", "night")
        )
        assert f"tonight against {before} nights" in latency.reason, "no level begins at a fault or its end"
        assert left_open(open_history(nights.history), [], ()) == []
