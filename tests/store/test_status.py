from __future__ import annotations

from pathlib import Path

import pytest

from harness.store.bundle import BuildRecord
from harness.store.documents.build import Build, Outputs
from harness.store.status import cell_status, worst_of

GOOD = Outputs(valid=True, error=1e-6, bound=1e-4)
BAD = Outputs(valid=False, error=None, bound=1e-4, reason="outputs differ")


def record(status: str, outputs: Outputs | None = None, reason: str = "") -> BuildRecord:
    document = Build(cell="cell", build=0, status=status, reason=reason, outputs=outputs)
    return BuildRecord(Path("cell/0"), document)


OK, WRONG = record("ok", GOOD), record("ok", BAD)


@pytest.mark.parametrize(
    ("build", "state"),
    [
        (OK, "ok"),
        (WRONG, "invalid"),
        (record("ok"), "ok"),
        (record("unsupported"), "unsupported"),
        (record("time_limit"), "failed"),
        (record("failed", BAD), "failed"),
    ],
)
def test_a_build_is_one_of_four_things(build: BuildRecord, state: str) -> None:
    assert build.document.state == state


def test_the_worst_build_decides_for_the_cell() -> None:
    late = record("time_limit", reason="still running")
    assert cell_status(worst_of([OK, late, WRONG])) == ("failed", "still running")
    assert cell_status(worst_of([OK, WRONG])) == ("invalid", "outputs differ")
    assert cell_status(worst_of([OK, OK])) == ("measured", "")


def test_of_equally_bad_builds_the_first_decides() -> None:
    first, second = record("time_limit", reason="first"), record("crashed", reason="second")
    assert worst_of([OK, first, second]) is first
    assert worst_of([second, first]) is second


def test_from_good_to_bad() -> None:
    """ok, unsupported, invalid, failed: whatever is worse decides, wherever it stands."""
    order = [OK, record("unsupported"), WRONG, record("time_limit")]
    for worst in range(1, 4):
        for better in range(worst):
            assert worst_of([order[better], order[worst]]) is order[worst]
            assert worst_of([order[worst], order[better]]) is order[worst]


@pytest.mark.parametrize(
    ("build", "expected"),
    [
        (record("ok", BAD, "said by the run"), ("invalid", "said by the run")),
        (record("unsupported"), ("unsupported", "")),
        (record("ok", Outputs(valid=False, error=None, bound=1e-4)), ("invalid", "")),
        (record("invalid"), ("invalid", "")),
        (record("failed", BAD), ("failed", "outputs differ")),
    ],
)
def test_a_cell_has_the_reason_of_its_worst_build(build: BuildRecord, expected: tuple[str, str]) -> None:
    assert cell_status(build) == expected
