"""Kills a run or its workers at random moments and goes on with it: is anything lost, counted twice or left?

    python benchmarks/kill_runs.py [--moments 30] [--seed 1] [--folder DIR]

Runs narrow networks on the onnxruntime of this Python, side by side, kills with SIGKILL at a random moment of
the time that a run takes, resumes, and so on until it is complete. After each run: builds that were there
before the kill are there still, as they were; every cell has its builds, each once; every build that is ok
has all of its slices; no process of the run is alive. Exit status 1 where one of these does not hold.
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import onnx
import psutil

from harness.networks.mobilenet import MobileNetV2
from harness.networks.onnx_export import to_onnx
from harness.store.bundle import Bundle
from harness.store.documents.samples import read_samples

BUILDS = 3
MATRIX = f"""
schema = "trtmatrix.matrix/1"
[run]
builds = {BUILDS}
[measure]
warmup_seconds = 0.02
maximum_seconds = 0.3
profile_iterations = 5
[[versions]]
runtime = "onnxruntime"
versions = ["VERSION"]
environment = "current"
repeat = ["VERSION"]
[networks]
first = "first.onnx"
second = "second.onnx"
[[block]]
networks = ["first", "second"]
"""
CELLS = 4


class Trial:
    """One run, killed as often as it takes.

    :param folder: empty; :param whole: seconds that a run takes when nobody kills it
    """

    def __init__(self, folder: Path, random_: random.Random, whole: float) -> None:
        self.folder, self._random, self._whole = folder, random_, whole
        self.kills = {"harness": 0, "worker": 0}
        self.wrong: list[str] = []

    def run(self, moments: int) -> int:
        """Kill until the run is complete or *moments* kills were made; return how many were."""
        made = 0
        while not self._complete():
            before = self._builds()
            process = self._start()
            killed = made < moments and self._kill(process)
            made += killed
            process.wait(timeout=300)
            self._check(process.pid, before)
        return made

    def _start(self) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "harness.cli", "run", "m.toml", "--out", "run"]
        if (self.folder / "run" / "manifest.json").exists():
            command += ["--resume", "--retry-failed"]
        with (self.folder / "said.txt").open("ab") as said:
            return subprocess.Popen(
                command, cwd=self.folder, stdout=said, stderr=said, start_new_session=True
            )

    def _kill(self, process: subprocess.Popen[bytes]) -> bool:
        """Kill at a random moment of the run; False where it was over before."""
        end = time.monotonic() + self._random.uniform(0.05, 1.0) * self._whole
        while time.monotonic() < end and process.poll() is None:
            time.sleep(0.01)
        if process.poll() is not None:
            return False
        workers = list(self._workers(process.pid))
        if workers and self._random.random() < 0.5:
            self.kills["worker"] += 1
            os.kill(self._random.choice(workers), signal.SIGKILL)
        else:
            self.kills["harness"] += 1
            process.kill()
        return True

    @staticmethod
    def _workers(pid: int) -> Iterator[int]:
        try:
            for child in psutil.Process(pid).children(recursive=True):
                if "harness.worker" in child.cmdline():
                    yield child.pid
        except psutil.Error:
            return

    def _check(self, pid: int, before: dict[tuple[str, int], datetime | None]) -> None:
        until = time.monotonic() + 10
        while (left := self._alive(pid)) and time.monotonic() < until:
            time.sleep(0.1)
        if left:
            self.wrong.append(f"processes left behind: {left}")
        after = self._builds()
        if lost := [key for key, started in before.items() if after.get(key) != started]:
            self.wrong.append(f"lost or measured again: {lost}")

    @staticmethod
    def _alive(session: int) -> list[int]:
        found = []
        for process in psutil.process_iter():
            try:
                if os.getsid(process.pid) == session and process.status() != psutil.STATUS_ZOMBIE:
                    found.append(process.pid)
            except (OSError, psutil.Error):
                continue
        return found

    def _builds(self) -> dict[tuple[str, int], datetime | None]:
        if not (self.folder / "run" / "manifest.json").exists():
            return {}
        builds = Bundle.open(self.folder / "run").builds()
        return {(b.cell_id, b.build): b.document.started for b in builds if b.status == "ok"}

    def _complete(self) -> bool:
        found = self._builds()
        if len(found) < CELLS * BUILDS:
            return False
        for build in Bundle.open(self.folder / "run").builds():
            slices = read_samples(build.folder)
            if len(slices) != len({(one.pass_name, one.process, one.cycle) for one in slices}) or not slices:
                self.wrong.append(f"{build.cell_id} {build.build}: slices missing or counted twice")
        return True


def prepare(folder: Path, version: str) -> None:
    """Write the matrix and its networks into *folder*."""
    for number, name in enumerate(("first", "second")):
        network = MobileNetV2(width=0.25, resolution=32, classes=5 + number, calibrated=False, name=name)
        onnx.save(to_onnx(network.graph(), 13), str(folder / f"{name}.onnx"))
    (folder / "m.toml").write_text(MATRIX.replace("VERSION", version), encoding="utf-8")


def main() -> int:
    """Kill and go on, and print what was seen."""
    from importlib.metadata import version

    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--moments", type=int, default=30)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--folder", type=Path)
    arguments = parser.parse_args()
    random_ = random.Random(arguments.seed)
    root = arguments.folder or Path(tempfile.mkdtemp(prefix="kill-runs-"))
    made, runs, wrong, whole = 0, 0, [], 0.0
    kills = {"harness": 0, "worker": 0}
    while made < arguments.moments or not whole:
        folder = root / str(runs)
        folder.mkdir(parents=True)
        prepare(folder, version("onnxruntime"))
        trial, began = Trial(folder, random_, whole), time.monotonic()
        made += trial.run(arguments.moments - made if whole else 0)
        if not whole:
            whole = time.monotonic() - began  # the first one is not killed: it says how long one takes
            print(f"a run takes {whole:.1f} s")
        runs += 1
        wrong += trial.wrong
        kills = {name: kills[name] + trial.kills[name] for name in kills}
        print(
            f"{made} kills ({kills['harness']} of the harness, {kills['worker']} of a worker), {runs} runs",
            flush=True,
        )
    print("\n".join(wrong) or "nothing lost, nothing counted twice, no process left")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
