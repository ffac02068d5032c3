"""What becomes of a command whose reader has gone, as with ``| head``."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from tests.cli.composed_runs import bundle
from tests.cli.small_matrix import small_matrix


def _after_one_line(words: list[str], folder: Path) -> tuple[str, int, str]:
    """Return the first line that a command prints, and its status and errors when no more is read."""
    command = [sys.executable, "-m", "harness.cli", *words]
    # As in a user's shell: Python holds back what goes into a pipe.
    buffered = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=folder, env=buffered
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        first = process.stdout.readline()
        process.stdout.close()
        errors = process.stderr.read()
        return first, process.wait(), errors


def test_a_command_that_only_says_something_is_done_when_nobody_listens(tmp_path: Path) -> None:
    # More than a pipe holds.
    run = bundle(tmp_path / "run", {f"2023.{number}.0": 3.0 + number for number in range(100)})
    first, status, errors = _after_one_line(["judge", str(run), "--json"], tmp_path)
    assert first == "{\n"
    assert (status, errors) == (0, "")


def test_a_run_whose_reader_has_gone_is_interrupted_and_says_so(tmp_path: Path) -> None:
    (tmp_path / "m.toml").write_text(small_matrix(50, ["mobilenet_v2"]), encoding="utf-8")
    first, status, errors = _after_one_line(["run", "m.toml", "--out", "run"], tmp_path)
    assert "1 cell, 50 builds each" in first
    assert status == 130
    assert errors.endswith("trtmatrix: interrupted: nobody reads its output any more\n")
    # The line came when the run began, not at its end.
    builds = len(list((tmp_path / "run").glob("builds/*/*/build.json")))
    assert builds < 50
    assert json.loads((tmp_path / "run/manifest.json").read_text(encoding="utf-8"))["state"] != "complete"
