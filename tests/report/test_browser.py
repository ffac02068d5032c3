"""The page in Chromium, opened from file://."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.bottlenecks.judge import judge
from harness.report.render import render
from harness.report.sides import side_views
from tests.report.browser import CHROMIUM, open_page
from tests.report.parsed import Parsed
from tests.report.payloads import PAYLOADS
from tests.report.test_hostile_names import named

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
    page.write_text(render(observed, judge(observed)), encoding="utf-8")
    opened = open_page(page, tmp_path / "profile")
    assert opened.console == []
    assert "</html>" in opened.html


def test_every_layer_of_a_cell_is_shown_as_text(tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    text = '"><img src=x onerror=pwned()></script>'
    observed = named(text)
    page.write_text(render(observed, judge(observed)), encoding="utf-8")
    found = Parsed(open_page(page, tmp_path / "profile").html)
    assert "3 of 3 layers" in found.text
    assert found.handlers == []
    assert found.tags["option"] == 3


def test_deep_link_opens_what_encloses_it(tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    observed = named("harmless")
    page.write_text(render(observed, judge(observed)), encoding="utf-8")
    anchor = side_views(observed)[0].anchor
    for fragment, opened in ((f"#{anchor}", True), ("", False)):
        found = Parsed(open_page(page, tmp_path / "profile", fragment).html)
        details = [a for tag, a in found.elements if tag == "details" and a.get("id") == anchor]
        assert [("open" in attributes) for attributes in details] == [opened]
