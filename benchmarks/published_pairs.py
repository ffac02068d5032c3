"""Comparisons of two versions in a published bundle, and the cells of tables that say what came out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from harness.analysis.grid import grid_of
from harness.analysis.judge import judge
from harness.analysis.verdict import LATENCY, Verdict
from harness.observations.records import RunObservation, judged_by, passes_of
from harness.written import change, interval, milliseconds, percent, span

GRAPH = "cuda_graph"

Key = tuple[str, str, str, str]
"""Network, treatment, version and host of what was compared."""


@dataclass(frozen=True)
class Compared:
    """One comparison of two versions: the verdicts on it, by name of the bottleneck or pass."""

    key: Key
    against: str
    verdicts: dict[str, Verdict]


def comparisons(run: RunObservation, verdicts: Sequence[Verdict]) -> list[Compared]:
    """Return the comparisons of versions in *run*, those of the CUDA graph among them.

    :param verdicts: on *run*, of every rule
    """
    found: dict[Key, dict[str, Verdict]] = {}
    told = [(one.bottleneck, one) for one in verdicts if one.against is not None]
    if GRAPH in passes_of(run):
        graph = judge(grid_of(judged_by(run, GRAPH)), rules={})
        told += [(GRAPH, one) for one in graph if one.against is not None]
    for name, verdict in told:
        key = (verdict.network, verdict.treatment, verdict.version, verdict.host)
        found.setdefault(key, {})[name] = verdict
    # Of cells that failed there is a verdict, and nothing to compare.
    return [
        Compared(key, str(mine[LATENCY].against), mine)
        for key, mine in found.items()
        if LATENCY in mine and "old" in mine[LATENCY].evidence
    ]


def latency_row(one: Compared, letters: dict[str, str]) -> list[str]:
    """Return a row of the table of latencies."""
    network, treatment, version, host = one.key
    cells = [f"{network} {treatment}", letters[host], f"{one.against} → {version}"]
    cells.append("{} and {}".format(*one.verdicts[LATENCY].builds))
    for name in (LATENCY, GRAPH):
        verdict = one.verdicts.get(name)
        cells += ["", ""] if verdict is None else [both(verdict), change_of(verdict)]
    cells.append(", ".join(smallest(one.verdicts.get(name)) for name in (LATENCY, GRAPH)))
    return cells


def cost_row(one: Compared, letters: dict[str, str]) -> list[str]:
    """Return a row of the table of kernels and bottlenecks."""
    network, treatment, _, host = one.key
    pointwise = one.verdicts["pointwise"]
    cells = [
        f"{network} {treatment}",
        letters[host],
        adoption(pointwise, "old"),
        adoption(pointwise, "new"),
    ]
    cells.append(" → ".join(family(pointwise, side) for side in ("old", "new")))
    cells += [share(one.verdicts[name]) for name in ("pointwise", "depthwise", "reformat", "relu6")]
    return cells


def smallest(verdict: Verdict | None) -> str:
    """Return the smallest change that could have been shown."""
    known = verdict is not None and verdict.smallest_detectable is not None
    return percent(verdict.smallest_detectable) if verdict is not None and known else "none"


def both(verdict: Verdict) -> str:
    """Return the mean latencies of both versions, ms."""
    return " → ".join(milliseconds(mean_of(verdict, side)) for side in ("old", "new"))


def mean_of(verdict: Verdict, side: str) -> float:
    """Return the mean over builds on one *side*."""
    evidence = verdict.evidence[side]
    assert isinstance(evidence, dict)
    return float(np.mean(evidence["ms"]))


def change_of(verdict: Verdict) -> str:
    """Return the change with its interval; ``?`` where it cannot be told."""
    mark = "" if verdict.change is not None else "? "
    said = f"{mark}{change(verdict.effect)}"
    return f"{said} ({interval(verdict.interval)})" if verdict.scatters else said


def adoption(verdict: Verdict, side: str) -> str:
    """Return how many 1x1 convolutions each build of *side* runs on GEMM kernels."""
    evidence = verdict.evidence[side]
    assert isinstance(evidence, dict)
    return f"{', '.join(map(str, evidence['on_any_gemm']))} of {span(evidence['convolutions'])}"


def family(verdict: Verdict, side: str) -> str:
    """Return for how many ``gemm_as_conv1x1`` was chosen."""
    evidence = verdict.evidence[side]
    assert isinstance(evidence, dict)
    return ", ".join(map(str, evidence["on_gemm_as_conv1x1"]))


def share(verdict: Verdict) -> str:
    """Return a bottleneck's verdict with its change in the old layer time."""
    word = {"indeterminate": "?"}.get(str(verdict.verdict), str(verdict.verdict))
    if verdict.difference is None:
        return word
    return f"{word} {100 * verdict.difference:+.1f} %".replace("-", "\N{MINUS SIGN}")
