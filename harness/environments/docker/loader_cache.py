"""What the loader of this machine knows: names of shared libraries, and the files they stand for."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

_ROW = re.compile(r"^\s+(?P<name>\S+) \((?P<kind>[^)]*)\) => (?P<path>\S+)$", re.MULTILINE)


def parse(text: str) -> dict[str, Path]:
    """Return names and files in the words of ``ldconfig -p``; of one name the file that the loader takes."""
    found: dict[str, Path] = {}
    for match in _ROW.finditer(text):
        # The first of a name is the one the loader takes; 32-bit ones are marked otherwise.
        if "x86-64" in match["kind"] or "AArch64" in match["kind"]:
            found.setdefault(match["name"], Path(match["path"]))
    return found


def read() -> dict[str, Path]:
    """Ask this machine's loader; empty where it has no cache."""
    for command in ("ldconfig", "/sbin/ldconfig", "/usr/sbin/ldconfig"):
        try:
            answer = subprocess.run([command, "-p"], capture_output=True, text=True, timeout=30)
        except (OSError, subprocess.TimeoutExpired):
            continue
        return parse(answer.stdout)
    return {}
