"""One self-contained HTML file from an observation."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property

import jinja2
from markupsafe import Markup

import harness
from harness.analysis.hosts import builds_by_host
from harness.analysis.verdict import Verdict
from harness.observations.records import RunObservation
from harness.report import words
from harness.report.answers import Answer, answers
from harness.report.apart import ApartBuild, apart_builds
from harness.report.board import Board, NoiseRow, board, noise
from harness.report.formats_view import FormatView, format_views
from harness.report.glance import Glance, glance
from harness.report.kernels_view import KernelView, kernel_views
from harness.report.latency import LatencyChart, latency_charts
from harness.report.layer_data import encoded, layer_document
from harness.report.parity import Configuration, NotRun, configurations, not_run
from harness.report.relu6_view import Relu6Row, relu6_rows
from harness.report.roofline_view import RooflineView, roofline_views
from harness.report.sides import SideView, side_views
from harness.report.time_view import TimeView, time_views
from harness.resources import data_folder


@dataclass(frozen=True)
class Limits:
    """How many rows the tables inside the details of one item have; the layer table has all of them.

    :param ops: source ops of two versions side by side; :param top_ops: source ops of a subject
    :param layers: layers that carry a verdict; :param apart: builds apart from their like
    :param kernels: write kernel names beside the ops, and figures on the bars of classes
    :param effects: show the effect of a verdict that cannot tell, too, without opening it
    """

    ops: int
    top_ops: int
    layers: int
    apart: int
    kernels: bool
    effects: bool

    @classmethod
    def of(cls, cells: int) -> Limits:
        """Return the limits for a page of *cells* cells: fewer rows for each where there are hundreds."""
        return (
            cls(25, 15, 5, 30, True, True)
            if cells <= 40
            else cls(10, 10, 3, 30, True, True)
            if cells <= 200
            else cls(2, 3, 1, 5, False, False)
        )


@dataclass(frozen=True)
class Page:
    """All that the template is given: one view a section."""

    title: str
    made: str
    harness_version: str
    run: RunObservation
    baseline: str
    answers: tuple[Answer, ...]
    board: Board
    glance: Glance
    latency: tuple[LatencyChart, ...]
    apart: tuple[ApartBuild, ...]
    noise: tuple[NoiseRow, ...]
    times: tuple[TimeView, ...]
    kernels: tuple[KernelView, ...]
    relu6: tuple[Relu6Row, ...]
    formats: tuple[FormatView, ...]
    sides: tuple[SideView, ...]
    rooflines: Mapping[str, RooflineView]
    limits: Limits
    layer_block: str
    layer_cells: int
    not_run: tuple[NotRun, ...]
    configurations: tuple[Configuration, ...]
    hosts: tuple[tuple[str, str, int], ...]

    @cached_property
    def anchors(self) -> frozenset[str]:
        """Anchors of the subjects in the sections that leave out what was not measured."""
        sections: tuple[Sequence[LatencyChart | TimeView | KernelView], ...]
        sections = (self.latency, self.times, self.kernels)
        return frozenset(view.anchor for section in sections for view in section)


def page(run: RunObservation, verdicts: Sequence[Verdict], baseline: str = "previous") -> Page:
    """Return the view of *run* and the *verdicts* on it."""
    matrix = run.manifest.get("matrix")
    title = matrix.get("description") if isinstance(matrix, dict) else None
    layers = layer_document(run)
    return Page(
        title=str(title or "trtmatrix run"),
        made=datetime.now(UTC).isoformat(timespec="seconds"),
        harness_version=harness.__version__,
        run=run,
        baseline=baseline,
        answers=answers(run, verdicts),
        board=board(verdicts, run),
        glance=glance(run),
        latency=latency_charts(run),
        apart=apart_builds(run),
        noise=noise(verdicts),
        times=time_views(run),
        kernels=kernel_views(run),
        relu6=relu6_rows(run),
        formats=format_views(run),
        sides=side_views(run),
        rooflines=roofline_views(run),
        limits=Limits.of(len(run.cells)),
        layer_block=encoded(layers),
        layer_cells=len(layers["cells"]),
        not_run=not_run(run),
        configurations=configurations(run),
        hosts=builds_by_host(run),
    )


def environment() -> jinja2.Environment:
    """Return the template environment: autoescape always, undefined names are errors."""
    found = jinja2.Environment(
        loader=jinja2.FileSystemLoader(data_folder("reports") / "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    found.filters.update(
        ms=words.milliseconds,
        percent=words.percent,
        change=words.change,
        difference=words.difference,
        interval=words.interval,
        sign=words.sign,
    )
    return found


def _static(name: str) -> Markup:
    # Our own files, not a user's text: they may hold what would end their element.
    return Markup((data_folder("reports") / "static" / name).read_text(encoding="utf-8"))


def _hash(text: str) -> str:
    digest = hashlib.sha256(text.encode("utf-8")).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"


def render(run: RunObservation, verdicts: Sequence[Verdict], baseline: str = "previous") -> str:
    """Return the HTML of *run* and the *verdicts* on it."""
    style, script = _static("style.css"), _static("page.js")
    template = environment().get_template("page.html")
    found = page(run, verdicts, baseline)
    return template.render(page=found, style=style, script=script, script_hash=_hash(script))


def baseline_of(run: RunObservation) -> str:
    """Return the baseline that the run's matrix names, ``previous`` where it names none."""
    matrix = run.manifest.get("matrix")
    return str(matrix.get("baseline", "previous")) if isinstance(matrix, dict) else "previous"
