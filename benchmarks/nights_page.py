"""The page of the short nights in the docs: tables and picture, from the folders they were measured in.

    python benchmarks/nights_page.py DIR [--quiet DIR]

DIR is what ``twelve_nights.py`` wrote; ``--quiet`` names nights of its in which nothing changed. Writes the
tables of docs/results/twelve-nights-cpu.md and, with Chromium, docs/images/trends.png: their page.
"""

from __future__ import annotations

import argparse
import json
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from chromium import PROGRAMS, browser

from harness.history.folder import History, open_history
from harness.history.reading import series
from harness.history.records import LATENCY, Filter

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "results" / "twelve-nights-cpu.md"
PICTURE = ROOT / "docs" / "images" / "trends.png"
BEGIN, END = "<!-- {} by benchmarks/nights_page.py -->", "<!-- end of {} -->"
COLUMNS = (
    "night", "other work", "changed", "seconds", "MobileNet v1: 1.22.1, ms", "1.32.0, ms",
    "MobileNet v2: 1.22.1, ms", "1.32.0, ms", "measured again", "new alarms", "open",
)  # fmt: skip
TOOK = re.compile(r" in ([\d.]+)s")
AGAIN = re.compile(r"measured again before they count: (.*)")


def main() -> int:
    """Write tables and picture."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path, metavar="DIR")
    parser.add_argument("--quiet", type=Path, metavar="DIR", help="nights without a change")
    parser.add_argument("--busy", default="3,10", metavar="NIGHTS")
    parser.add_argument("--change", type=int, default=8, metavar="NIGHT")
    arguments = parser.parse_args()
    busy = {int(word) for word in arguments.busy.split(",") if word}
    write_between("changed", table(arguments.folder, busy, arguments.change))
    if arguments.quiet is not None:
        write_between("quiet", table(arguments.quiet, set(), 0))
    return picture(arguments.folder / "history")


def table(folder: Path, busy: set[int], change: int) -> str:
    """Return the table of the nights in *folder*, a row each."""
    lines = ["| " + " | ".join(COLUMNS) + " |", "|" + "---|" * len(COLUMNS)]
    history = open_history(folder / "history")
    latencies = latencies_of(history)
    for number, night in enumerate(history.nights, start=1):
        told = json.loads((folder / f"message-{number}.json").read_text(encoding="utf-8"))
        log = (folder / f"night-{number}.log").read_text(encoding="utf-8")
        cells = [
            str(number),
            "yes" if number in busy else "",
            "yes" if change and number >= change else "",
            seconds(log),
            *(f"{value:.3f}" for value in latencies[night.run]),
            "; ".join(AGAIN.findall(log)),
            "; ".join(alarms(told)),
            "; ".join(f"{one['bottleneck']} of {one['cell']}" for one in told["open"]),
        ]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def latencies_of(history: History) -> dict[str, list[float]]:
    """Return each night to the latencies, ms, by network and version."""
    found: dict[str, list[float]] = {}
    for one in series(history, Filter(measure=LATENCY)).series:
        for point in one.points:
            found.setdefault(point.night, []).append(point.value)
    return found


def alarms(told: dict[str, Any]) -> Iterator[str]:
    """Yield the new alarms of a message, with the layers that carry each."""
    for one in told["alarms"]:
        layers = ", ".join(f"`{name}`" for name in one["layers"][:2])
        more = f" and {len(one['layers']) - 2} more" if len(one["layers"]) > 2 else ""
        percent = "" if one["effect"] is None else f", {100 * (one['effect'] - 1):+.1f} %"
        yield f"{one['verdict']}: {one['bottleneck']} of {one['cell']}{percent}; layers {layers}{more}"


def seconds(log: str) -> str:
    """Return what pytest said that the night took."""
    return f"{float(TOOK.findall(log)[-1]):.0f}"


def write_between(name: str, text: str) -> None:
    """Put *text* between the marks called *name* of the page."""
    begin, end = BEGIN.format(name), END.format(name)
    before, _, rest = PAGE.read_text(encoding="utf-8").partition(begin)
    _, _, after = rest.partition(end)
    PAGE.write_text(f"{before}{begin}\n\n{text}\n\n{end}{after}", encoding="utf-8")
    print(f"{PAGE.relative_to(ROOT)}: {name}")


def picture(history: Path) -> int:
    """Take the picture of the page of *history*, as it is written now."""
    program = next(filter(None, map(shutil.which, PROGRAMS)), None)
    if program is None:
        print("pictures are taken with Chromium, which is not here", file=sys.stderr)
        return 1
    with tempfile.TemporaryDirectory() as folder, browser(program) as tab:
        page = Path(folder) / "trends.html"
        words = ["trends", str(history), "-o", str(page), "--no-reports"]
        subprocess.run([sys.executable, "-m", "harness.cli", *words], check=True)
        tab.open(page)
        tab.look(PICTURE, width=1480, height=1000)
    print(PICTURE.relative_to(ROOT))
    return 0


if __name__ == "__main__":
    sys.exit(main())
