"""``trtmatrix show RUN``: the cells of a stored run, in the terminal or as files for other tools."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.written import speed

if TYPE_CHECKING:
    from harness.analysis.grid import Grid
    from harness.analysis.groups import BuildGroup
    from harness.analysis.hosts import HostNames
    from harness.analysis.rules.base import Rule
    from harness.analysis.verdict import Verdict


def add_parser(commands: Any) -> None:
    """Add the command."""
    parser = commands.add_parser("show", help="show the cells of a stored run, or write them for other tools")
    parser.add_argument("run", type=Path, metavar="RUN", help="folder of a bundle")
    parser.add_argument(
        "cell",
        nargs="?",
        metavar="CELL[/BUILD]",
        help="only this cell; the build is that of the middle layer time",
    )
    parser.add_argument("--json", action="store_true", help="print a JSON array")
    parser.add_argument(
        "--trace", type=Path, metavar="FILE", help="write an inference of each build for Perfetto"
    )
    parser.add_argument(
        "--dot", type=Path, metavar="FILE", help="write the engine graph of CELL for Graphviz"
    )
    parser.add_argument("--csv", type=Path, metavar="DIR", help="write the tables of the run as CSV files")
    parser.add_argument("--parquet", type=Path, metavar="DIR", help="write them as Parquet files")
    parser.set_defaults(func=run)


def run(arguments: argparse.Namespace) -> int:
    """Print one row a cell, and one a host where builds were made on several: these are never averaged."""
    from harness.analysis.figures.alone import alone_figures
    from harness.analysis.figures.conditions import waited
    from harness.analysis.grid import grid_of
    from harness.analysis.judge import judge
    from harness.analysis.material import MATERIAL
    from harness.cli.exports import Exports, only
    from harness.cli.listing import print_rows
    from harness.plugins import registry
    from harness.plugins.reading import observe

    exports = Exports.of(arguments)
    exports.check(arguments.run)
    grid = grid_of(observe([arguments.run]))
    grid, number = only(grid, arguments.cell)
    if exports:
        exports.write(grid, number)
        return 0
    rows = [_row(group, grid.hosts, as_json=arguments.json) for group in grid.groups]
    rules = registry.bottlenecks()
    verdicts = judge(grid, rules=rules)
    settling = _settling(verdicts)
    if arguments.json:
        from harness.analysis.documents import cell_figures
        from harness.store.documents.base import as_json

        for row, group in zip(rows, grid.groups, strict=True):
            row["figures"] = as_json(cell_figures(group))
            row["settles"] = settling.get((group.cell.id, group.host, group.name), ("", None))[1]
    else:
        told = {"host": len(grid.hosts.names) > 1, "group": any(row["group"] for row in rows)}
        costs = [_profiling_cost(group) for group in grid.groups]
        for row, cost in zip(rows, costs, strict=True):
            row["profiling_costs"] = cost
        told["profiling_costs"] = any(costs)
        told["waited"] = any((waited(group) or 0.0) > MATERIAL for group in grid.groups)
        told |= {name: any(row[name] for row in rows) for name in ("images_per_s", "gflops_per_s")}
        rows = [{key: value for key, value in row.items() if told.get(key, True)} for row in rows]
    print_rows(rows, as_json=arguments.json)
    for line in grid.run.unread:
        print(line, file=sys.stderr)
    if not arguments.json:
        _print_conditions(grid)
        for one in alone_figures(grid):
            print(one.words)
        shown = {group.cell.id for group in grid.groups}
        for (cell, _, _), (against, words) in settling.items():
            if cell not in shown:
                continue
            print(f"latency of {cell} cannot be told from that of {against}; would be settled by {words}")
        if arguments.cell is None and any(v.kind == "version" and v.against for v in verdicts):
            print()
            _print_short(grid, verdicts, rules)
    return 0


def _print_short(grid: Grid, verdicts: Sequence[Verdict], rules: Mapping[str, Rule]) -> None:
    from harness.analysis.run_analysis import analyse
    from harness.cli.verdict_table import print_short

    print_short(analyse(grid, verdicts, rules=rules).short)


def _print_conditions(grid: Grid) -> None:
    """Print what made times scatter, or may have, and how long a device was waited for."""
    from harness.analysis.figures.conditions import conditions, waiting
    from harness.analysis.material import MATERIAL

    if line := waiting(grid.groups, MATERIAL):
        print(line)
    for condition in conditions(grid.run):
        print(condition.line)
    if seconds := grid.run.manifest.seconds.get("waiting"):
        print(f"the run waited {seconds:.1f} s for its device, on which another run measured")


def _settling(verdicts: Sequence[Verdict]) -> dict[tuple[str, str, str], tuple[str, str]]:
    """Return by cell, host and group what its latency cannot be told from, and what would settle it."""
    from harness.analysis.verdict import LATENCY

    return {
        (v.cell, v.host, v.group): (v.against, v.settles)
        for v in verdicts
        if v.bottleneck == LATENCY and v.kind == "version" and v.against is not None and v.settles is not None
    }


def _row(group: BuildGroup, names: HostNames, *, as_json: bool) -> dict[str, object]:
    from harness.analysis.figures.latency import Speed, speed_of

    latency = group.latency
    reached = Speed() if latency.middle is None else speed_of(group, latency.middle)
    return {
        "cell": group.cell.id,
        "host": (group.host or None) if as_json else names.label(group.host),
        "group": group.name,
        "status": group.status,
        "builds": len(group.good) or sum(build.status in ("ok", "invalid") for build in group.observed),
        "latency_ms": _rounded(latency.middle),
        "low_ms": _rounded(latency.low),
        "high_ms": _rounded(latency.high),
        "images_per_s": _a_second(reached.images_per_s, as_json=as_json),
        "gflops_per_s": _a_second(reached.gflops_per_s, as_json=as_json),
        "waited": _waited(group, as_json=as_json),
        "measured": group.measured,
        "reason": group.reason,
    }


def _waited(group: BuildGroup, *, as_json: bool) -> object:
    from harness.analysis.figures.conditions import waited

    share = waited(group)
    if as_json:
        return None if share is None else round(share, 6)
    return "" if share is None else f"{100 * share:.1f} %"


def _profiling_cost(group: BuildGroup) -> str:
    """Return by how much inferences are longer with the profiler, in words; nothing where nobody says."""
    from harness.analysis.figures.times import class_times

    times = class_times(group)
    cost = times.profiling.cost if times is not None and times.profiling is not None else None
    return "" if cost is None else f"{100 * cost:.0f} %"


def _a_second(value: float | None, *, as_json: bool) -> object:
    if as_json:
        return None if value is None else round(value, 1)
    return speed(value)


def _rounded(milliseconds: float | None) -> float | None:
    return None if milliseconds is None else round(milliseconds, 4)
