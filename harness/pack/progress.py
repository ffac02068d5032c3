"""How far the making of a pack is: version by version, with size, time, and what that says of the rest."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from harness.written import number_of

Say = Callable[[str], None]


class PackProgress:
    """Says what is packed.

    :param names: of the versions, in their order; :param root: folder that the pack's content grows in
    """

    def __init__(self, names: Sequence[str], root: Path, say: Say) -> None:
        self._names, self._root, self._say = names, root, say
        self._began, self._done = time.monotonic(), 0

    def begin(self, cells: int, builds: int) -> None:
        """Say what there is to do, and what room there is for it. Nothing is asked."""
        free = shutil.disk_usage(self._root).free
        what = number_of(len(self._names), "version")
        whose = number_of(cells, "cell")
        self._say(
            f"to pack: {what} ({', '.join(self._names)}) for {whose}, {number_of(builds, 'build')} each; "
            f"{megabytes(free)} are free"
        )

    def version(self, name: str) -> None:
        """Say that the version *name* is begun."""
        self._say(f"[{self._done + 1}/{len(self._names)}] {name}")

    def ended(self) -> None:
        """Say what the pack has grown to, how long that took, and what the rest would be at as much each."""
        self._done += 1
        size = sum(path.stat().st_size for path in self._root.rglob("*") if path.is_file())
        seconds = time.monotonic() - self._began
        line = f"[{self._done}/{len(self._names)}] {megabytes(size)} after {seconds:.0f} s"
        if left := len(self._names) - self._done:
            more = f"{megabytes(size * left / self._done)} and {seconds * left / self._done:.0f} s"
            # No bound: a release may be twice as large as the one before, and differences take longer.
            line += f"; {left} to go: as much for each would be {more} more"
        self._say(line)


def megabytes(size: float) -> str:
    """Return *size* in bytes as people say it: ``12.3 MB``, ``1.2 GB``."""
    return f"{size / 1e9:.1f} GB" if size >= 1e9 else f"{size / 1e6:.1f} MB"
