"""The program as a shell starts it, and the same command in this process, for what needs no process."""

from __future__ import annotations

import contextlib
import io
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from harness.cli import main


def trtmatrix(
    folder: Path, *words: str, env: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run it in *folder* and return what became of it. :param env: in place of this process's own"""
    command = [sys.executable, "-m", "harness.cli", *words]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, env=env)


def trtmatrix_here(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Return what becomes of the command in *folder*, without a process: a start of Python takes a second."""
    out, errors = io.StringIO(), io.StringIO()
    with contextlib.chdir(folder), contextlib.redirect_stdout(out), contextlib.redirect_stderr(errors):
        try:
            status = main(words)
        except SystemExit as ending:  # of argparse: a mistake, or help
            status = int(ending.code or 0)
    return subprocess.CompletedProcess(words, status, out.getvalue(), errors.getvalue())
