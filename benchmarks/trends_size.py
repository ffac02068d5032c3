"""The page of nights at its largest: a year of 200 series, composed, rendered, and opened in Chromium.

    python benchmarks/trends_size.py [--nights 365] [--series 200] [--keep FILE] [--shots FOLDER]

Prints what looking for changes and rendering take, how large the page is, when Chromium has it loaded, drawn
and ready for the next event, what CPU time that took, and when it answers a filter. ``--shots``
writes pictures: light, dark, as printed, and 400 pixels wide.
"""

from __future__ import annotations

import argparse
import random
import shutil
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from chromium import PROGRAMS, browser

from harness.history.changes import with_changes
from harness.history.records import Facts, Point, Series, Subject
from harness.report.trends.render import render_trends
from harness.report.trends.view import trends_page
from harness.store.documents.night import Night

FIRST = datetime(2026, 1, 1, 2, 0, tzinfo=UTC)
MEASURES = (
    ("latency", "ms", 0.4), ("class:pointwise", "ms", 0.2), ("class:depthwise", "ms", 0.1),
    ("cost:reformat", "ms", 0.02), ("build_seconds", "s", 30.0),
)  # fmt: skip
VERSIONS = ("8.5.3.1", "8.6.0", "8.6.1", "10.0.1", "10.3.0")
NETWORKS = ("mobilenet_v1", "mobilenet_v2", "inception_v2", "ssd_mobilenet_v2")
TREATMENTS = ("fp32-b1-clip", "fp16-b8-clip")
HOST = "NVIDIA H100 80GB HBM3"
USABLE = """new Promise((done) => requestAnimationFrame(() => {
  const box = document.getElementById("filter"), began = performance.now();
  box.value = "8.6.0"; box.dispatchEvent(new Event("input"));
  requestAnimationFrame(() => { const took = performance.now() - began; box.value = "";
    box.dispatchEvent(new Event("input")); done(took); });
}))"""
DRAWN = """new Promise((done) => requestAnimationFrame(() => setTimeout(() => done(performance.now()))))"""
LOADED = "performance.getEntriesByType('navigation')[0].loadEventEnd"


def composed(nights: int, count: int) -> Iterator[Series]:
    """Yield *count* series of *nights* points: a scatter of 0.6 % a night, a step in every tenth of them."""
    draw = random.Random(1)
    subjects = (
        Subject(network, treatment, "tensorrt", version, "docker", HOST)
        for network in NETWORKS
        for treatment in TREATMENTS
        for version in VERSIONS
    )
    every = [(subject, *measure) for subject in subjects for measure in MEASURES]
    facts = Facts(driver="550.54", harness="0.1.0"), Facts(driver="560.35", harness="0.1.0")
    for number, (subject, measure, unit, level) in enumerate(every[:count]):
        step = (
            (1 + draw.choice((-0.05, 0.03, 0.12)), draw.randrange(20, nights))
            if number % 10 == 0
            else (1, nights)
        )
        step = (1.08, nights - 4) if number in (5, 50) else step
        points = []
        for night in range(nights):
            if draw.random() < 0.02:
                continue
            value = level * (step[0] if night >= step[1] else 1) * draw.gauss(1, 0.006)
            spread = 0.008 * abs(value)
            started = FIRST + timedelta(days=night)
            own = facts[night >= step[1] and number % 20 == 0]
            points.append(
                Point(f"night-{night}", started, value, value - spread, value + spread, (value,) * 3, own)
            )
        yield Series(subject, measure, unit, tuple(points))


def indexed(nights: int) -> list[Night]:
    """Return the nights' lines of the index."""
    return [
        Night(
            run=f"night-{night}",
            started=FIRST + timedelta(days=night),
            state="complete",
            added=FIRST,
            digest="composed",
            builds=120,
            series=200,
            hosts=[HOST],
            versions=[f"tensorrt {version}" for version in VERSIONS],
            matrix="nightly.toml",
        )
        for night in range(nights)
    ]


def main() -> None:
    """Compose, render and open."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--nights", type=int, default=365)
    parser.add_argument("--series", type=int, default=200)
    parser.add_argument("--keep", type=Path)
    parser.add_argument("--shots", type=Path)
    arguments = parser.parse_args()
    plain, nights = list(composed(arguments.nights, arguments.series)), indexed(arguments.nights)
    began = time.process_time()
    found = with_changes(plain)
    looked = time.process_time()
    reports = {night.run: f"trends-nights/{night.run}.html" for night in nights[-30:]}
    made = datetime.now(UTC).isoformat(timespec="seconds")
    page = render_trends(trends_page(nights, found, made=made, harness_version="0.1.0", reports=reports))
    rendered = time.process_time()
    print(f"{len(found)} series of {len(nights)} nights, {sum(len(one.changes) for one in found)} changes")
    print(f"looking for changes {looked - began:.2f} s, rendering {rendered - looked:.2f} s (of one CPU)")
    print(f"page {len(page.encode()) / 1e6:.2f} MB")
    with tempfile.TemporaryDirectory() as folder:
        path = arguments.keep or Path(folder) / "trends.html"
        path.write_text(page, encoding="utf-8")
        open_in_chromium(path, arguments.shots)


def open_in_chromium(path: Path, shots: Path | None) -> None:
    """Print when the page is loaded, and what a filter takes."""
    program = next(filter(None, map(shutil.which, PROGRAMS)), None)
    if program is None:
        print("no Chromium here")
        return
    with browser(program) as tab:
        tab.open(path)
        times = []
        for _ in range(5):
            tab.open(path)
            loaded, drawn, spent = tab.value(LOADED), tab.value(DRAWN), tab.cpu_seconds()
            times.append((loaded, drawn, tab.value(USABLE), spent))
        loaded, drawn, usable, spent = sorted(times, key=lambda one: one[1])[2]
        print(f"Chromium, median of 5: loaded after {loaded:.0f} ms, drawn and ready after {drawn:.0f} ms")
        print(f"a filter answers within {usable:.0f} ms")
        parts = ", ".join(f"{name} {spent[name]:.2f}" for name in ("Layout", "RecalcStyle", "Script"))
        print(f"CPU of its main thread until then: {spent['Task']:.2f} s ({parts})")
        if shots is not None:
            shots.mkdir(parents=True, exist_ok=True)
            tab.look(shots / "light.png", width=1480, height=1000)
            tab.look(shots / "dark.png", width=1480, height=1000, scheme="dark")
            tab.look(shots / "print.png", width=1000, height=1400, media="print")
            tab.look(shots / "narrow.png", width=400, height=900)


if __name__ == "__main__":
    main()
