"""``trtmatrix reproduce RUN VERDICT -o DIR``: what carries a change, as a small network for a bug report."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.cli.measure_options import add_shape, check_builds
from harness.errors import (
    EXIT_OK,
    NothingToReproduceError,
    UnknownNameError,
    did_you_mean,
)
from harness.written import number_of

if TYPE_CHECKING:
    from harness.analysis.grid import Grid
    from harness.analysis.verdict import Verdict
    from harness.store.documents.reproduction import Reproduction


def add_parser(commands: Any) -> None:
    """Add the command."""
    parser = commands.add_parser(
        "reproduce", help="cut what carries a change out of its network, for a bug report"
    )
    parser.add_argument("run", type=Path, metavar="RUN", help="folder or archive of a bundle")
    parser.add_argument(
        "verdict", metavar="VERDICT", help="its name, as judge and the report show it, or a part of one"
    )
    parser.add_argument("-o", "--out", type=Path, required=True, metavar="DIR", help="folder to write")
    parser.add_argument("--layer", metavar="NAME", help="begin with this layer or source op, not the largest")
    parser.add_argument("--baseline", metavar="VERSION", help="as judge had it when it named the verdict")
    parser.add_argument(
        "--network", type=Path, metavar="FILE", help="the network, where it is a file of your own"
    )
    add_shape(parser, "that file")
    parser.add_argument(
        "--environment", metavar="NAME", help="where the versions live: docker, venv, current"
    )
    parser.add_argument("--minutes", metavar="N", help="for all pieces; one that is begun is finished (10)")
    parser.add_argument("--builds", type=int, default=3, metavar="N", help="of each version and piece (3)")
    parser.add_argument("--no-measure", action="store_true", help="cut and write only")
    parser.add_argument("--resume", action="store_true", help="go on in --out with what was measured there")
    parser.set_defaults(func=run)


def run(arguments: argparse.Namespace) -> int:
    """Cut, measure, write, and say what was found."""
    from harness.cli.outputs import check_folder, check_new_folder
    from harness.execution.plan import above_zero
    from harness.reproduce.reproduction import Wish, check_same, reproduce

    minutes = above_zero(arguments.minutes, "--minutes") or Wish.minutes
    check_builds(arguments.builds, least=2)
    out: Path = arguments.out
    if arguments.resume:
        check_folder(out, "--out")
    else:
        check_new_folder(out, "--out")
    grid, verdict = _asked(arguments.run, arguments.verdict, arguments.baseline)
    check_same(out, grid, verdict)
    wish = Wish(
        out=out,
        layer=arguments.layer,
        network=arguments.network,
        shapes=tuple(arguments.shape),
        minutes=0.0 if arguments.no_measure else minutes,
        builds=arguments.builds,
        environment=arguments.environment,
    )
    try:
        found = reproduce(grid, verdict, wish, _say)
    except KeyboardInterrupt:
        _say(f"what was measured is in {out}; the same command with --resume goes on")
        raise
    for line in _answer(found, out):
        print(line)
    return EXIT_OK


def _asked(run: Path, name: str, baseline: str | None) -> tuple[Grid, Verdict]:
    """Return the verdict called *name* on the run, and the grid that it is on.

    :raises UnknownNameError: there is none; :raises NothingToReproduceError: it tells no change
    """
    from harness.cli.judging import judged_runs
    from harness.matrix.file import PREVIOUS

    named: dict[str, tuple[Grid, Verdict]] = {}
    # A name that judge shows, and one of the report, which compares as the matrix of the run says.
    ways = [judged_runs([run], baseline or PREVIOUS)]
    if baseline is None and ways[0].grid.run.manifest.matrix.baseline != PREVIOUS:
        ways.append(judged_runs([run]))
    for judged in ways:
        for verdict in (one for one in judged.verdicts if one.against is not None):
            named.setdefault(verdict.name, (judged.grid, verdict))
    grid, verdict = named[_one_of(name, named, run)]
    if not verdict.can_be_reproduced:
        others = [one.name for _, one in named.values() if one.can_be_reproduced]
        known = f"; these are one: {', '.join(others[:5])}" if others else "; no verdict of this run is one"
        raise NothingToReproduceError(
            f"{verdict.name} is no change between two versions of this run ({verdict.verdict}){known}"
        )
    return grid, verdict


def _one_of(name: str, named: Mapping[str, tuple[Grid, Verdict]], run: Path) -> str:
    if name in named:
        return name
    found = [one for one in named if name and name in one]
    if len(found) == 1:
        return found[0]
    cut = [one for one, (_, verdict) in named.items() if verdict.can_be_reproduced]
    if found:
        problem = f"{len(found)} verdicts have that in their name: {', '.join(found[:5])}"
    else:
        problem = f"no verdict of this run has that name{did_you_mean(name, cut or named)}"
    raise UnknownNameError(f"'{name}': {problem}; 'trtmatrix judge {run}' names them")


def _answer(found: Reproduction, out: Path) -> Iterable[str]:
    """Yield what was found, and where it is."""
    from harness.reproduce.text import FROM_AROUND
    from harness.written import change, interval

    ops = number_of(len(found.ops), "op")
    piece = next((one for one in found.pieces if one.ops == found.ops), None)
    if found.state == "shown" and piece is not None:
        shown = "shows" if len(found.ops) == 1 else "show"
        own = f"{change(piece.effect)} ({interval(piece.interval)})"
        yield f"{ops} {shown} it: {own}, of {change(found.change)}"
        if piece.again is not None:
            yield f"new builds of it, which did not choose it: {interval(piece.again)}"
        if found.neighbours:
            yield f"only with these neighbours: {', '.join(found.neighbours)}"
    elif found.state == "not shown":
        if piece is None or not piece.shows:
            yield FROM_AROUND
        if found.reason:
            yield f"{found.reason}; --resume with more --minutes goes on"
    else:
        yield f"not measured here: {found.reason}"
        yield f"where both versions run: {found.compare}"
    yield f"{ops}: {', '.join(found.ops)}"
    yield from found.commands.values()
    yield f"to paste: {out / 'bug-report.md'}; beside it piece.onnx and what its commands need"


def _say(line: str) -> None:
    # On standard error: the answer alone is on standard output.
    print(line, file=sys.stderr, flush=True)
