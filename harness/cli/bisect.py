"""``trtmatrix bisect``: between which two neighbouring versions did something change?"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.errors import EXIT_OK, UsageError

if TYPE_CHECKING:
    from harness.layers.observation import CellObservation
    from harness.matrix.cell import Cell


def add_parser(commands: Any) -> None:
    """Add the command."""
    parser = commands.add_parser(
        "bisect", help="find the two neighbouring versions between which a verdict or the latency changed"
    )
    parser.add_argument(
        "sources",
        nargs="+",
        type=Path,
        metavar="RUN|MATRIX",
        help="stored runs, or one matrix file whose cells are measured as they are needed",
    )
    parser.add_argument("--bottleneck", default="latency", metavar="NAME", help="default: latency")
    parser.add_argument("--network", metavar="NAME", help="needed where the sources hold several")
    parser.add_argument("--treatment", metavar="LABEL", help="as in cell ids: fp32-b1-clip")
    parser.add_argument("--runtime", metavar="NAME", help="needed where the sources hold several")
    parser.add_argument("--host", metavar="NAME", help="stored runs: needed where they were on several")
    parser.add_argument("--versions", metavar="LIST", help="only these, separated by commas")
    parser.add_argument("--out", type=Path, metavar="DIR", help="matrix: the bundles are written below it")
    parser.add_argument("--builds", type=int, metavar="N", help="matrix: builds of each cell")
    parser.add_argument("--json", action="store_true", help="print the answer as JSON")
    parser.set_defaults(func=run)


def run(arguments: argparse.Namespace) -> int:
    """Search and print."""
    from harness import registry
    from harness.bottlenecks.bisect import bisect, found_as_json, found_message

    rules = registry.bottlenecks()
    if arguments.bottleneck != "latency" and arguments.bottleneck not in rules:
        known = ", ".join([*rules, "latency"])
        raise UsageError(f"--bottleneck: '{arguments.bottleneck}' is unknown; known are {known}")
    wanted = {name: rule for name, rule in rules.items() if name == arguments.bottleneck}
    live = len(arguments.sources) == 1 and arguments.sources[0].is_file()
    versions, evaluate = _live(arguments) if live else _stored(arguments)
    found = bisect(versions, evaluate, arguments.bottleneck, rules=wanted)
    if arguments.json:
        json.dump(found_as_json(found), sys.stdout, indent=1, allow_nan=False)
        sys.stdout.write("\n")
    else:
        print(found_message(found))
    return EXIT_OK


Source = tuple[list[str], "Callable[[str], CellObservation]"]


def _stored(arguments: argparse.Namespace) -> Source:
    """Return the versions of stored runs that were measured, and how to look one up."""
    from harness.observe import observe

    seen = {x.cell: _on_host(x, arguments.host) for x in observe(arguments.sources).cells}
    chosen = _choose(arguments, [cell for cell, found in seen.items() if found.builds and not cell.repeat])
    return list(chosen), lambda version: seen[chosen[version]]


def _on_host(found: CellObservation, host: str | None) -> CellObservation:
    if host is None:
        return found
    return replace(found, builds=tuple(b for b in found.builds if b.host == host))


def _live(arguments: argparse.Namespace) -> Source:
    """Return the versions of a matrix, and how to measure one: a run of its one cell each time."""
    from harness.observe import observe
    from harness.plan import Choices, make_plan
    from harness.session import measure

    if arguments.out is None:
        raise UsageError("--out is needed with a matrix: the folder for the bundles of the versions measured")
    choices = Choices(matrix=arguments.sources[0], builds=arguments.builds)
    plan = make_plan(choices)
    chosen = _choose(arguments, [cell for cell in plan.cells if not cell.repeat])

    def evaluate(version: str) -> CellObservation:
        cell = chosen[version]
        own = replace(choices, out=arguments.out / cell.id)
        bundle = measure(plan, own, [cell], lambda line: print(line, file=sys.stderr))
        return observe([bundle.root]).cells[0]

    return list(chosen), evaluate


def _choose(arguments: argparse.Namespace, cells: Sequence[Cell]) -> dict[str, Cell]:
    """Return version to cell, oldest first, of the one subject and runtime that the options leave."""
    from harness.bottlenecks.baseline import version_key

    for option in ("network", "treatment", "runtime"):
        values = {cell: _value(cell, option) for cell in cells}
        asked = getattr(arguments, option)
        known = sorted(set(values.values()))
        if asked is None and len(known) > 1:
            raise UsageError(f"--{option}: name one of {', '.join(known)}")
        if asked is not None and asked not in known:
            raise UsageError(f"--{option}: '{asked}' is not there; known are {', '.join(known) or 'none'}")
        cells = [cell for cell in cells if asked is None or values[cell] == asked]
    found = {cell.version: cell for cell in sorted(cells, key=lambda cell: version_key(cell.version))}
    if arguments.versions is None:
        return found
    names = [name.strip() for name in arguments.versions.split(",") if name.strip()]
    if unknown := [name for name in names if name not in found]:
        raise UsageError(f"--versions: '{unknown[0]}' is not there; known are {', '.join(found) or 'none'}")
    return {name: found[name] for name in names}


def _value(cell: Cell, option: str) -> str:
    return cell.treatment.label if option == "treatment" else str(getattr(cell, option))
