"""A Ray cluster of three nodes on this machine: the default matrix in complete blocks, beside a local run.

    python benchmarks/ray_cluster.py --out DIR
    python benchmarks/ray_cluster.py --out DIR --quick --builds 2

Each node (a head and two workers) pretends to have a GPU and has one CPU for Ray; what is measured is real,
and the lock of the device is that of the machine, so that blocks run one at a time. Shown are, each with exit
status 1 where it was not so: cells, builds and identities as those of a local run; a node killed while it
measures, whose block is measured again elsewhere; a second run that waits for the lock and says so; a GPU
asked for by Ray's own resource; Ctrl-C, after which no process, task or file of the run is left;
``--resume``. The time of the run on the cluster is set beside that of the local one.
"""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from threading import Timer
from typing import Any

import psutil

from harness.store.bundle import Bundle

MOMENTS = (("its CPUs", 1.0), ("building", 0.0), ("building", 2.0))
"""When Ctrl-C is pressed: so many seconds after a line that holds the word."""

OURS = ("harness.executors.node", "harness.worker", "BlockActor")
"""What a process of a run has in its command line."""


def main() -> int:
    """Run all of it and print what was found."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--out", type=Path, required=True, metavar="DIR")
    parser.add_argument("--matrix", default="suites/default.toml")
    parser.add_argument("--builds", type=int, default=1)
    parser.add_argument("--quick", action="store_true", help="the small part of the matrix")
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True)
    # What a shell starts in the background ignores interrupts, and hands that down.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    os.environ |= {"RAY_USAGE_STATS_ENABLED": "0", "RAY_worker_niceness": "0"}
    os.environ |= {"TMPDIR": tempfile.mkdtemp(prefix="rc-", dir="/tmp")}
    # The time of a run is for its first builds alone: so many have to be there in each.
    command = ["run", arguments.matrix, "--builds", str(arguments.builds), "--minutes", "0.001"]
    command += ["--quick"] if arguments.quick else []
    bench = Bench(arguments.out, command)
    try:
        bench.measure()
    finally:
        bench.cluster.shutdown()
        shutil.rmtree(os.environ["TMPDIR"], ignore_errors=True)
    for line in bench.wrong:
        print(f"not as expected: {line}")
    return 1 if bench.wrong else 0


@dataclass
class Ended:
    """A command that is over: its exit status, the seconds it took, and what it said."""

    code: int
    seconds: float
    lines: list[str]


class Bench:
    """The cluster, the runs and what was not as expected."""

    def __init__(self, out: Path, command: list[str]) -> None:
        from ray.cluster_utils import Cluster

        self.out, self.command = out, command
        self.wrong: list[str] = []
        self.beside: list[subprocess.Popen[str]] = []
        node = {"num_cpus": 1, "num_gpus": 1, "object_store_memory": 100 << 20, "include_dashboard": False}
        self.cluster: Any = Cluster(initialize_head=True, head_node_args=node)
        self.workers = [self.cluster.add_node(**node) for _ in range(2)]
        self.cluster.wait_for_nodes()
        self.on_ray = ["--executor", "ray", "--address", self.cluster.address]

    def measure(self) -> None:
        """Run what is to be shown."""
        local = self.run("local", [])
        print(f"local run: {local.seconds:.1f} s, {len(builds(self.out / 'local'))} builds")
        plain = self.run("plain", self.on_ray)
        self.same("plain", plain)
        over = plain.seconds - local.seconds
        print(f"on the cluster: {plain.seconds:.1f} s, {over:+.1f} s ({100 * over / local.seconds:+.1f} %)")
        self.killed()
        self.interrupted()
        self.gpu()

    def run(self, name: str, more: list[str], at: Callable[[str], bool] | None = None) -> Ended:
        """Run into the folder *name*; :param at: called with each line until it says that it acted on one"""
        command = [sys.executable, "-m", "harness.cli", *self.command, "--out", str(self.out / name), *more]
        began, lines = time.monotonic(), list[str]()
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        self.process = process
        assert process.stdout is not None
        for line in process.stdout:
            lines.append(line.rstrip())
            if at is not None and at(line):
                at = None
        code = process.wait()
        with (self.out / f"{name}.log").open("a", encoding="utf-8") as log:
            log.write("\n".join(lines) + "\n")
        self.expect(at is None, f"{name}: the line to act on did not come")
        return Ended(code, time.monotonic() - began, lines)

    def expect(self, fine: bool, words: str) -> None:
        if not fine:
            self.wrong.append(words)

    def same(self, name: str, ended: Ended) -> None:
        """Hold the run *name* against the local one."""
        self.expect(ended.code == 0, f"{name}: exit status {ended.code}")
        for what, read in (("cells", cells), ("builds and identities", builds)):
            mine, theirs = read(self.out / name), read(self.out / "local")
            self.expect(mine == theirs, f"{name}: other {what} than the local run's: {mine} and {theirs}")
        blocks: dict[str, set[Any]] = {}
        for build in Bundle.open(self.out / name).builds():
            blocks.setdefault(str(build.document.block), set()).add(build.document.host)
        self.expect(all(len(hosts) == 1 for hosts in blocks.values()), f"{name}: a block on several hosts")
        print(f"{name}: {len(builds(self.out / name))} builds in {len(blocks)} blocks, as the local run's")

    def interrupted(self) -> None:
        """Interrupt a run at several moments, look for what is left of it, and go on with the last."""
        for word, seconds in MOMENTS:
            before, name = leftovers(), f"stopped {seconds:.0f} s after '{word}'"
            ended = self.run(name, self.on_ray, partial(self.interrupt, word, seconds))
            self.expect(ended.code == 130, f"{name}: exit status {ended.code}")
            until = time.monotonic() + 5  # Ray ends its workers with some delay.
            while leftovers() != before and time.monotonic() < until:
                time.sleep(0.2)
            self.expect(leftovers() == before, f"{name}: there is left: {leftovers()}")
            print(f"{name}: nothing is left, {ended.seconds:.1f} s")
        self.same(name, self.run(name, [*self.on_ray, "--resume"]))

    def interrupt(self, word: str, seconds: float, line: str) -> bool:
        """Press Ctrl-C *seconds* after a line with *word*."""
        if word in line:
            Timer(seconds, self.process.send_signal, [signal.SIGINT]).start()
        return word in line

    def killed(self) -> None:
        """Kill a node that measures, and start a second run meanwhile."""
        ended = self.run("killed", self.on_ray, self.kill)
        self.same("killed", ended)
        said = [line for line in ended.lines if " is lost (" in line]
        self.expect(len(said) == 1, f"the lost node is told {len(said)} times")
        print(*said, sep="\n")
        for process in self.beside:
            told, _ = process.communicate()
            # Whichever comes second: the other run, or the block that is measured again.
            lines = [line for line in [*told.splitlines(), *ended.lines] if "on which another run" in line]
            self.expect(bool(lines), f"no run says that it waits for the other: {told}")
            print(*lines, sep="\n")

    def kill(self, line: str) -> bool:
        """Kill the worker that says in *line* that it makes a build; the second run begins just before."""
        name = line.split(": building")[0].split("/")[-1]
        node = next((one for one in self.workers if one.node_id.startswith(name)), None)
        if ": building" not in line or node is None:
            return False
        into = ["--out", str(self.out / "beside")]
        command = [sys.executable, "-m", "harness.cli", *self.command, *into]
        self.beside.append(subprocess.Popen(command, stdout=subprocess.PIPE, text=True))
        print(f"killed: {name}, which said: {line.strip()}")
        self.cluster.remove_node(node, allow_graceful=False)
        return True

    def gpu(self) -> None:
        """Say what of Ray's GPUs is left while a block for a GPU is there."""
        import ray

        from harness.executors.ray.actor import BlockActor
        from harness.executors.ray.nodes import demands, names, places_of

        ray.init(address=self.cluster.address, log_to_driver=False)
        node = next(node for node in ray.nodes() if node["Alive"])
        found = {"machine": "here", "gpus": [], "refusals": []}
        place = places_of(node, names([node])[node["NodeID"]], found)[0]
        order: Any = None
        actor = ray.remote(BlockActor).options(**demands(place, node["Resources"])).remote(order, {})
        with suppress(ray.exceptions.RayError):
            ray.get(actor.events.remote(5.0))
        free = ray.available_resources().get("GPU", 0)
        print(f"Ray's GPUs: {ray.cluster_resources()['GPU']:.0f}, while a block has one: {free:.0f}")
        self.expect(free == ray.cluster_resources()["GPU"] - 1, "no GPU was asked of Ray")
        ray.kill(actor)
        ray.shutdown()


def leftovers() -> list[str]:
    """Return the processes of runs, and the files of nodes."""
    found = [path.name for path in Path(os.environ["TMPDIR"]).glob("trtmatrix-node-*")]
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            line = " ".join(process.cmdline())
            if any(word in line for word in OURS) and process.environ().get("TMPDIR") == os.environ["TMPDIR"]:
                found.append(line)
    return sorted(found)


def cells(root: Path) -> dict[str, tuple[str, str]]:
    """Return status and digest of each cell."""
    return {record.cell.id: (record.status, record.digest) for record in Bundle.open(root).cells()}


def builds(root: Path) -> dict[tuple[str, int], tuple[Any, ...]]:
    """Return the identity of each build: where and on what it was measured, and of what it is the build."""
    found = {}
    for build in Bundle.open(root).builds():
        one = build.document
        found[one.cell, one.build] = (one.status, one.digest, one.host, one.software, one.round)
    return found


if __name__ == "__main__":
    sys.exit(main())
