"""A pytest plugin: while coverage measures, the context is the test that runs, and its time is kept.

What a fixture wider than one test does counts for every test below its node; what is cached between tests is
made anew for each, so that every test is seen to run what it needs. Processes that tests start measure
themselves and name the test by the variable that pytest sets.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import coverage
import pytest

TIMES = "TRTMATRIX_TEST_TIMES"  # the file for outcomes and times
CONFIGURATION = "TRTMATRIX_TEST_COVERAGE"  # coverage's configuration for processes that tests start

_times: dict[str, dict[str, Any]] = {}
_now = ""


def pytest_configure() -> None:
    """Let processes from here on measure themselves."""
    os.environ["COVERAGE_PROCESS_START"] = os.environ[CONFIGURATION]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    """Name the test to coverage."""
    global _now
    _forget_cached()
    _now = item.nodeid
    _switch(_now)
    try:
        return (yield)
    finally:
        _now = ""
        _switch("")


@pytest.hookimpl(wrapper=True)
def pytest_fixture_setup(
    fixturedef: pytest.FixtureDef[Any], request: pytest.FixtureRequest
) -> Iterator[None]:
    """Name the node of a wide fixture."""
    if fixturedef.scope == "function":
        return (yield)
    narrow = fixturedef.scope in ("class", "module")
    _switch("@" + (request.node.nodeid if narrow else fixturedef.baseid))
    try:
        return (yield)
    finally:
        _switch(_now)


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Keep its time and whether it passed."""
    kept = _times.setdefault(report.nodeid, {"seconds": 0.0, "passed": True})
    kept["seconds"] += report.duration
    kept["passed"] = kept["passed"] and report.passed


def pytest_sessionfinish() -> None:
    """Write the times."""
    Path(os.environ[TIMES]).write_text(json.dumps(_times), encoding="utf-8")


def _switch(context: str) -> None:
    measuring = coverage.Coverage.current()
    if measuring is not None:
        measuring.switch_context(context)


def _forget_cached() -> None:
    for name, module in list(sys.modules.items()):
        if name.startswith(("harness.", "tests.")) and module is not None:
            for value in list(vars(module).values()):
                clear = getattr(value, "cache_clear", None)
                if callable(clear):
                    clear()
