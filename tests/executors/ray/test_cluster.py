"""A real cluster of two nodes: the command of the docs, with a node killed while it measures."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest

from harness.store.bundle import Bundle
from tests.cli.small_matrix import NARROW, small_matrix, write_narrow_networks

ROOT = Path(__file__).resolve().parents[3]
COMMAND = re.findall(
    r"^```sh\n(trtmatrix run .*?)\n```",
    (ROOT / "docs/how-to/several-hosts.md").read_text("utf-8"),
    re.M | re.S,
)[0]

pytestmark = pytest.mark.skipif(find_spec("ray") is None, reason="the extra 'ray' is not installed")


@pytest.fixture
def place() -> Iterator[Path]:
    """Return a folder whose path is short: Ray's sockets lie in it, whose names may have 107 letters."""
    with tempfile.TemporaryDirectory(prefix="r-", dir="/tmp", ignore_cleanup_errors=True) as folder:
        yield Path(folder)


def test_a_killed_node_costs_its_block_and_nothing_is_lost_or_twice(place: Path) -> None:
    environment = {**os.environ, "TMPDIR": str(place)}
    started = subprocess.Popen(
        [sys.executable, "-m", "tests.executors.ray.started_cluster"],
        cwd=ROOT,
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    with started:
        assert started.stdin is not None
        assert started.stdout is not None
        said = next((line for line in started.stdout if line.startswith("cluster ")), "")
        if not said:
            pytest.skip("Ray does not start a cluster on this machine")
        _, address, worker = said.split()
        lines = run(place, {**environment, "RAY_ADDRESS": address}, worker[:6], started)
        started.stdin.close()
    bundle = Bundle.open(place / "runs/fleet")
    builds = [(build.cell_id, build.build, build.status) for build in bundle.builds()]
    assert builds == [(record.cell.id, number, "ok") for record in bundle.cells() for number in (0, 1)]
    assert len({build.document.block for build in bundle.builds()}) == len(NARROW)
    assert sum(f"/{worker[:6]} is lost (" in line for line in lines) == 1, lines
    ends = [line for line in lines if line.startswith("[")]
    assert len(ends) == 4, lines
    assert not any(line.endswith(f"/{worker[:6]}") for line in ends)
    assert not list(place.glob("trtmatrix-node-*"))


def run(place: Path, environment: dict[str, str], worker: str, started: subprocess.Popen[str]) -> list[str]:
    """Run the command of the docs, with *worker* killed when it makes its first build."""
    text = small_matrix(networks=NARROW) + write_narrow_networks(place)
    (place / "matrix.toml").write_text(text, encoding="utf-8")
    path = f"{Path(sys.executable).parent}:{environment['PATH']}"
    process = subprocess.Popen(
        ["sh", "-c", COMMAND],
        cwd=place,
        env={**environment, "PATH": path},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    lines: list[str] = []
    with process:
        assert process.stdout is not None
        assert started.stdin is not None
        for line in process.stdout:
            lines.append(line.strip())
            if f"/{worker}: building" in line and not started.stdin.closed:
                started.stdin.write("kill\n")
                started.stdin.flush()
    assert process.returncode == 0, lines
    return lines
