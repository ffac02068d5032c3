"""The page for everyone: axe-core, narrow windows, paper, keyboards."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path

import pytest
from msgspec.structs import replace

from harness.plugins.reading import observe
from harness.report.render import render
from harness.report.trends.render import render_trends
from harness.report.trends.view import trends_page
from tests.report.axe import looked_at, script_of_axe, violations
from tests.report.browser import CHROMIUM
from tests.report.composed import analysed
from tests.report.parsed import Parsed
from tests.report.trends.series import change, nights, series
from tests.runtimes.worker_builds import FORMATS, FP16_CLIP, FP16_PIECES, bundle, v1, v2

BEYOND = """[...document.querySelectorAll("main *")].filter(one => {
    const scrolls = at => at && (getComputedStyle(at).overflowX === "auto" || scrolls(at.parentElement))
    return one.getBoundingClientRect().right > innerWidth + 1 && !scrolls(one)
}).slice(0, 5).map(one => one.tagName + " " + one.className + " " + one.textContent.trim().slice(0, 40))"""
"""Elements that stick out of the window to the right, unless a box around them scrolls."""

A4_LANDSCAPE = 1047
"""Width of the printed part of a sheet, in CSS pixels."""


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The report of recorded builds: kernels, formats, both forms of ReLU6, versions side by side."""
    builds = (v1("8.5.3.1"), v1("8.6.0"), v2("8.6.0"), FP16_PIECES, FP16_CLIP, FORMATS)
    observed = observe([bundle(builds, tmp_path_factory.mktemp("bundle") / "run")])
    matrix = replace(
        observed.manifest.matrix, text="# a line that is wider than a telephone\n" * 3 + "x" * 300
    )
    return render(analysed(dataclasses.replace(observed, manifest=replace(observed.manifest, matrix=matrix))))


@pytest.fixture(scope="module")
def axe(request: pytest.FixtureRequest) -> str:
    """The script of axe-core, kept between runs."""
    if CHROMIUM is None:
        pytest.skip("no Chromium on this machine")
    return script_of_axe(Path(request.config.cache.mkdir("axe-core")) if request.config.cache else Path())


@pytest.mark.parametrize(("theme", "width"), [("light", 1400), ("dark", 400)])
def test_axe_finds_nothing(page: str, axe: str, theme: str, width: int, tmp_path: Path) -> None:
    themed = page.replace('<html lang="en">', f'<html lang="en" data-theme="{theme}">')
    assert violations(themed, axe, tmp_path, width=width) == []


def test_axe_finds_nothing_on_the_page_of_nights(axe: str, tmp_path: Path) -> None:
    moved = series([4.0] * 6 + [4.5] * 4)
    moved = dataclasses.replace(moved, changes=(change(moved, 6, 9, 1.125),))
    every = [moved, series([4.0] * 10, "layers"), series([9.0] * 10, "build_seconds", "s")]
    page = render_trends(trends_page(nights(10), every, made="now", harness_version="1"))
    assert violations(page, axe, tmp_path, width=500) == []


def test_axe_would_say_what_it_finds(axe: str, tmp_path: Path) -> None:
    body = "<body><main><h1>x</h1><img src=data:,></main></body>"
    bad = f"<html lang=en><head><title>x</title></head>{body}</html>"
    assert [found.partition(":")[0] for found in violations(bad, axe, tmp_path)] == ["image-alt"]


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine")
def test_nothing_sticks_out_of_a_narrow_window(page: str, tmp_path: Path) -> None:
    assert looked_at(page, BEYOND, tmp_path, width=500) == [], "Chromium's narrowest window"


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine")
def test_paper_keeps_every_column(page: str, tmp_path: Path) -> None:
    printed = page.replace("@media print", "@media all")
    assert looked_at(printed, BEYOND, tmp_path, width=A4_LANDSCAPE) == []


def test_every_table_has_a_caption_and_its_headers_a_scope(page: str) -> None:
    assert page.count("<table") == page.count("<caption>") > 10
    assert re.findall(r"<th(?![^>]* scope=)[ >]", page) == []
    assert all(
        attributes.get("tabindex") == "0" and attributes.get("aria-label")
        for tag, attributes in Parsed(page).elements
        if tag == "div" and "wide" in attributes.get("class", "").split()
    )
