"""The site of the docs: built without a warning, its links lead somewhere, and everyone can read it."""

from __future__ import annotations

import html
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote

import pytest

from tests.report.axe import looked_at, script_of_axe, violations
from tests.report.browser import CHROMIUM

ROOT = Path(__file__).resolve().parents[2]
NARROW = "[document.documentElement.scrollWidth, innerWidth]"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pytest.importorskip("sphinx", reason="the dependency group 'docs' is not installed")
    out = tmp_path_factory.mktemp("site")
    command = ["-q", "-W", "--keep-going", "-d", str(tmp_path_factory.mktemp("trees")), "docs", str(out)]
    done = subprocess.run(
        [sys.executable, "-m", "sphinx", *command], cwd=ROOT, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr
    return out


def links(page: Path) -> Iterator[tuple[Path, str]]:
    """Yield file and fragment of each link within the site."""
    for said in re.findall(r'(?:href|src)="([^"]*)"', page.read_text(encoding="utf-8")):
        target, _, fragment = unquote(html.unescape(said)).partition("#")
        if ":" not in target:
            yield (page.parent / target.partition("?")[0]).resolve() if target else page, fragment


def test_every_link_of_the_site_leads_somewhere(site: Path) -> None:
    pages = sorted(site.rglob("*.html"))
    ids = {page: set(re.findall(r' id="([^"]+)"', page.read_text(encoding="utf-8"))) for page in pages}
    assert len(pages) > 40
    broken = [
        f"{page.relative_to(site)}: {target.name}#{fragment}"
        for page in pages
        for target, fragment in links(page)
        if not target.exists() or (fragment and target in ids and fragment not in ids[target])
    ]
    assert broken == []


def test_the_navigation_holds_every_page(site: Path) -> None:
    front = site / "README.html"
    reached = {target for target, _ in links(front)}
    names = {*site.rglob("*.html")} - {site / name for name in ("genindex.html", "search.html", "index.html")}
    assert {page for page in names if page not in reached} == set()


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine")
@pytest.mark.parametrize(
    ("name", "theme", "width"), [("results/README", "dark", 500), ("tutorial/plugin", "light", 1400)]
)
def test_axe_finds_nothing_and_nothing_sticks_out(
    site: Path, request: pytest.FixtureRequest, name: str, theme: str, width: int
) -> None:
    axe = script_of_axe(Path(request.config.cache.mkdir("axe-core")) if request.config.cache else Path())
    page = site / f"{name}.html"
    text = page.read_text(encoding="utf-8").replace("<body", f'<body data-theme="{theme}"', 1)
    assert violations(text, axe, page.parent, width=width) == []
    needed, there = looked_at(text, NARROW, page.parent, width=width)
    assert needed <= there
