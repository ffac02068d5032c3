"""Headless Chromium on a file of this machine: the page after its script ran, and what the console said."""

from __future__ import annotations

import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
QUIET = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--host-resolver-rules=MAP * ~NOTFOUND",
)


@dataclass(frozen=True)
class Opened:
    """:param html: the document as it stands; :param console: messages of the page, violations among them"""

    html: str
    console: list[str]


def open_page(path: Path, profile: Path, fragment: str = "", *, width: int = 1400) -> Opened:
    """Open *path* from file:// in a window of *width* pixels and return what became of it."""
    assert CHROMIUM is not None
    done = subprocess.run(
        [
            CHROMIUM,
            *QUIET,
            f"--user-data-dir={profile}",
            "--enable-logging=stderr",
            f"--window-size={width},1000",
            "--virtual-time-budget=20000",
            "--dump-dom",
            path.as_uri() + fragment,
        ],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    return Opened(done.stdout, re.findall(r":CONSOLE[:(]\d+\)?\] (.*)", done.stderr))
