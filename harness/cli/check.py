"""``trtmatrix check MATRIX``: read the matrix, list its cells, say which can run here and why not."""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.cli.measure_options import add_shape
from harness.errors import EXIT_ENVIRONMENT, EXIT_OK

if TYPE_CHECKING:
    from harness.execution.preflight import CellAvailability


def add_parser(commands: Any) -> None:
    """Add the command."""
    parser = commands.add_parser("check", help="read a matrix and say what can run here, without running it")
    parser.add_argument("matrix", nargs="?", type=Path, help="matrix file (default: the embedded one)")
    parser.add_argument(
        "--explain", action="store_true", help="list everything that was looked at, and what to do"
    )
    parser.add_argument("--json", action="store_true", help="print a JSON array")
    parser.add_argument(
        "--network",
        action="append",
        type=Path,
        default=[],
        metavar="FILE",
        help="read this ONNX file, frozen GraphDef (.pb) or SavedModel (a folder) instead",
    )
    add_shape(parser, "that file")
    parser.set_defaults(func=run)


def run(arguments: argparse.Namespace) -> int:
    """Print one line a cell; exit status 3 when none can run here."""
    from harness.cli.listing import print_rows
    from harness.environments.package_index import NAME
    from harness.execution.measuring import affinity
    from harness.execution.plan import Choices, make_plan
    from harness.execution.preflight import preflight
    from harness.plugins import registry

    choices = Choices(
        matrix=arguments.matrix, networks=tuple(arguments.network), shapes=tuple(arguments.shape)
    )
    plan = make_plan(choices, registry.parts())
    affinity(plan.matrix.cpu)
    availability = preflight(plan.cells, registry.parts())
    rows: list[dict[str, object]] = []
    for item in availability:
        row: dict[str, object] = {
            "cell": item.cell.id,
            "environment": item.cell.environment,
            "state": item.state,
            "index": next((check.state for check in item.checks if check.name == NAME), ""),
            "reason": "; ".join(filter(None, (item.reason, item.note))),
        }
        if arguments.json:
            row["what_to_do"] = item.remedy
            row["checks"] = [asdict(check) for check in item.checks]
        rows.append(row)
    if not arguments.json:
        counts = Counter(str(row["reason"]) for row in rows)
        rows = [{**row, "reason": _once(str(row["reason"]), counts)} for row in rows]
    print_rows(rows, as_json=arguments.json)
    if not arguments.json:
        _print_conditions()
    if arguments.explain and not arguments.json:
        _explain(availability)
    return EXIT_OK if any(item.state == "ok" for item in availability) else EXIT_ENVIRONMENT


def _print_conditions() -> None:
    """Print what of this machine makes times scatter, and what to do about it."""
    from harness.store.conditions import of_machine
    from harness.store.machine import machine_facts

    for condition in of_machine(machine_facts()):
        print(condition.line)


def _once(reason: str, left: Counter[str]) -> str:
    """Return *reason* with the number of cells that have it, and nothing once it was said."""
    count = left.pop(reason, 0)
    return f"{reason} ({count} cells)" if reason and count > 1 else reason if count else ""


def _explain(availability: Sequence[CellAvailability]) -> None:
    """Print everything that was looked at, once for each version and environment."""
    seen = set()
    for item in availability:
        place = f"{item.cell.runtime} {item.cell.version} in {item.cell.environment}"
        if place in seen:
            continue
        seen.add(place)
        print(f"\n{place}")
        for check in item.checks:
            todo = f"; {check.remedy}" if check.remedy else ""
            print(f"  {check.name}: {check.state}{': ' + check.reason if check.reason else ''}{todo}")
