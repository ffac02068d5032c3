from __future__ import annotations

from pathlib import Path

import pytest

from harness.store.bundle import BuildRecord
from harness.store.status import build_state, cell_status, worst_of

OK = {"status": "ok", "outputs": {"valid": True}}
WRONG = {"status": "ok", "outputs": {"valid": False, "reason": "outputs differ"}}


def record(document: dict[str, object], reason: str = "") -> BuildRecord:
    return BuildRecord("cell", 0, str(document["status"]), reason, Path("cell/0"), document)


@pytest.mark.parametrize(
    ("document", "state"),
    [
        (OK, "ok"),
        (WRONG, "invalid"),
        ({"status": "ok", "outputs": ["torn"]}, "ok"),
        ({"status": "unsupported"}, "unsupported"),
        ({"status": "time_limit"}, "failed"),
        ({"status": 5}, "failed"),
    ],
)
def test_a_build_is_one_of_four_things(document: dict[str, object], state: str) -> None:
    assert build_state(document) == state


def test_the_worst_build_decides_for_the_cell() -> None:
    late = record({"status": "time_limit"}, "still running")
    assert cell_status(worst_of([record(OK), late, record(WRONG)])) == ("failed", "still running")
    assert cell_status(worst_of([record(OK), record(WRONG)])) == ("invalid", "outputs differ")
    assert cell_status(worst_of([record(OK), record(OK)])) == ("measured", "")


def test_of_equally_bad_builds_the_first_decides() -> None:
    first, second = record({"status": "time_limit"}, "first"), record({"status": "crashed"}, "second")
    assert worst_of([record(OK), first, second]) is first
    assert worst_of([second, first]) is second


def test_from_good_to_bad() -> None:
    """ok, unsupported, invalid, failed: whatever is worse decides, wherever it stands."""
    order = [record(OK), record({"status": "unsupported"}), record(WRONG), record({"status": "time_limit"})]
    for worst in range(1, 4):
        for better in range(worst):
            assert worst_of([order[better], order[worst]]) is order[worst]
            assert worst_of([order[worst], order[better]]) is order[worst]


@pytest.mark.parametrize(
    ("document", "reason", "expected"),
    [
        (WRONG, "said by the run", ("invalid", "said by the run")),
        ({"status": "unsupported", "outputs": ["torn"]}, "", ("unsupported", "")),
        ({"status": "ok", "outputs": {"valid": False}}, "", ("invalid", "")),
        ({"status": "ok", "outputs": {}}, "", ("measured", "")),
        ({"status": "invalid"}, "", ("invalid", "")),
        ({"status": "failed", "outputs": {"valid": False, "reason": "differ"}}, "", ("failed", "differ")),
    ],
)
def test_a_cell_has_the_reason_of_its_worst_build(
    document: dict[str, object], reason: str, expected: tuple[str, str]
) -> None:
    assert cell_status(record(document, reason)) == expected
