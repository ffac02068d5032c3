"""How fast the readers are: builder logs into the record, through ``--json`` and ``--jsonl``; grep.

Run: ``python benchmarks/readers.py [--megabytes 20] [--stream-megabytes 1000]``. The logs are the
recordings, repeated; times are processor seconds of one core. The stream runs in a process of its own, whose
peak memory is printed.
"""

from __future__ import annotations

import argparse
import gzip
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from harness.cli.parse import json_text
from harness.evidence.reader import read_file

ROOT = Path(__file__).parents[1]
LOGS = sorted((ROOT / "tests" / "data" / "recordings").glob("*/build.log.gz"))


def compose(path: Path, megabytes: int) -> None:
    """Write the recorded builder logs one after the other until the file is large enough."""
    logs = [gzip.decompress(log.read_bytes()) for log in LOGS]
    with path.open("wb") as out:
        while out.tell() < megabytes * 1_000_000:
            for log in logs:
                out.write(log)


def seconds(action: Callable[[], object], repeat: int = 3) -> float:
    """The fastest of a few runs, in processor seconds of this process."""
    best = float("inf")
    for _ in range(repeat):
        start = time.process_time()
        action()
        best = min(best, time.process_time() - start)
    return best


def grep_seconds(path: Path, repeat: int = 3) -> float:
    """The fastest of a few runs of ``grep -c Tactic``, in processor seconds of the child."""
    grep = shutil.which("grep")
    if grep is None:
        return float("nan")
    best = float("inf")
    for _ in range(repeat):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        # into a pipe: grep stops at its first match when it sees that nobody reads the count
        subprocess.run([grep, "-c", "Tactic", str(path)], check=True, stdout=subprocess.PIPE)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        best = min(best, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    return best


def report(path: Path, label: str) -> None:
    """Print the speeds for one log."""
    size = path.stat().st_size / 1e6
    record = seconds(lambda: read_file(path))
    text = seconds(lambda: sum(map(len, json_text([str(path)]))))
    grep = grep_seconds(path)
    print(
        f"{label}: {size:.1f} MB; record {size / record:.1f} MB/s, --json {size / text:.1f} MB/s; "
        f"grep -c {size / max(grep, 1e-9):.0f} MB/s, {record / max(grep, 1e-9):.0f} times as fast"
    )


def stream(path: Path) -> None:
    """Print speed and peak memory of ``trtmatrix parse --jsonl``."""
    command = [sys.executable, "-m", "harness.cli.parse", "--jsonl", str(path)]
    start = time.perf_counter()
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL) as process:
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    wall = time.perf_counter() - start
    size = path.stat().st_size / 1e6
    cpu = usage.ru_utime + usage.ru_stime
    print(
        f"--jsonl: {size:.0f} MB in {wall:.0f} s ({size / cpu:.1f} MB/s of processor time), "
        f"peak memory {usage.ru_maxrss / 1024:.0f} MiB, exit code {process.returncode}"
    )


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--megabytes", type=int, default=20)
    parser.add_argument("--stream-megabytes", type=int, default=1000)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "build.log"
        if args.stream_megabytes:  # first: a child's peak begins with what this process has
            compose(path, args.stream_megabytes)
            stream(path)
        for log in LOGS:
            path.write_bytes(gzip.decompress(log.read_bytes()))
            report(path, log.parent.name)
        compose(path, args.megabytes)
        report(path, "all of them, repeated")


if __name__ == "__main__":
    main()
