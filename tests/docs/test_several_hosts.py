"""The page of several hosts: what is done on each host without Ray is run. With Ray: tests/executors/ray."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

from harness.history.folder import open_history
from tests.cli.small_matrix import NARROW, small_matrix, write_narrow_networks

PAGE = Path(__file__).resolve().parents[2] / "docs/how-to/several-hosts.md"
BLOCKS = re.findall(r"^```sh\n(.*?)^```", PAGE.read_text(encoding="utf-8"), re.M | re.S)


def test_a_run_on_each_host_goes_into_one_history(tmp_path: Path) -> None:
    (tmp_path / "matrix.toml").write_text(
        small_matrix(1, NARROW[:1]) + write_narrow_networks(tmp_path), encoding="utf-8"
    )
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    done = subprocess.run(
        ["sh", "-e", "-c", BLOCKS[-1]],
        cwd=tmp_path,
        env={**os.environ, "PATH": path, "SHARED": str(tmp_path / "shared")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    (night,) = open_history(tmp_path / "shared/history").nights
    (run,) = (tmp_path / "runs").iterdir()
    assert night.run in (run / "manifest.json").read_text(encoding="utf-8")
