"""The tables of docs/results, made from the published bundles of reports/results.

    python benchmarks/published_results.py

Judges each NAME.tar.xz by the decision table in force, together with later visits to other hosts beside it
(NAME.2.tar.xz ...), and writes its page (docs/results/NAME.md), the table over all of them
(docs/results/README.md), what changed (README.md) and the answers that every installation carries
(reports/published/NAME.json). A test holds the files to what this writes.
NAME.container_cost.json beside a bundle is what ``container_cost.py --out`` wrote on the same host.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.published_containers import COST, sections
from benchmarks.published_pairs import (
    GRAPH,
    Compared,
    adoption,
    both,
    change_of,
    comparisons,
    cost_row,
    latency_row,
)
from benchmarks.published_runtimes import runtime_lines
from benchmarks.published_tables import table
from harness.analysis.answers.remedies import clear_gains
from harness.analysis.blocks import Blocks
from harness.analysis.documents import verdicts_document
from harness.analysis.figures.latency import speed_of
from harness.analysis.grid import Grid, grid_of
from harness.analysis.judge import judge
from harness.analysis.rules.base import Rule
from harness.analysis.run_analysis import analyse
from harness.analysis.statistics.spreads import Spread
from harness.analysis.verdict import LATENCY, Verdict
from harness.observations.records import RunObservation
from harness.plugins import registry
from harness.plugins.reading import observe
from harness.store.documents.base import json_text
from harness.store.documents.published import Published
from harness.written import a_second, milliseconds, percent

ROOT = Path(__file__).resolve().parents[1]
RESULTS, PAGES = ROOT / "reports" / "results", ROOT / "docs" / "results"
ANSWERS, OVERVIEW = ROOT / "reports" / "published", PAGES / "README.md"
README = ROOT / "README.md"
BEGIN, END = "<!-- made by benchmarks/published_results.py -->", "<!-- end of the table -->"
FOUND_COLUMNS = (
    "network, treatment", "GPU", "TensorRT", "latency", "change", "as a CUDA graph", "change",
    "1x1 convolutions on GEMM kernels, each build",
)  # fmt: skip
OVERVIEW_COLUMNS = (
    "network, treatment", "version", "device, host", "builds", "latency, ms (95 % interval)", "a second",
    "as a CUDA graph, ms", "bundle",
)  # fmt: skip

LATENCY_COLUMNS = (
    "network, treatment", "host", "versions", "builds", "latency, ms", "change", "as a CUDA graph, ms",
    "change", "change that could have been shown: launched one by one, as a graph",
)  # fmt: skip
COST_COLUMNS = (
    "network, treatment", "host", "on GEMM kernels before", "after", "of them `gemm_as_conv1x1`", "1x1",
    "depthwise", "reformats between layers", "ReLU6 on its own",
)  # fmt: skip

SPREAD_COLUMNS = (
    "network, treatment", "launched one by one: processes", "builds", "as a CUDA graph: processes", "builds",
    "slow builds",
)  # fmt: skip


def page(
    name: str,
    run: RunObservation,
    blocks: Blocks,
    found: Sequence[Compared],
    costs: Sequence[dict[str, Any]] = (),
) -> str:
    """Return the page of the bundle called *name*, in Markdown.

    :param blocks: of the grid of *run*; :param found: its comparisons
    :param costs: what containers cost, as ``container_cost.py`` wrote it
    """
    hosts = sorted({build.host for cell in run.cells for build in cell.builds if build.status == "ok"})
    letters = {host: chr(ord("A") + place) for place, host in enumerate(hosts)}
    devices = "; ".join(f"host {letters[host]}: {_device(run, host)}" for host in hosts)
    sources = " and ".join(f"`reports/results/{path.name}`" for path in run.runs)
    lines = [
        f"# {run.manifest.matrix.description or name}",
        "",
        f"Made by `python benchmarks/published_results.py` from {sources}, which",
        "`trtmatrix judge`, `show` and `report` read as any run.",
        f"Measured {_day(run)}, all builds of a network and treatment side by side{_alone(run)};",
        "95 % intervals over builds; `?` is what these builds cannot tell.",
        *([f"{devices[0].upper()}{devices[1:]}."] if devices else []),
        *runtime_lines(run, letters),
        *(_version_lines(blocks, found, letters) if found else ()),
    ]
    for one in sections(run, {f"{x.key[0]} {x.key[1]}" for x in found}, costs):
        lines += ["", one.said, "", *table(one.columns, one.rows)]
    return "\n".join(lines) + "\n"


def _version_lines(blocks: Blocks, found: Sequence[Compared], letters: dict[str, str]) -> list[str]:
    return [
        "",
        *table(LATENCY_COLUMNS, (latency_row(one, letters) for one in found)),
        "",
        "1x1 convolutions that run a GEMM kernel (of all of them, build by build), and how much of the older",
        "version's layer time each bottleneck costs more or less:",
        "",
        *table(COST_COLUMNS, (cost_row(one, letters) for one in found)),
        "",
        "How far apart what should be the same lies in each block, as standard deviation of the logarithm",
        "(degrees of freedom): processes of one engine, and engines built anew, without the slow ones:",
        "",
        *table(SPREAD_COLUMNS, _spread_rows(blocks)),
    ]


def _spread_rows(blocks: Blocks) -> Iterator[list[str]]:
    for passes in blocks.passes.values():
        names = dict.fromkeys(cell.subject for one in passes.values() for cell, _ in one.cells)
        cells, slow = [", ".join(names)], 0
        for name in (LATENCY, GRAPH):
            levels = passes[name].levels if name in passes else None
            spreads = () if levels is None else (levels.spread_of_processes, levels.spread_of_builds)
            cells += [_spread(one) for one in spreads] or ["", ""]
            slow = max(slow, 0 if levels is None else int(levels.slow.sum()))
        yield [*cells, str(slow)]


def _spread(found: Spread) -> str:
    if not found.pooled_degrees > 0:
        return ""
    return f"{percent(float(np.sqrt(found.pooled)), 2)} ({float(found.pooled_degrees):.0f})"


def _alone(run: RunObservation) -> str:
    """Return which cells were measured by themselves where the others of their network were in a block."""
    by_itself = [
        f"{seen.cell.subject} on {seen.cell.release}"
        for seen in run.cells
        if seen.builds and not any(build.block for build in seen.builds)
    ]
    return f" (by themselves: {', '.join(by_itself)})" if 0 < len(by_itself) < len(run.cells) else ""


def _day(run: RunObservation) -> str:
    days = sorted(
        {b.identity.started.date().isoformat() for c in run.cells for b in c.builds if b.identity.started}
    )
    return days[0] if len(days) == 1 else " to ".join((days[0], days[-1])) if days else "at an unknown time"


def _device(run: RunObservation, host: str) -> str:
    facts = next((b.facts for c in run.cells for b in c.builds if b.host == host), {})
    return f"{facts.get('gpu', 'unknown')} (driver {facts.get('driver', 'unknown')})"


def document(name: str, grid: Grid, verdicts: Sequence[Verdict], rules: Mapping[str, Rule]) -> str:
    """Return the short answers and the gains of the bundle called *name*, as installations carry them."""
    analysis = analyse(grid, verdicts, rules=rules)
    gains = [
        gain
        for answer in analysis.answers
        for one in answer.runtimes
        for remedy in one.remedies
        for gain in remedy.told
    ]
    known = {(gain.remedy, gain.runtime) for gain in gains}
    gains += (gain for gain in clear_gains(grid) if (gain.remedy, gain.runtime) not in known)
    made = Published(
        bundle=name,
        measured=_day(grid.run),
        short=verdicts_document(analysis).short,
        gains=gains,
    )
    return json_text(made)


def bundles() -> dict[str, list[Path]]:
    """Return the published files of each name: the first, then those of later visits."""
    found: dict[str, list[Path]] = {}
    for path in sorted(RESULTS.glob("*.tar.xz"), key=lambda one: (one.name.count("."), one.name)):
        found.setdefault(path.name.partition(".")[0], []).append(path)
    return found


def files() -> dict[Path, str]:
    """Return the text of each file that is made of the published bundles."""
    made: dict[Path, str] = {}
    rows: list[list[str]] = []
    found: list[list[str]] = []
    rules = registry.bottlenecks()
    for name, paths in bundles().items():
        run = observe(paths)
        grid = grid_of(run)
        verdicts = judge(grid, rules=rules)
        compared = comparisons(run, verdicts)
        cost = RESULTS / (name + COST)
        costs = json.loads(cost.read_text(encoding="utf-8")) if cost.is_file() else []
        made[PAGES / f"{name}.md"] = page(name, run, grid.blocks, compared, costs)
        if not any("+stand-in" in seen.cell.version or seen.status == "failed" for seen in run.cells):
            made[ANSWERS / f"{name}.json"] = document(
                name, grid, verdicts, rules
            )  # on what others may run, no stand-in
        rows += overview(name, grid)
        found += (_found_row(run, one) for one in compared if one.verdicts[LATENCY].change is not None)
    made[OVERVIEW] = _with_table(OVERVIEW, OVERVIEW_COLUMNS, rows)
    made[README] = _with_table(README, FOUND_COLUMNS, found)
    return made


def _with_table(path: Path, columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return the text of *path* with the table in its place."""
    before, _, rest = path.read_text(encoding="utf-8").partition(BEGIN)
    made = "\n".join(table(columns, rows))
    return f"{before}{BEGIN}\n\n{made}\n\n{END}{rest.partition(END)[2]}"


def _found_row(run: RunObservation, one: Compared) -> list[str]:
    """Return the row of a latency that changed."""
    network, treatment, version, host = one.key
    cells = [f"{network} {treatment}", _device(run, host).partition(" (")[0], f"{one.against} → {version}"]
    for name in (LATENCY, GRAPH):
        verdict = one.verdicts.get(name)
        cells += ["", ""] if verdict is None else [f"{both(verdict)} ms", change_of(verdict)]
    pointwise = one.verdicts["pointwise"]
    return [*cells, " → ".join(adoption(pointwise, side).partition(" of ")[0] for side in ("old", "new"))]


def overview(name: str, grid: Grid) -> Iterator[list[str]]:
    """Yield a row for each network, treatment, version and host of the bundle called *name*."""
    for row in grid.rows:
        for group in row.groups:
            if not group.latency.builds or group.cell.repeat:
                continue
            latency, speed = group.latency, speed_of(group, float(group.latency.middle or 0.0))
            ends = f" ({milliseconds(latency.low)} to {milliseconds(latency.high)})" if latency.low else ""
            graph = group.judged_by(GRAPH).latency
            yield [
                f"{group.cell.network} {' '.join(group.cell.treatment.words)}",
                f"{group.cell.runtime} {group.cell.version}",
                f"{_device(grid.run, group.host)}, {group.host.partition('/')[0][:12]}",
                str(len(latency.builds)),
                f"{milliseconds(latency.middle)}{ends}",
                a_second(speed.images_per_s, speed.gflops_per_s),
                milliseconds(graph.middle),
                f"[{name}]({name}.md)",
            ]


def main(words: Sequence[str] | None = None) -> None:
    """Write the files."""
    argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None).parse_args(words)
    for path, text in files().items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        print(path)


if __name__ == "__main__":
    main()
