"""Runs of A/A blocks: which count as done, what their matrix asks for, and the neighbours beside them."""

from __future__ import annotations

import importlib
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType

import pytest

from harness.matrix.file import read_matrix
from harness.resources import data_folder
from harness.store.bundle import Bundle
from harness.store.documents.manifest import Manifest

BENCHMARKS = Path(__file__).resolve().parents[2] / "benchmarks"


@pytest.fixture
def blocks(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    return importlib.import_module("aa_blocks")


def test_a_run_that_was_cut_short_is_not_done(blocks: ModuleType, tmp_path: Path) -> None:
    assert not blocks.complete(tmp_path / "001")
    for state, done in (("interrupted", False), ("complete", True)):
        manifest = Manifest(run=state, state=state, started=datetime(2026, 1, 1, tzinfo=UTC))
        Bundle.create(tmp_path / state, manifest).save()
        assert blocks.complete(tmp_path / state) is done


def test_its_builds_get_the_time_of_the_default_matrix() -> None:
    own, default = (
        read_matrix(path) for path in (BENCHMARKS / "aa_cpu.toml", data_folder("suites") / "default.toml")
    )
    assert own.measure == default.measure
    assert own.builds % (2 * default.builds) == 0, "whole pairs"


def test_neighbours_leave_with_what_they_are_beside(blocks: ModuleType) -> None:
    began = subprocess.run(
        [sys.executable, str(BENCHMARKS / "busy_neighbour.py"), "0.1", "1"], timeout=60, check=False
    )
    assert began.returncode == 0
    with blocks.neighbours(2, 1) as busy:
        assert [one.poll() for one in busy] == [None, None]
    assert all(one.poll() is not None for one in busy)
