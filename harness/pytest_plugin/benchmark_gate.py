"""pytest-benchmark's own gate (``--benchmark-compare-fail``), which ends a session by an exception.

Where it trips in a session of ours the report is kept, and one line says so at its end.
"""

from __future__ import annotations

import pytest

from harness.written import number_of

_PYTEST_SESSION = pytest.StashKey[pytest.Session]()


def keep_session(session: pytest.Session) -> None:
    """Keep *session*, whose exit status says that the gate tripped."""
    session.config.stash[_PYTEST_SESSION] = session


def is_regression(error: Exception) -> bool:
    """Say whether *error* is what the gate raises when it trips."""
    from pytest_benchmark.session import PerformanceRegression

    return isinstance(error, PerformanceRegression)


def fail_gate(config: pytest.Config) -> str:
    """Let the session end as one of failed tests, and return the line that says which gate tripped."""
    session = config.stash[_PYTEST_SESSION]
    if session.exitstatus in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
    known = getattr(getattr(config, "_benchmarksession", None), "performance_regressions", ())
    slower = f"{number_of(len(known), 'build is', 'builds are')} slower"
    return f"trtmatrix: --benchmark-compare-fail: {slower} than pytest-benchmark's gate allows"
