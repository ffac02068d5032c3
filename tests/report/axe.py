"""What axe-core has to say of a page in Chromium, and what its own style does to widths."""

from __future__ import annotations

import html
import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.report.browser import open_page

PACKAGE = "axe-core@4"


def script_of_axe(folder: Path) -> str:
    """Return the script of axe-core, fetched once by npm into *folder*; skip the test where it cannot be."""
    found = folder / "node_modules" / "axe-core" / "axe.min.js"
    if not found.is_file():
        npm = shutil.which("npm")
        if npm is None:
            pytest.skip("no npm on this machine: axe-core is fetched with it")
        command = [npm, "install", "--prefix", str(folder), "--no-audit", "--no-fund", "--silent", PACKAGE]
        try:
            subprocess.run(command, check=True, capture_output=True, timeout=60)
        except (subprocess.SubprocessError, OSError):
            pytest.skip("npm could not fetch axe-core")
    return found.read_text(encoding="utf-8")


def looked_at(page: str, script: str, folder: Path, *, width: int = 1400) -> Any:
    """Return what *script* leaves as JSON in the title of *page*, all its details opened."""
    free = re.sub("<meta[^>]*Content-Security-Policy[^>]*>", "", page)
    opener = "document.querySelectorAll('details').forEach(one => one.open = true)"
    body = f"addEventListener('load', async () => {{ {opener}; document.title = JSON.stringify({script}) }})"
    path = folder / "page.html"
    path.write_text(free.replace("</body>", f"<script>{body}</script></body>"), encoding="utf-8")
    opened = open_page(path, folder / "profile", width=width)
    title = re.search("<title>(.*?)</title>", opened.html, re.DOTALL)
    assert title is not None
    return json.loads(html.unescape(title.group(1)))


def violations(page: str, axe: str, folder: Path, *, width: int = 1400) -> list[str]:
    """Return the violations that axe-core finds on *page*: rule, number of places and the first of them."""
    run = (
        "(await axe.run(document, {resultTypes: ['violations']})).violations"
        ".map(v => `${v.id}: ${v.nodes.length}, ${v.nodes[0].target}`)"
    )
    found = looked_at(page.replace("</body>", f"<script>{axe}</script></body>"), run, folder, width=width)
    assert isinstance(found, list)
    return found
