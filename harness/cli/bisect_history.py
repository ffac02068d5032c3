"""``trtmatrix bisect --history DIR``: between which nights something changed, and what changed with it."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from harness.errors import NothingChosenError

if TYPE_CHECKING:
    from harness.history.records import ChangePoint, Series

SCHEMA = "trtmatrix.bisect-history/1"


def print_changes(arguments: argparse.Namespace) -> None:
    """Print a line a change of the series that are asked for, or all of them as JSON.

    :raises UsageError: no series of the history fits
    """
    found = list(_changes(arguments))
    if arguments.json:
        rows = [_as_json(series, change) for series, change in found]
        json.dump({"schema": SCHEMA, "changes": rows}, sys.stdout, indent=1, allow_nan=False)
        sys.stdout.write("\n")
        return
    for series, change in found:
        print(change_message(series, change))
    if not found:
        print("no change between any of these nights")


def change_message(series: Series, change: ChangePoint) -> str:
    """Return one line: what changed by how much, between which nights, and what changed with it."""
    from harness.report.trends.changes import title_of

    row = _as_json(series, change)
    size = f"{100 * (change.size - 1):+.1f} %" if series.relative else f"{change.size:+.3g} {series.unit}"
    facts = "; ".join(change.facts) or "nothing known changed with it"
    return (
        f"{title_of(series.measure)} of {series.subject.name} ({series.subject.host}): {size} "
        f"between {row['last_before']} ({row['day_before']}) and "
        f"{row['first_after']} ({row['day_after']}); {facts}"
    )


def _changes(arguments: argparse.Namespace) -> Iterator[tuple[Series, ChangePoint]]:
    from harness.history.changes import with_changes
    from harness.history.folder import open_history
    from harness.history.reading import series
    from harness.history.records import LATENCY, Filter

    measure = LATENCY if arguments.bottleneck == LATENCY else f"cost:{arguments.bottleneck}"
    names = ("network", "treatment", "runtime", "host")
    said: dict[str, Any] = {name: getattr(arguments, name) or "*" for name in names}
    wanted = Filter(measure=measure, **said)
    versions = None if arguments.versions is None else arguments.versions.split(",")
    read = series(open_history(arguments.history), wanted)
    asked = [one for one in read.series if versions is None or one.subject.version in versions]
    if not asked:
        raise NothingChosenError(
            f"{arguments.history}: no series of these names; 'trtmatrix history show' lists them"
        )
    for one in with_changes(asked):
        for change in one.changes:
            yield one, change


def _as_json(series: Series, change: ChangePoint) -> dict[str, Any]:
    before, after = series.points[change.index - 1], series.points[change.index]
    return {
        **series.subject._asdict(),
        "measure": series.measure,
        "last_before": before.night,
        "day_before": before.started.date().isoformat(),
        "first_after": after.night,
        "day_after": after.started.date().isoformat(),
        "size": change.size,
        "low": change.low,
        "high": change.high,
        "facts": list(change.facts),
    }
