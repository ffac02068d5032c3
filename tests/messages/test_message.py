"""The message of a run: what is news, what is open, what is accepted (composed times)."""

from __future__ import annotations

from datetime import date

import pytest
from msgspec.structs import replace

from harness.analysis.accepted import Accepted, with_accepted
from harness.analysis.grid import grid_of
from harness.analysis.judge import judge
from harness.analysis.policy import Policy
from harness.analysis.verdict import Verdict
from harness.messages.message import has_news, message_of
from harness.observations.records import RunObservation
from harness.plugins import registry
from harness.plugins.reading import observe
from tests.cli.composed_runs import bundle

POLICY = Policy(frozenset({"regressed", "invalid"}))


@pytest.fixture(scope="module")
def judged(tmp_path_factory: pytest.TempPathFactory) -> tuple[RunObservation, list[Verdict]]:
    root = bundle(
        tmp_path_factory.mktemp("night") / "run", {"2024.0.0": 3.0, "2024.6.0": 3.6, "2025.0.0": 4.5}
    )
    run = observe([root])
    return run, judge(grid_of(run), rules=registry.bottlenecks())


def test_alarms_are_named_with_what_changed(judged: tuple[RunObservation, list[Verdict]]) -> None:
    message = message_of(*judged, POLICY)
    assert has_news(message)
    assert [alarm.version for alarm in message.alarms] == ["2024.6.0", "2025.0.0"]
    assert message.title == (
        "trtmatrix: regressed: latency of mobilenet_v2-fp32-b1-clip on openvino 2024.6.0, +20.0 % and 1 more"
    )
    assert message.alarms[0].effect == pytest.approx(1.2)
    assert message.text.splitlines()[-1].startswith("run run on ")


def test_what_an_earlier_night_confirmed_is_open_and_no_news(
    judged: tuple[RunObservation, list[Verdict]],
) -> None:
    run, verdicts = judged
    message = message_of(run, [replace(v, since="2026-11-20") for v in verdicts if v.alarm], POLICY)
    assert not has_news(message)
    assert message.alarms == ()
    assert message.title == "trtmatrix: nothing new; 2 open"
    line = "latency of mobilenet_v2-fp32-b1-clip on openvino 2025.0.0 since 2026-11-20"
    assert line in message.text


def test_accepted_changes_are_counted(judged: tuple[RunObservation, list[Verdict]]) -> None:
    run, verdicts = judged
    known = with_accepted(verdicts, [Accepted("regressed", "known", date(2999, 1, 1))])
    message = message_of(run, known, POLICY)
    assert (message.alarms, message.accepted, has_news(message)) == ((), 2, False)


def test_what_the_machine_did_to_all_versions_is_a_line(judged: tuple[RunObservation, list[Verdict]]) -> None:
    run, verdicts = judged
    moved = [
        replace(v, verdict="indeterminate", against="the last 14 nights", evidence={"machine": 1.27})
        for v in verdicts
        if v.version == "2024.6.0"
    ]
    message = message_of(run, moved, POLICY)
    line = f"{moved[0].host}: all versions of mobilenet_v2-fp32-b1-clip by +27.0 % since the last 14 nights"
    assert message.machine_changes == (line,)
    assert f"the machine changed, {line}" in message.text.splitlines()
    assert (message.alarms, has_news(message)) == ((), False)
