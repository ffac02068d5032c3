"""The pictures of README and docs, taken of the report of a published bundle.

    python benchmarks/report_pictures.py

Writes docs/images/report-NAME.png, with Chromium: the first screen, and sections by themselves.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from harness.cli.report import write_report

ROOT = Path(__file__).resolve().parents[1]
BUNDLE = ROOT / "reports" / "results" / "tensorrt-neighbours-h200.tar.xz"
PICTURES = {
    "top": ("", 1400, 1000),
    "time": ("time", 1400, 470),
    "kernels": ("kernels", 1400, 480),
}
"""Name to the section that is shown alone (none: the page from its top), width and height in pixels."""


def main(words: Sequence[str] | None = None) -> None:
    """Write the pictures."""
    argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None).parse_args(words)
    chromium = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if chromium is None:
        sys.exit("pictures are taken with Chromium, which is not here")
    with tempfile.TemporaryDirectory() as folder:
        page = Path(folder) / "report.html"
        write_report([BUNDLE], page)
        text = page.read_text(encoding="utf-8")
        for name, (section, width, height) in PICTURES.items():
            alone = f"header, nav, main > section:not(#{section}) {{ display: none }} h2 {{ margin: 0 }}"
            page.write_text(text.replace("</style>", f"{alone if section else ''}</style>"), encoding="utf-8")
            picture = ROOT / "docs" / "images" / f"report-{name}.png"
            options = ["--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--no-first-run"]
            options += [f"--user-data-dir={folder}/profile", "--virtual-time-budget=4000"]
            options += [f"--window-size={width},{height}", f"--screenshot={picture}"]
            command = [chromium, *options, page.as_uri()]
            subprocess.run(command, check=True, capture_output=True, timeout=120)
            print(picture)


if __name__ == "__main__":
    main()
