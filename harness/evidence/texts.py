"""Decoding with a memory: names, kernels and ids come again and again in a log."""

from __future__ import annotations

_MAX_KEPT = 1 << 16


class Texts:
    """Decodes bytes of a log, each value once, within bounds."""

    def __init__(self) -> None:
        self._texts: dict[bytes, str] = {}

    def text(self, raw: bytes) -> str:
        """UTF-8 with U+FFFD for what is none."""
        value = self._texts.get(raw)
        if value is None:
            if len(self._texts) >= _MAX_KEPT:
                self._texts.clear()
            value = self._texts[raw] = raw.decode("utf-8", "replace")
        return value
