"""Parts that fail when they are asked to: ``ACME_RAISES`` names the part."""

import os


def may_raise(part: str) -> None:
    """Raise where *part* is the one that is to fail."""
    if os.environ.get("ACME_RAISES") == part:
        raise ValueError(f"the {part} fails on purpose")
