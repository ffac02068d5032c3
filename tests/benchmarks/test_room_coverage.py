"""The report of coverage by room: what is added up, and when it fails."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks import room_coverage


def _report(path: Path, branches: dict[str, int]) -> Path:
    files = {
        f"harness/{room}/{name}.py": {
            "summary": {
                "covered_lines": 100, "num_statements": 100, "covered_branches": covered, "num_branches": 100,
            }
        }
        for room, covered in branches.items()
        for name in ("one", "two")
    }  # fmt: skip
    path.write_text(json.dumps({"files": files}), encoding="utf-8")
    return path


def test_each_of_the_four_rooms_is_held(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    branches = dict.fromkeys(room_coverage.HELD, 95) | {"report": 10}
    assert room_coverage.main(_report(tmp_path / "all.json", branches)) == 0
    assert "analysis                 100.0%     95.0%   97.5%  *" in capsys.readouterr().out
    assert room_coverage.main(_report(tmp_path / "all.json", branches | {"store": 94})) == 1
    assert "not so in store" in capsys.readouterr().out


def test_a_room_that_was_not_measured_fails(tmp_path: Path) -> None:
    assert room_coverage.main(_report(tmp_path / "all.json", {"analysis": 100})) == 1
