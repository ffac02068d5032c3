"""Histories whose processes are killed, run beside each other, or out of disk: is anything lost or doubled?

    python benchmarks/kill_history.py RUN... [--kills 50] [--small FOLDER]

Processes that add the runs, or prune, are killed (SIGKILL) at random moments; after each kill every night of
the index must be whole. At the end all runs are added once more, two processes at once, and each must be
there once. ``--small`` names a folder of a file system with too little room for the runs.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from harness.cli import main as main_of_program
from harness.history.folder import History, open_history, strangers
from harness.history.reading import connect, readable
from harness.store.bundle import Bundle

COMMAND = [sys.executable, "-m", "harness.cli", "history"]


def whole(root: Path, files: dict[str, int]) -> History:
    """Return the history in *root*; raises where a night of its index lacks anything.

    :param files: run to the number of files of its bundle
    """
    history = open_history(root)
    assert not history.problems, history.problems
    for table in ("points", "builds", "layers"):
        found, problems = readable(history, connect(), table)
        assert not problems, problems
        named = [file for night in history.nights for file in night.files if file.startswith(table)]
        assert len(found) == len(named) == len(set(named))
    for night in history.nights:
        if night.bundle is not None:
            assert count(root / night.bundle) == files[night.run], night.run
    return history


def once(history: History) -> None:
    """Raise where a point of *history* is there twice."""
    found, _ = readable(history, connect(), "points")
    query = (
        "SELECT count(*), count(DISTINCT (night, host, cell, measure)) "
        "FROM read_parquet(?, hive_partitioning = false)"
    )
    ((rows, distinct),) = connect().execute(query, [found]).fetchall() if found else [(0, 0)]
    assert rows == distinct, (rows, distinct)


def count(folder: Path) -> int:
    """Return the number of files below *folder*."""
    return sum(path.is_file() for path in folder.rglob("*"))


def killed(words: Sequence[str], after: float) -> bool:
    """Start a command and kill it *after* seconds; return whether it was still running.

    It is a fork of this process, which has imported all of it: the moments are those of its work.
    """
    pid = os.fork()
    if not pid:
        with Path(os.devnull).open("w", encoding="utf-8") as nowhere:
            os.dup2(nowhere.fileno(), 1)
            os.dup2(nowhere.fileno(), 2)
            os._exit(main_of_program(["history", *words]))
    time.sleep(after)
    ended, _ = os.waitpid(pid, os.WNOHANG)
    if not ended:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
    return not ended


def kills(root: Path, runs: Sequence[str], files: dict[str, int], times: int, seed: int) -> None:
    """Kill adding and pruning at random moments, and print what came of it."""
    chance, caught, left = random.Random(seed), 0, 0
    assert main_of_program(["history", "add", "--history", str(root), runs[0]]) == 0
    shutil.rmtree(root)
    begin = time.perf_counter()
    assert main_of_program(["history", "add", "--history", str(root), *runs]) == 0
    length = time.perf_counter() - begin
    for number in range(times):
        if number % 5 == 0:
            shutil.rmtree(root, ignore_errors=True)
        pruning = number % 5 == 4
        if pruning:
            words = ["prune", "--history", str(root), "--days", "0", "--nights", "0"]
            if not (root / "history.json").exists():
                words = ["add", "--history", str(root), *runs]
        else:
            words = ["add", "--history", str(root), *chance.sample(list(runs), len(runs))]
        caught += killed(words, chance.uniform(0.0, 0.1 if pruning else 1.0) * length)
        if (root / "history.json").exists():
            history = whole(root, files)
            once(history)
            left += sum(1 for _ in strangers(history))
    print(f"{times} kills, {caught} while it ran: each night whole, none twice; leftovers named {left} times")


def two_at_once(root: Path, runs: Sequence[str], files: dict[str, int]) -> None:
    """Let two processes add the same runs, each in its order."""
    orders = (list(runs), list(reversed(runs)))
    both = [subprocess.Popen([*COMMAND, "add", "--history", str(root), *order]) for order in orders]
    assert [process.wait() for process in both] == [0, 0]
    history = whole(root, files)
    once(history)
    assert len(history.nights) == len(runs), history.nights
    print(f"two processes adding {len(runs)} runs at once: {len(history.nights)} nights, none twice")


def full_disk(folder: Path, runs: Sequence[str], files: dict[str, int]) -> None:
    """Add the runs where there is no room."""
    root = folder / "history"
    words = [*COMMAND, "add", "--history", str(root), *runs]
    found = subprocess.run(words, capture_output=True, text=True, check=False)
    print(f"full disk: exit code {found.returncode}, {found.stderr.strip().splitlines()[-1]}")
    assert found.returncode == 2
    assert "Traceback" not in found.stderr
    if (root / "history.json").exists():
        once(whole(root, files))
        print(f"full disk: {len(open_history(root).nights)} nights whole")


def main() -> None:
    """Run all of it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("runs", nargs="+", metavar="RUN")
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--seed", type=int, default=19)
    parser.add_argument("--small", type=Path, metavar="FOLDER")
    arguments = parser.parse_args()
    files = {Bundle.open(Path(run)).manifest.run: count(Path(run)) for run in arguments.runs}
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder) / "history"
        kills(root, arguments.runs, files, arguments.kills, arguments.seed)
        shutil.rmtree(root)
        two_at_once(root, arguments.runs, files)
    if arguments.small is not None:
        full_disk(arguments.small, arguments.runs, files)


if __name__ == "__main__":
    main()
