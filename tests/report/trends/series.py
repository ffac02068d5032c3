"""Series over nights, made by hand."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from harness.history.records import ChangePoint, Facts, Point, Series, Subject
from harness.store.documents.night import Night

FIRST = datetime(2026, 11, 1, 2, 0, tzinfo=UTC)
SUBJECT = Subject("mobilenet_v2", "fp32-b1-clip", "openvino", "2024.6.0", "venv", "host-a")


def series(
    values: Sequence[float | None], measure: str = "latency", unit: str = "ms", subject: Subject = SUBJECT
) -> Series:
    """Return a series of one value a night, None where a night is missing."""
    points = [
        Point(f"n{at}", FIRST + timedelta(days=at), value, value * 0.99, value * 1.01, (value,) * 3, Facts())
        for at, value in enumerate(values)
        if value is not None
    ]
    return Series(subject, measure, unit, tuple(points))


def change(of: Series, index: int, seen: int, size: float) -> ChangePoint:
    """Return a change of *of* at the point *index*, confirmed by the point *seen*."""
    point = of.points[index]
    return ChangePoint(
        index, point.night, point.started, seen, size, size - 0.01, size + 0.01, ("driver 1 -> 2",)
    )


def nights(count: int, host: str = "host-a") -> list[Night]:
    """Return the index of *count* nights."""
    return [
        Night(
            run=f"n{at}",
            started=FIRST + timedelta(days=at),
            state="complete",
            added=FIRST,
            digest="d",
            builds=6,
            series=2,
            hosts=[host],
            versions=["openvino 2024.6.0"],
            matrix="nightly.toml",
        )
        for at in range(count)
    ]
