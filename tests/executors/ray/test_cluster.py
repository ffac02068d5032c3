"""A real cluster of two nodes: the command of the docs, with a node killed while it measures, and Ctrl-C."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
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


@dataclass(frozen=True)
class Started:
    """A cluster. :param place: folder that runs and nodes have their files in; :param worker: of its id"""

    place: Path
    process: subprocess.Popen[str]
    environment: dict[str, str]
    worker: str


@pytest.fixture(scope="module")
def cluster() -> Iterator[Started]:
    """Start a cluster in a folder whose path is short: names of Ray's sockets in it may have 107 letters."""
    with tempfile.TemporaryDirectory(prefix="r-", dir="/tmp", ignore_cleanup_errors=True) as folder:
        environment = {**os.environ, "TMPDIR": folder}
        with subprocess.Popen(
            [sys.executable, "-m", "tests.executors.ray.started_cluster"],
            cwd=ROOT,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        ) as process:
            assert process.stdin is not None
            assert process.stdout is not None
            said = next((line for line in process.stdout if line.startswith("cluster ")), "")
            if not said:
                pytest.skip("Ray does not start a cluster on this machine")
            _, address, worker = said.split()
            text = small_matrix(networks=NARROW) + write_narrow_networks(Path(folder))
            (Path(folder) / "matrix.toml").write_text(text, encoding="utf-8")
            path = f"{Path(sys.executable).parent}:{environment['PATH']}"
            environment |= {"RAY_ADDRESS": address, "PATH": path}
            yield Started(Path(folder), process, environment, worker[:6])
            process.stdin.close()


def test_a_killed_node_costs_its_block_and_nothing_is_lost_or_twice(cluster: Started) -> None:
    worker = cluster.worker

    def kill(line: str, _run: subprocess.Popen[str]) -> bool:
        if f"/{worker}: building" not in line:
            return False
        assert cluster.process.stdin is not None
        cluster.process.stdin.write("kill\n")
        cluster.process.stdin.flush()
        return True

    code, lines = run(cluster, COMMAND, kill)
    assert code == 0, lines
    bundle = Bundle.open(cluster.place / "runs/fleet")
    builds = [(build.cell_id, build.build, build.status) for build in bundle.builds()]
    assert builds == [(record.cell.id, number, "ok") for record in bundle.cells() for number in (0, 1)]
    assert len({build.document.block for build in bundle.builds()}) == len(NARROW)
    assert sum(f"/{worker} is lost (" in line for line in lines) == 1, lines
    ends = [line for line in lines if line.startswith("[")]
    assert len(ends) == 4, lines
    assert not any(line.endswith(f"/{worker}") for line in ends)
    assert left_on(cluster) == []


def test_after_ctrl_c_nothing_of_the_run_is_left_on_the_nodes(cluster: Started) -> None:
    def interrupt(line: str, process: subprocess.Popen[str]) -> bool:
        if "its CPUs" not in line:  # the node is found, and its block begins
            return False
        time.sleep(1.0)
        process.send_signal(signal.SIGINT)
        return True

    code, lines = run(cluster, f"exec {COMMAND.replace('runs/fleet', 'runs/stopped')}", interrupt)
    assert code == 130, lines
    assert left_on(cluster) == []


def left_on(cluster: Started) -> list[str]:
    return [path.name for path in cluster.place.glob("trtmatrix-node-*")]


def run(
    cluster: Started, command: str, act: Callable[[str, subprocess.Popen[str]], bool]
) -> tuple[int, list[str]]:
    """Run *command* and return its status and lines; :param act: called until it says that it acted on one"""
    process = subprocess.Popen(
        ["sh", "-c", command],
        cwd=cluster.place,
        env=cluster.environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )
    lines: list[str] = []
    acted = False
    with process:
        assert process.stdout is not None
        for line in process.stdout:
            lines.append(line.strip())
            acted = acted or act(line, process)
    assert acted, lines
    return process.returncode, lines
