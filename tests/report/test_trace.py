"""The trace: events as the Trace Event Format has them, one inference a build."""

from __future__ import annotations

import json
from itertools import pairwise

import pytest

from harness.analysis.grid import grid_of
from harness.report.trace import trace
from tests.report.composed import cell, engine, layers, run
from tests.report.payloads import PAYLOADS

GRID = grid_of(
    run(
        cell("1", [1.0, 1.1], engine(layers(PAYLOADS))),
        cell("2", [1.0], engine(layers(("a", "b")))),
        cell("3", status="failed"),
    )
)


def test_events_are_of_the_format_and_processes_and_threads_have_names() -> None:
    document = json.loads(json.dumps(trace(GRID.groups)))
    named: dict[tuple[int, int], set[str]] = {}
    for event in document["traceEvents"]:
        assert {"ph", "name", "pid", "tid", "ts", "args"} <= set(event)
        assert isinstance(event["pid"], int)
        assert isinstance(event["tid"], int)
        if event["ph"] == "M":
            named.setdefault((event["pid"], event["tid"]), set()).add(event["name"])
        else:
            assert event["ph"] == "X"
            assert event["dur"] > 0
            assert "thread_name" in named[event["pid"], event["tid"]]
            assert "process_name" in named[event["pid"], 0]
    assert len(named) == 2 + 3
    assert document["displayTimeUnit"] in ("ms", "ns")


def test_layers_follow_each_other_and_take_what_the_profile_says() -> None:
    events = [event for event in trace(GRID.groups)["traceEvents"] if event["ph"] == "X"]
    for pid, tid, engine_ms in ((1, 1, 12.75), (1, 2, 12.75), (2, 1, 0.03)):
        own = [event for event in events if (event["pid"], event["tid"]) == (pid, tid)]
        assert own[0]["ts"] == 0
        assert all(a["ts"] + a["dur"] == pytest.approx(b["ts"], abs=1e-3) for a, b in pairwise(own))
        assert own[-1]["ts"] + own[-1]["dur"] == pytest.approx(1e3 * engine_ms)
    assert [event["name"] for event in events[: len(PAYLOADS)]] == list(PAYLOADS)
    assert events[0]["args"] == {
        "role": "compute",
        "family": "gemm",
        "kernel": "sgemm_128x64",
        "source ops": [PAYLOADS[0]],
    }


def test_one_build_alone_can_be_written() -> None:
    events = trace(GRID.groups, 1)["traceEvents"]
    assert {event["tid"] for event in events if event["ph"] == "X"} == {2}
