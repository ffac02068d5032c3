"""One self-contained HTML file from an observation."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import jinja2
from markupsafe import Markup

import harness
from harness.layers.observation import RunObservation
from harness.report.glance import Glance, glance
from harness.report.latency import LatencyChart, latency_charts
from harness.report.time_view import TimeView, time_views
from harness.resources import data_folder
from harness.store.files import write_text


@dataclass(frozen=True)
class Page:
    """All that the template is given."""

    title: str
    made: str
    harness_version: str
    run: RunObservation
    glance: Glance
    latency: tuple[LatencyChart, ...]
    times: tuple[TimeView, ...]


def page(run: RunObservation) -> Page:
    """Return the view of *run*."""
    matrix = run.manifest.get("matrix")
    title = matrix.get("description") if isinstance(matrix, dict) else None
    return Page(
        title=str(title or "trtmatrix run"),
        made=datetime.now(UTC).isoformat(timespec="seconds"),
        harness_version=harness.__version__,
        run=run,
        glance=glance(run),
        latency=latency_charts(run),
        times=time_views(run),
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
    found.filters["ms"] = milliseconds
    found.filters["percent"] = lambda share: f"{100 * share:.1f} %"
    return found


def milliseconds(value: float | None) -> str:
    """Return *value* with as many digits as are worth reading."""
    if value is None:
        return ""
    if value == 0:
        return "0"
    return f"{value:.3f}" if value < 10 else f"{value:.2f}" if value < 100 else f"{value:.1f}"


def _static(name: str) -> Markup:
    # Our own files, not a user's text: they may hold what would end their element.
    return Markup((data_folder("reports") / "static" / name).read_text(encoding="utf-8"))


def _hash(text: str) -> str:
    digest = hashlib.sha256(text.encode("utf-8")).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"


def render(run: RunObservation) -> str:
    """Return the page of *run*."""
    style, script = _static("style.css"), _static("page.js")
    return (
        environment()
        .get_template("page.html")
        .render(page=page(run), style=style, script=script, script_hash=_hash(script))
    )


def write_page(run: RunObservation, path: Path) -> None:
    """Write the page of *run* to *path* atomically; parents are made."""
    write_text(path, render(run))
