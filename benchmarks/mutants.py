"""Mutants of analysis, store, execution and observations: how many the tests kill.

    pip install --group mutants -c constraints.txt
    nice python benchmarks/mutants.py --mutants 200 --seed 1

Draws mutants uniformly from all that mutmut's operators make of the four rooms, and runs for each the tests
that run the changed statement, in a copy of the clone, until one fails. Which tests run a line is measured
once and kept in `.mutants/`, like the results: a run that was interrupted goes on where it was when started
again with the same arguments. `--retry` runs again what has survived (after tests were added), `--list` only
prints. `--longest 5` leaves out tests that take more than 5 s wherever a quicker one runs the statement: what
survives then may still be killed by `--retry` without it.
Prints what was killed, what ran into its time limit and what survived, with the Wilson interval of the share
that was killed (95 %); mutants listed in `benchmarks/mutation/equivalent.toml` stay in the denominator.
"""

from __future__ import annotations

import argparse
import json
import math
import shutil
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from mutation.cover import covered
from mutation.draw import draw
from mutation.mutant import Mutant, known_equivalents
from mutation.tree import Running, copy, preload, start
from scipy.stats import binomtest

ROOT = Path(__file__).resolve().parents[1]
TESTS = ("analysis", "store", "execution", "observations")


def main() -> int:
    """Draw, run, print."""
    said = _arguments()
    said.folder = said.folder.resolve()  # the tests run in a copy
    said.folder.mkdir(parents=True, exist_ok=True)
    drawn, every = draw(ROOT, said.mutants, said.seed, said.only)
    file = said.folder / "results.jsonl"
    results = _results(file)
    if not said.list:
        with tempfile.TemporaryDirectory(prefix="mutants-") as folder:
            try:
                _run(drawn, results, Path(folder), file, said)
            except KeyboardInterrupt:
                print(f"interrupted: the same command goes on, {len(results)} are in {file}", file=sys.stderr)
                return 130
    _report([(mutant, results[mutant.key]) for mutant in drawn if mutant.key in results], len(drawn), every)
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--mutants", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--processes", type=int, choices=(1, 2), default=1)
    parser.add_argument("--retry", action="store_true", help="run again what has survived")
    parser.add_argument("--list", action="store_true", help="run nothing, print the results so far")
    parser.add_argument("--only", nargs="+", default=[], help="draw from these paths, to look for weak ones")
    parser.add_argument("--longest", type=float, default=math.inf, help="s a test may take, see above")
    parser.add_argument("--folder", type=Path, default=ROOT / ".mutants")
    parser.add_argument("--tests", nargs="+", default=[f"tests/{name}" for name in TESTS])
    return parser.parse_args()


def _results(file: Path) -> dict[str, dict[str, Any]]:
    if not file.is_file():
        return {}
    lines = file.read_text(encoding="utf-8").splitlines()
    return {entry["key"]: entry for entry in map(json.loads, filter(None, lines))}


def _run(
    drawn: Sequence[Mutant],
    results: dict[str, dict[str, Any]],
    folder: Path,
    file: Path,
    said: argparse.Namespace,
) -> None:
    original = copy(ROOT, folder / "original")
    tests = covered(ROOT, copy(ROOT, folder / "covered"), said.folder / "tests.json", said.tests)
    again = ("survived", "timed out") if said.retry else ()
    waiting = [m for m in drawn if m.key not in results or results[m.key]["outcome"] in again]
    free = [shutil.copytree(original, folder / f"tree-{number}") for number in range(said.processes)]
    running: list[Running] = []
    preload()
    with file.open("a", encoding="utf-8") as out:
        try:
            while waiting or running:
                while waiting and free:
                    mutant = waiting.pop(0)
                    names = tests.of(mutant, said.longest)
                    limit = 60 + 5 * sum(tests.tests[name] for name in names)  # s
                    if names:
                        running.append(start(mutant, free.pop(), names, limit))
                    else:
                        entry = {"outcome": "survived", "by": "no test runs it", "seconds": 0.0}
                        _keep(mutant, entry, results, out)
                _collect(running, free, results, out)
                time.sleep(0.02)
        finally:
            for each in running:
                each.stop()


def _collect(running: list[Running], free: list[Path], results: dict[str, dict[str, Any]], out: Any) -> None:
    for each in list(running):
        ended = each.ended()
        if ended is not None:
            running.remove(each)
            free.append(each.tree)
            seconds = round(time.monotonic() - each.started, 2)
            entry = {"outcome": ended[0], "by": ended[1], "seconds": seconds, "tests": len(each.tests)}
            _keep(each.mutant, entry, results, out)


def _keep(mutant: Mutant, entry: dict[str, Any], results: dict[str, dict[str, Any]], out: Any) -> None:
    results[mutant.key] = {"key": mutant.key, **entry}
    out.write(json.dumps(results[mutant.key]) + "\n")
    out.flush()
    print(f"{len(results):4}  {entry['outcome']:9}  {mutant.path}:{mutant.line}  {entry['by']}", flush=True)
    if entry["outcome"] != "killed":
        print(mutant.diff, flush=True)


def _report(ended: Sequence[tuple[Mutant, dict[str, Any]]], drawn: int, every: int) -> None:
    known = known_equivalents()
    by_outcome: dict[str, list[Mutant]] = {"killed": [], "timed out": [], "survived": []}
    equivalent: list[tuple[Mutant, str]] = []
    for mutant, result in ended:
        by_outcome[result["outcome"]].append(mutant)
        if result["outcome"] != "killed":
            equivalent += [(mutant, each.reason) for each in known if each.fits(mutant)]
    listed = [mutant for mutant, _ in equivalent]
    for title in ("timed out", "survived"):
        print(f"\n{title}:")
        for mutant in sorted(by_outcome[title], key=lambda m: (m.path, m.line)):
            if mutant not in listed:
                print(f"{mutant.path}:{mutant.line}\n{mutant.diff}\n")
    print("known to be equivalent:")
    for mutant, reason in equivalent:
        print(f"{mutant.path}:{mutant.line}: {reason}\n{mutant.diff}\n")
    print(f"{drawn} drawn of {every}, {len(ended)} run")
    counts = ", ".join(f"{title} {len(mutants)}" for title, mutants in by_outcome.items())
    print(f"{counts}; of these {len(equivalent)} known to be equivalent")
    if ended:
        killed = len(by_outcome["killed"])
        interval = binomtest(killed, len(ended)).proportion_ci(method="wilson")
        share = 100 * killed / len(ended)
        print(f"killed: {share:.1f} %, 95 % interval {100 * interval.low:.1f} to {100 * interval.high:.1f} %")


if __name__ == "__main__":
    sys.exit(main())
