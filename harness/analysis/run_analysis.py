"""All that is said of a run: its grid, the verdicts, and the figures beside them; what a page then draws."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from harness.analysis.answers.answer import Answer, answers, shared_words
from harness.analysis.answers.published import published_answers
from harness.analysis.answers.recorded import recorded_answers, timed_runtimes
from harness.analysis.answers.short import ShortAnswer, short_answers
from harness.analysis.figures.alone import AloneFigures, alone_figures
from harness.analysis.figures.conditions import condition_lines
from harness.analysis.figures.formats import FormatTable, format_tables
from harness.analysis.figures.kernels import KernelFigures, kernel_figures
from harness.analysis.figures.latency import LatencyFigures, latency_figures
from harness.analysis.figures.outlying import OutlyingBuild, outlying_builds
from harness.analysis.figures.relu6 import Relu6Figures, relu6_figures
from harness.analysis.figures.roofline import RooflineFigures, roofline_figures
from harness.analysis.figures.runtimes import RuntimeTable, side_by_side
from harness.analysis.figures.sides import NeighbourSides, neighbour_sides
from harness.analysis.figures.times import TimeFigures, time_figures
from harness.analysis.grid import Grid, GridRow
from harness.analysis.rules.base import Rule, RuleSection
from harness.analysis.rules.sections import rule_sections, rule_titles
from harness.analysis.verdict import Verdict
from harness.matrix.file import PREVIOUS
from harness.store.documents.published import Published


@dataclass(frozen=True)
class RowFigures:
    """One subject on one host.

    :param name: of its row in the grid; :param times: None where no build has a profile
    """

    name: str
    latency: tuple[LatencyFigures, ...]
    times: TimeFigures | None
    kernels: tuple[KernelFigures, ...]
    rooflines: tuple[RooflineFigures, ...]
    formats: tuple[FormatTable, ...]
    sides: tuple[NeighbourSides, ...]


@dataclass(frozen=True)
class RunAnalysis:
    """A run, judged.

    :param baseline: what it was compared with, as messages call it
    :param answers: on each network and treatment; :param short: on each runtime
    :param shared: words on treatments that all answers have in common, and leave out
    :param published: what published runs answer on runtimes that this one has not
    :param rows: in the order of the grid's
    :param runtimes: those that ran the same, beside each other
    :param alone: what builds take on their own, beside what they take side by side, of each host
    :param conditions: what made times scatter, or may have, with what to do about it
    :param titles: of the rules, by name in their order
    :param sections: what rules say besides, by the rule's name
    """

    grid: Grid
    baseline: str
    verdicts: tuple[Verdict, ...]
    answers: tuple[Answer, ...]
    short: tuple[ShortAnswer, ...]
    shared: tuple[str, ...]
    published: tuple[Published, ...]
    rows: tuple[RowFigures, ...]
    outlying_builds: tuple[OutlyingBuild, ...]
    relu6: tuple[Relu6Figures, ...]
    runtimes: tuple[RuntimeTable, ...]
    alone: tuple[AloneFigures, ...]
    conditions: tuple[str, ...]
    titles: Mapping[str, str]
    sections: Mapping[str, RuleSection]


def analyse(
    grid: Grid,
    verdicts: Sequence[Verdict],
    baseline: str = PREVIOUS,
    *,
    rules: Mapping[str, Rule],
    first: str | None = None,
) -> RunAnalysis:
    """Return the figures that stand beside the *verdicts* on the run of *grid*.

    :param rules: those that judged it, by name
    :param first: runtime that others are held against; None: the first that ran the same
    """
    titles, runtimes = rule_titles(rules), side_by_side(grid, first)
    told = answers(grid, verdicts, titles)
    return RunAnalysis(
        grid=grid,
        baseline=baseline,
        verdicts=tuple(verdicts),
        answers=told,
        short=(*short_answers(told, titles, runtimes, grid.hosts), *recorded_answers(grid)),
        shared=shared_words(grid),
        published=published_answers(timed_runtimes(grid)),
        rows=tuple(map(row_figures, grid.rows)),
        outlying_builds=outlying_builds(grid),
        relu6=relu6_figures(grid),
        runtimes=runtimes,
        alone=alone_figures(grid),
        conditions=condition_lines(grid),
        titles=titles,
        sections=rule_sections(grid.run, rules),
    )


def in_short(
    grid: Grid, verdicts: Sequence[Verdict], *, rules: Mapping[str, Rule], first: str | None = None
) -> tuple[ShortAnswer, ...]:
    """Return the answers on each runtime alone, as :func:`analyse` has them, for whoever prints no figures.

    :param rules, first: as for :func:`analyse`
    """
    titles = rule_titles(rules)
    told = answers(grid, verdicts, titles)
    return short_answers(told, titles, side_by_side(grid, first), grid.hosts)


def row_figures(row: GridRow) -> RowFigures:
    """Return the figures of one row."""
    return RowFigures(
        name=row.name,
        latency=latency_figures(row),
        times=time_figures(row),
        kernels=kernel_figures(row),
        rooflines=roofline_figures(row),
        formats=format_tables(row),
        sides=neighbour_sides(row),
    )
