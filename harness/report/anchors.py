"""Element ids of the page."""

from __future__ import annotations


def anchor(*parts: str) -> str:
    """Return an element id made of *parts*: letters, digits and hyphens, the same for the same parts."""
    text = "-".join(parts)
    return "".join(c if c.isascii() and c.isalnum() else "-" for c in text)
