"""The page of nights as one self-contained HTML file."""

from __future__ import annotations

from harness.report.render import content_hash, environment, static
from harness.report.trends.changes import BETTER, MOVED, WORSE, title_of
from harness.report.trends.plots import HEIGHT, WIDTH
from harness.report.trends.view import FILTERS, TrendsPage

ANSWERS = {WORSE: "regressed", BETTER: "reduced", MOVED: "moved"}
"""Direction of a change to the word whose sign and colour it has in the report."""


def render_trends(page: TrendsPage) -> str:
    """Return the HTML of *page*."""
    style, script = static("style.css") + static("trends.css"), static("trends.js")
    templates = environment()
    templates.filters.update(measure=title_of, answer=ANSWERS.__getitem__)
    template = templates.get_template("trends/page.html")
    return template.render(
        page=page,
        style=style,
        script=script,
        script_hash=content_hash(script),
        width=WIDTH,
        height=HEIGHT,
        filters=FILTERS,
    )
