"""Shared by the suites of the version matrix: the plugin's fixtures, under the names the tests use."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from harness.analysis.policy import Policy
    from harness.analysis.verdict import Verdict
    from harness.observations.records import CellObservation


@pytest.fixture
def observed(trtmatrix_observed: CellObservation) -> CellObservation:
    """What was measured of the test's cell; skipped where it cannot run here."""
    return trtmatrix_observed


@pytest.fixture
def measured(observed: CellObservation) -> CellObservation:
    """What was measured of the test's cell, where there is something to look at."""
    if not observed.good:
        pytest.skip(f"{observed.status}: see test_builds ({observed.reason})")
    return observed


@pytest.fixture
def build(trtmatrix_build: int) -> int:
    """The number of the build that the test looks at."""
    return trtmatrix_build


@pytest.fixture
def bottleneck(trtmatrix_bottleneck: str) -> str:
    """The bottleneck, or ``latency``, that the test looks at."""
    return trtmatrix_bottleneck


@pytest.fixture
def verdicts(trtmatrix_verdicts: list[Verdict]) -> list[Verdict]:
    """All verdicts over the run."""
    return trtmatrix_verdicts


@pytest.fixture
def policy(trtmatrix_policy: Policy) -> Policy:
    """What fails a test: the matrix's policy, and the changes that were accepted."""
    return trtmatrix_policy
