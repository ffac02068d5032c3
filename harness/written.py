"""How numbers are written for people, the same in pages, messages and the terminal."""

from __future__ import annotations

from collections.abc import Sequence

MINUS = "\N{MINUS SIGN}"

MOST_TIMES = 1000.0
"""A factor beyond which only that is said."""


def milliseconds(value: float | None) -> str:
    """Return *value* with as many digits as are worth reading, nothing for None."""
    if value is None:
        return ""
    if value == 0:
        return "0"
    if value < 0.0995:
        return f"{value:.4f}"
    return f"{value:.3f}" if value < 10 else f"{value:.2f}" if value < 100 else f"{value:.1f}"


def difference(value: float) -> str:
    """Return a difference of milliseconds with its sign: ``-0.0110 ms``."""
    return f"{'+' if value > 0 else MINUS}{milliseconds(abs(value))} ms"


def percent(share: float | None, digits: int = 1) -> str:
    """Return a share of 1 in percent: ``12.3 %``."""
    return "" if share is None else f"{100 * share:.{digits}f} %"


def change(factor: float | None) -> str:
    """Return new / old as people say it: ``-12.3 %``, ``+5.0 %``, and from a factor of 2 on ``3.1 times``.

    Beyond a factor of 1000 either way only that is said.
    """
    if factor is None:
        return ""
    if factor > MOST_TIMES:
        return f"over {MOST_TIMES:.0f} times"
    if factor < 1 / MOST_TIMES:
        return f"under 1/{MOST_TIMES:.0f}"
    if factor >= 2:
        return f"{factor:.{1 if factor < 100 else 0}f} times"
    return f"{100 * (factor - 1):+.1f} %".replace("-", MINUS)


def interval(ends: tuple[float, float] | None) -> str:
    """Return an interval of a ratio: ``-15.0 % to -9.1 %``."""
    return "" if ends is None else f"{change(ends[0])} to {change(ends[1])}"


def capital(text: str) -> str:
    """Return *text* with its first letter as a sentence begins."""
    return text[:1].upper() + text[1:]


def number_of(count: int, one: str, many: str = "") -> str:
    """Return how many there are in words that agree: ``1 build``, ``3 builds``.

    :param many: in place of *one* with an s
    """
    return f"{count} {one if count == 1 else many or f'{one}s'}"


def span(counts: Sequence[int]) -> str:
    """Return ``74``, or ``54 to 88`` where builds differ."""
    low, high = min(counts), max(counts)
    return str(low) if low == high else f"{low} to {high}"


def a_second(images: float | None, gflops: float | None) -> str:
    """Return a speed, of which either part may not be known: ``2,793 images/s, 1,698 GFLOP/s``."""
    parts = [(images, "images/s"), (gflops, "GFLOP/s")]
    return ", ".join(f"{speed(value)} {unit}" for value, unit in parts if value is not None)


def speed(value: float | None) -> str:
    """Return something a second: ``2,793``, ``44.7``, nothing for None."""
    if value is None:
        return ""
    return f"{value:,.{0 if value >= 100 else 1}f}" if value >= 1 else f"{value:.2g}"
