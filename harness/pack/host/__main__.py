"""``./start.sh``: unpack what has arrived, measure in complete blocks, leave results to carry home."""

from __future__ import annotations

import argparse
import signal
import sys
import time
from collections.abc import Callable, Sequence
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from .script import run_script
from .several import asked_for, run_beside
from .unpack import Pack, PackError
from .visit import HOME_EVERY, Visit, VisitOptions


def main(arguments: Sequence[str] | None = None) -> int:
    """Return 0 when all that was asked for is measured, 4 when some is left, 3 when the pack is unusable."""
    began = time.monotonic()
    options = _parser().parse_args(arguments)
    # A container that is stopped sends SIGTERM: what is measured so far still goes home.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        # The worker's working directory is another one.
        options.results = options.results.absolute()
        base = Pack(options.base.absolute()) if options.base is not None else None
        pack = Pack(options.pack.absolute(), base)
        uuids = asked_for(options.gpu)
        if uuids and not (options.list or options.unpack or options.script):
            return run_beside(uuids, sys.argv[1:] if arguments is None else arguments)
        return _run(pack, options, began)
    except PackError as error:
        sys.stderr.write(f"trtmatrix pack: {error}\n")
        return 3


def _run(pack: Pack, options: argparse.Namespace, began: float) -> int:
    cells = _cells(pack, options.only)
    if options.unpack:
        return _unpack(pack, cells)
    ready, waiting = _ready(pack, cells)
    for cell, reason in waiting.items():
        say(f"{cell}: left out: {reason}")
    contained = pack.document.get("contained", ())
    if contained:
        say(f"cells in containers: {len(contained)}, left to 'trtmatrix run' on this host")
    if not ready:
        raise PackError(
            "nothing of what was asked for has arrived; cells: {}".format(", ".join(cells) or "none")
        )
    if options.list:
        for cell in ready:
            say(cell)
        return 0
    if options.script:
        return run_script(pack, ready, options.script, options.gpu)
    asked = VisitOptions(
        ready,
        _rounds(options.rounds, pack),
        options.budget,
        _seed(options, pack),
        options.retry_failed,
        options.gpu,
        options.by_round,
        options.home,
        options.piece_size * 10**6,
        options.home_every,
        None if options.keep_engines is None else options.keep_engines.absolute(),
    )
    visit = Visit(pack, options.results, asked, _sayer(options.gpu), began)
    left = visit.run()
    ended = ", ".join(f"{count} {status}" for status, count in visit.ended.items()) or "none measured"
    say(f"builds: {ended}; blocks left: {left}")
    return 4 if left else 0


def _unpack(pack: Pack, cells: Sequence[str]) -> int:
    """Unpack every site of *cells* that has arrived."""
    left = 0
    jobs = pack.document["jobs"]
    sites = [jobs[cell]["site"] for cell in cells] + [jobs[cell]["inputs"] for cell in cells]
    for site in dict.fromkeys(sites):
        if not pack.arrived(site):
            left += 1
            continue
        began = time.monotonic()
        pack.site(site)
        say(f"{site}: unpacked in {time.monotonic() - began:.1f} s")
    say(f"{left} of {len(set(sites))} folders wait for later parts")
    return 4 if left else 0


def _cells(pack: Pack, patterns: Sequence[str]) -> list[str]:
    jobs: dict[str, Any] = pack.document["jobs"]
    found = [cell for cell in jobs if not patterns or any(fnmatchcase(cell, one) for one in patterns)]
    for pattern in patterns:
        if not any(fnmatchcase(cell, pattern) for cell in jobs):
            raise PackError(f"--only {pattern}: matches none of the {len(jobs)} cells of the pack")
    return found


def _ready(pack: Pack, cells: Sequence[str]) -> tuple[list[str], dict[str, str]]:
    """Return cells whose subject has arrived with all the versions asked for, and why the others wait."""
    jobs = pack.document["jobs"]
    missing: dict[str, str] = {}
    for cell in cells:
        for site in (jobs[cell]["site"], jobs[cell]["inputs"]):
            if not pack.arrived(site):
                missing.setdefault(jobs[cell]["subject"], site)
    waiting = {
        cell: "{} has not arrived, and versions are compared in complete blocks".format(
            missing[jobs[cell]["subject"]]
        )
        for cell in cells
        if jobs[cell]["subject"] in missing
    }
    return [cell for cell in cells if cell not in waiting], waiting


def _rounds(text: str | None, pack: Pack) -> tuple[int, int]:
    if text is None:
        return 0, int(pack.document["builds"])
    first, dash, last = text.partition("-")
    try:
        found = (int(first), int(last) + 1) if dash else (0, int(first))
    except ValueError:
        found = (0, 0)
    if not 0 <= found[0] < found[1]:
        raise PackError(
            f"--rounds {text}: expected how many (3), or the first and the last counted from 0 (2-4)"
        )
    return found


def _seed(options: argparse.Namespace, pack: Pack) -> int:
    return int(pack.document["seed"] if options.seed is None else options.seed)


def _sayer(gpu: str | None) -> Callable[[str], None]:
    """Return :func:`say`, with the GPU before each line where one was asked for: there may be others."""
    name = "" if gpu is None else "-".join(gpu.split("-")[:2]) + "  "
    return lambda line: say(name + line)


def say(line: str) -> None:
    """Print one line at once: whoever watches sees how far it is."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="start.sh", description=__doc__)
    parser.add_argument("--pack", type=Path, required=True, help=argparse.SUPPRESS)
    parser.add_argument(
        "--base", type=Path, metavar="DIR", help="the unpacked pack that this one was made on top of"
    )
    parser.add_argument(
        "--gpu",
        metavar="WHICH",
        help="the GPU to measure on: index or UUID (the first), several (0,1), or all",
    )
    parser.add_argument(
        "--results", type=Path, default=Path("results"), help="folder of the results (./results)"
    )
    parser.add_argument(
        "--budget", type=float, metavar="SECONDS", help="stop before a build that is unlikely to end in time"
    )
    parser.add_argument(
        "--only", action="append", default=[], metavar="PATTERN", help="cells to measure (again and again)"
    )
    parser.add_argument("--rounds", metavar="N|FIRST-LAST", help="builds of each cell (as the matrix says)")
    parser.add_argument(
        "--by-round", action="store_true", help="a round of everything before the next round of anything"
    )
    parser.add_argument("--seed", type=int, help="seed of the order (that of the pack)")
    parser.add_argument("--retry-failed", action="store_true", help="measure builds again that failed")
    parser.add_argument(
        "--home", type=Path, metavar="DIR", help="write the results of this visit as archives into DIR"
    )
    parser.add_argument(
        "--home-every",
        type=float,
        default=HOME_EVERY,
        metavar="SECONDS",
        help=f"not at the end alone, but after a block once so long has passed ({HOME_EVERY:.0f})",
    )
    parser.add_argument("--piece-size", type=int, default=15, metavar="MB", help="largest archive (15)")
    parser.add_argument(
        "--keep-engines", type=Path, metavar="DIR", help="keep the engines, as DIR/CELL-ROUND.plan"
    )
    parser.add_argument(
        "--script",
        nargs=argparse.REMAINDER,
        metavar="FILE",
        help="instead of measuring, run FILE JOB.json ... with what follows, in the cells' environment",
    )
    parser.add_argument("--list", action="store_true", help="say which cells can be measured, and end")
    parser.add_argument("--unpack", action="store_true", help="unpack what has arrived, and end")
    return parser


if __name__ == "__main__":
    sys.exit(main())
