"""The policy that run and judge share: which verdicts fail, and which of them are measured again."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from harness.analysis.policy import Policy, policy_of
from harness.analysis.table import Change
from harness.analysis.verdict import Verdict
from harness.store.documents.manifest import Matrix

SLOWER = Verdict(
    "latency",
    "net",
    "fp32",
    "openvino",
    "2",
    "host",
    "regressed",
    "",
    "net-2",
    change=Change.REGRESSED,
    against="1",
)
POLICY = Policy(frozenset({"regressed", "invalid", "unsupported"}))


def test_a_command_line_stands_in_place_of_what_the_matrix_says() -> None:
    stated = Matrix(fail_on=("regressed",), material=0.02)
    assert policy_of(stated) == Policy(frozenset({"regressed"}), 0.02)
    assert policy_of(stated, fail_on=(), material=0.005) == Policy(frozenset(), 0.005)


@pytest.mark.parametrize(
    ("changed", "fails"),
    [
        ({}, True),
        ({"verdict": "reduced", "change": Change.REDUCED}, False),
        ({"accepted": {"reason": "known", "expires": "2999-01-01"}}, False),
        ({"verdict": "unsupported", "evidence": {"status": "interrupted"}}, False),
    ],
)
def test_what_fails(changed: dict[str, object], fails: bool) -> None:
    assert POLICY.against(replace(SLOWER, **changed)) is fails  # type: ignore[arg-type]


def test_only_changes_are_measured_again() -> None:
    wrong = replace(SLOWER, verdict="invalid", change=None)
    alone = replace(SLOWER, against=None)
    assert POLICY.suspects([SLOWER, wrong, alone]) == [SLOWER]
