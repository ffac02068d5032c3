"""Devices of the Container Device Interface: which GPUs an engine's specifications name."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

KIND = "nvidia.com/gpu"
# A specification is JSON, or YAML as nvidia-ctk writes it: one key a line. Only devices have names in it.
_KIND = re.compile(rf"""^[\s{{]*"?kind"?\s*:\s*["']?{re.escape(KIND)}["']?\s*,?\s*$""", re.MULTILINE)
_NAME = re.compile(r"""^[\s\-{]*"?name"?\s*:\s*["']?(?P<name>[\w.:\-]+)["']?\s*,?\s*$""", re.MULTILINE)
_COMPACT = re.compile(r'([{,\[])\s*(?=["{])')


def gpu_names(text: str) -> list[str]:
    """Return the GPUs that the text of one specification names, in its order; none of other kinds."""
    lines = _COMPACT.sub(r"\1\n", text).replace("}", "\n}") if text.lstrip().startswith("{") else text
    return [match["name"] for match in _NAME.finditer(lines)] if _KIND.search(lines) else []


def devices(folders: Iterable[str]) -> tuple[str, ...]:
    """Return the full names of all GPUs in the specifications of *folders* of this machine."""
    found = [f"{KIND}={name}" for text in _texts(folders) for name in gpu_names(text)]
    return tuple(dict.fromkeys(found))


def device_of(uuid: str, known: Sequence[str]) -> str:
    """Return the device that is the GPU *uuid* and no other, empty where none is named so."""
    name = f"{KIND}={uuid}"
    return name if uuid and name in known else ""


def _texts(folders: Iterable[str]) -> Iterator[str]:
    for folder in folders:
        for path in sorted(Path(folder).glob("*")):
            if path.suffix in (".json", ".yaml", ".yml"):
                try:
                    yield path.read_text(encoding="utf-8", errors="replace")
                except OSError:  # the engine may read what this user may not; then it is not known here
                    continue
