"""The page in Chromium, opened from file://."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.bottlenecks.judge import judge
from harness.report.render import render
from tests.report.browser import CHROMIUM, open_page
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
