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
