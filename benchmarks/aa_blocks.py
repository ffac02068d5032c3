"""Blocks of one version beside itself, each a run of its own, as many as there is time for.

    python benchmarks/aa_blocks.py FOLDER --minutes 30
    python benchmarks/aa_blocks.py FOLDER --runs 5 --neighbours 3 -k mobilenet_v2 --builds 8
    python benchmarks/side_by_side_pairs.py FOLDER/[0-9]* --builds 4

Runs are ``FOLDER/001``, ``FOLDER/002`` ...: the same command goes on with the next one, on another day too.
One that was cut short is begun anew, since builds of two halves were never alive together. With
``--neighbours`` so many busy programs (``busy_neighbour.py``) run beside each, seeded by the run's number.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

HERE = Path(__file__).resolve().parent
LONGEST = 900  # seconds after which a neighbour leaves by itself


def main() -> int:
    """Measure runs until there are enough or the time is over; print a line for each."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("--matrix", type=Path, default=HERE / "aa_cpu.toml")
    parser.add_argument("--runs", type=int, default=1000, help="there are to be in the end")
    parser.add_argument("--minutes", type=float, help="no further run is begun that would not end in them")
    parser.add_argument("--neighbours", type=int, default=0, metavar="N")
    parser.add_argument("--builds", type=int, help="of each cell (default: the matrix's)")
    parser.add_argument("-k", dest="chosen", metavar="EXPR", help="only these cells")
    arguments = parser.parse_args()
    arguments.folder.mkdir(parents=True, exist_ok=True)
    began, took = time.monotonic(), 0.0
    for number in range(1, arguments.runs + 1):
        folder = arguments.folder / f"{number:03}"
        if complete(folder):
            continue
        spent = time.monotonic() - began
        if arguments.minutes is not None and spent + took > 60 * arguments.minutes:
            return 0
        shutil.rmtree(folder, ignore_errors=True)
        status = measured(arguments, folder, number)
        took = time.monotonic() - began - spent
        print(f"{folder}: {took:.0f} s, exit status {status}", flush=True)
        if not complete(folder):
            return 1
    return 0


def complete(folder: Path) -> bool:
    """Say whether the run in *folder* came to its end."""
    manifest = folder / "manifest.json"
    return manifest.exists() and json.loads(manifest.read_text(encoding="utf-8"))["state"] == "complete"


def measured(arguments: argparse.Namespace, folder: Path, number: int) -> int:
    """Measure one run; return the exit status of its command. Its output is kept beside it."""
    command = [sys.executable, "-m", "harness.cli", "run", str(arguments.matrix), "--out", str(folder)]
    command += ["--builds", str(arguments.builds)] if arguments.builds else []
    command += ["-k", arguments.chosen] if arguments.chosen else []
    with (
        neighbours(arguments.neighbours, number),
        folder.with_suffix(".log").open("w", encoding="utf-8") as log,
    ):
        return subprocess.run(command, stdout=log, stderr=subprocess.STDOUT, check=False).returncode


@contextmanager
def neighbours(count: int, seed: int) -> Iterator[list[subprocess.Popen[bytes]]]:
    """Have *count* busy programs beside what is done meanwhile."""
    busy = [
        subprocess.Popen(
            [sys.executable, str(HERE / "busy_neighbour.py"), str(LONGEST), str(100 * seed + one)]
        )
        for one in range(count)
    ]
    try:
        yield busy
    finally:
        for one in busy:
            one.kill()
            one.wait()


if __name__ == "__main__":
    sys.exit(main())
