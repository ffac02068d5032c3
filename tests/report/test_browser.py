"""The page in Chromium, opened from file://."""

from __future__ import annotations

import html
import json
import re
from dataclasses import replace
from pathlib import Path

import pytest

from harness.plugins.reading import observe
from harness.report.anchors import anchor as element_id
from harness.report.render import render
from tests.report.browser import CHROMIUM, open_page
from tests.report.composed import analysed, cell
from tests.report.parsed import Parsed
from tests.report.payloads import PAYLOADS
from tests.report.test_hostile_names import named
from tests.runtimes.worker_builds import FP16_CLIP, FP16_PIECES, bundle, v1

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine")


def test_console_is_heard(tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    page.write_text(
        "<meta http-equiv=Content-Security-Policy content=\"default-src 'none'\"><img src=http://a.example/b>"
    )
    assert any("Content Security Policy" in line for line in open_page(page, tmp_path / "profile").console)


def test_page_of_hostile_names_opens_in_silence(tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    observed = named("".join(PAYLOADS))
    page.write_text(render(analysed(observed)), encoding="utf-8")
    opened = open_page(page, tmp_path / "profile")
    assert opened.console == []
    assert "</html>" in opened.html


def test_every_layer_of_a_cell_is_shown_as_text(tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    text = '"><img src=x onerror=pwned()></script>'
    observed = named(text)
    page.write_text(render(analysed(observed)), encoding="utf-8")
    found = Parsed(open_page(page, tmp_path / "profile").html)
    assert "3 of 3 layers" in found.text
    assert found.handlers == []
    assert found.tags["option"] == 3


def test_deep_link_opens_what_encloses_it(tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    observed = named("harmless")
    page.write_text(render(analysed(observed)), encoding="utf-8")
    row = analysed(observed).rows[0]
    (view,) = row.sides
    anchor = element_id("sides", row.name, view.old.label, view.new.label)
    for fragment, opened in ((f"#{anchor}", True), ("", False)):
        found = Parsed(open_page(page, tmp_path / "profile", fragment).html)
        details = [a for tag, a in found.elements if tag == "details" and a.get("id") == anchor]
        assert [("open" in attributes) for attributes in details] == [opened]


def test_no_cell_of_a_table_runs_into_the_next_and_no_text_out_of_its_chart(tmp_path: Path) -> None:
    """``gemm_as_conv1x1`` is one long word above a narrow column, an interval a long text at an edge."""
    page = tmp_path / "page.html"
    observed = observe([bundle((v1("8.6.0"), FP16_PIECES, FP16_CLIP), tmp_path / "run")])
    slow = cell("8.6.0", [10.18, 10.94, 12.31], network="slow")
    observed = replace(observed, cells=(*observed.cells, slow))
    text = re.sub(
        "<meta[^>]*Content-Security-Policy[^>]*>",
        "",
        render(analysed(observed)),
    )
    measure = """<script>addEventListener("load", () => {
        document.querySelectorAll("details").forEach(one => one.open = true)
        const cells = [...document.querySelectorAll("th, td")]
        const wide = cells.filter(one => one.scrollWidth > one.clientWidth + 1)
        const cut = [...document.querySelectorAll("svg text")].filter(one => {
            const inner = one.getBoundingClientRect(), outer = one.closest("svg").getBoundingClientRect()
            return inner.left < outer.left - 1 || inner.right > outer.right + 1
        })
        document.title = JSON.stringify([cells.length, [...wide, ...cut].map(one => one.textContent.trim())])
    })</script>"""
    page.write_text(text.replace("</body>", measure + "</body>"), encoding="utf-8")
    title = re.search("<title>(.*?)</title>", open_page(page, tmp_path / "profile").html, re.DOTALL)
    assert title is not None
    count, wide = json.loads(html.unescape(title.group(1)))
    assert count > 100
    assert wide == []
