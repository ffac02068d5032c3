"""One self-contained HTML file from the analysis of a run."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache, cached_property

import jinja2
from markupsafe import Markup

from harness.analysis.run_analysis import RowFigures, RunAnalysis
from harness.analysis.verdict import ONE_A_SIDE, ONE_AFTER_THE_OTHER
from harness.distribution import __version__
from harness.observations.records import RunObservation
from harness.report import words
from harness.report.anchors import anchor
from harness.report.board import Board, NoiseRow, board, noise
from harness.report.charts import LatencyChart, TimeChart, latency_charts, time_charts
from harness.report.engine_graph import EngineGraphs, engine_graphs
from harness.report.glance import Glance, glance
from harness.report.layer_data import encoded, layer_document
from harness.report.parity import Configuration, NotRun, configurations, not_run
from harness.report.runtimes import RuntimesView, runtimes
from harness.report.telling import telling
from harness.report.timeline import Timeline, timelines
from harness.resources import data_folder


@dataclass(frozen=True)
class Limits:
    """How many rows the tables inside the details of one item have; the layer table has all of them.

    :param ops: source ops of two versions side by side; :param top_ops: source ops of a subject
    :param layers: layers that carry a verdict; :param outlying: builds outside of what their like do
    :param kernels: write kernel names beside the ops, and figures on the bars of classes
    :param digits: of coordinates in charts
    :param effects: show the effect of a verdict that cannot tell, too, without opening it
    """

    ops: int
    top_ops: int
    layers: int
    outlying: int
    kernels: bool
    effects: bool
    digits: int
    lanes: int
    titles: bool
    graphs: int

    @classmethod
    def of(cls, cells: int) -> Limits:
        """Return the limits for a page of *cells* cells: fewer rows for each where there are hundreds."""
        return (
            cls(25, 15, 5, 30, True, True, 2, 80, True, 16)
            if cells <= 40
            else cls(10, 10, 3, 30, True, True, 2, 200, False, 4)
            if cells <= 200
            else cls(1, 3, 1, 5, False, False, 1, 12, False, 0)
        )


@dataclass(frozen=True)
class Page:
    """All that the template is given: the analysis, and views of what has to be arranged for a page."""

    title: str
    made: str
    harness_version: str
    run: RunObservation
    analysis: RunAnalysis
    board: Board
    glance: Glance
    runtimes: tuple[RuntimesView, ...]
    latency: tuple[LatencyChart, ...]
    times: tuple[TimeChart, ...]
    noise: tuple[NoiseRow, ...]
    limits: Limits
    layer_block: str
    layer_cells: int
    not_run: tuple[NotRun, ...]
    configurations: tuple[Configuration, ...]
    timelines: tuple[Timeline, ...]
    graphs: EngineGraphs

    @property
    def material(self) -> float:
        """Share of the latency from which a change is material, as the run's policy says."""
        return self.run.manifest.matrix.material

    @property
    def one_after_the_other(self) -> int:
        """Number of comparisons on the board of builds that were not measured side by side."""
        return self._measured(ONE_AFTER_THE_OTHER)

    @property
    def one_a_side(self) -> int:
        """Number of comparisons on the board of builds of blocks that hold one of either side."""
        return self._measured(ONE_A_SIDE)

    def _measured(self, how: str) -> int:
        shown = (verdict for row in self.board.rows for verdict in row.cells if verdict is not None)
        return sum(verdict.measured == how for verdict in shown)

    @property
    def telling(self) -> str:
        """How many comparisons are told and how many not; nothing where none was made."""
        return telling(self.analysis.verdicts)

    @property
    def formats(self) -> tuple[RowFigures, ...]:
        """The subjects of which tensor formats were tried."""
        return tuple(row for row in self.analysis.rows if row.formats)

    @cached_property
    def anchors(self) -> frozenset[str]:
        """Anchors of the subjects in the sections that leave out what was not measured."""
        kernels = (anchor("kernels", row.name) for row in self.analysis.rows if row.kernels)
        latency, times = (chart.anchor for chart in self.latency), (chart.anchor for chart in self.times)
        return frozenset((*latency, *times, *kernels))


def page(analysis: RunAnalysis) -> Page:
    """Return the view of *analysis*."""
    grid = analysis.grid
    layers = layer_document(grid)
    limits = Limits.of(len(grid.run.cells))
    return Page(
        title=grid.run.manifest.matrix.description or "trtmatrix run",
        made=datetime.now(UTC).isoformat(timespec="seconds"),
        harness_version=__version__,
        run=grid.run,
        analysis=analysis,
        board=board(analysis.verdicts, grid, analysis.titles),
        glance=glance(grid),
        runtimes=runtimes(analysis),
        latency=latency_charts(analysis.rows),
        times=time_charts(analysis.rows),
        noise=noise(analysis.verdicts),
        limits=limits,
        layer_block=encoded(layers),
        layer_cells=len(layers["cells"]),
        not_run=not_run(grid),
        configurations=configurations(grid),
        timelines=timelines(grid, limits.lanes, titles=limits.titles),
        graphs=engine_graphs(grid, limits.graphs),
    )


@cache
def environment() -> jinja2.Environment:
    """Return the one template environment: autoescape always, undefined names are errors."""
    templates = jinja2.Environment(
        loader=jinja2.FileSystemLoader(data_folder("reports") / "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    templates.globals.update(anchor=anchor)
    templates.filters.update(
        ms=words.milliseconds,
        percent=words.percent,
        change=words.change,
        moved=words.moved,
        number_of=words.number_of,
        difference=words.difference,
        interval=words.interval,
        sign=words.sign,
        span=words.span,
        of_each=words.of_each,
        some_of=words.some_of,
        kernel=words.kernel_of,
        lost=words.lost_layer,
        marked=words.marked,
        a_second=lambda speed: words.a_second(speed.images_per_s, speed.gflops_per_s),
        speed=words.speed,
    )
    return templates


def static(name: str) -> Markup:
    """Return a file of ``reports/static``, to stand in a page as it is."""
    # Our own files, not a user's text: they may hold what would end their element.
    return Markup((data_folder("reports") / "static" / name).read_text(encoding="utf-8"))


def content_hash(text: str) -> str:
    """Return how a content security policy names the script *text*."""
    digest = hashlib.sha256(text.encode("utf-8")).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"


def render(analysis: RunAnalysis) -> str:
    """Return the HTML of *analysis*."""
    style, script = static("style.css"), static("page.js")
    template = environment().get_template("page.html")
    return template.render(page=page(analysis), style=style, script=script, script_hash=content_hash(script))


def baseline_of(run: RunObservation) -> str:
    """Return the baseline that the run's matrix names, ``previous`` where it names none."""
    return run.manifest.matrix.baseline
