"""Accepting changes: entries of the file of accepted changes, made of verdicts."""

from __future__ import annotations

import glob
import json
from collections.abc import Iterable, Sequence
from dataclasses import fields
from datetime import date
from pathlib import Path

from harness.analysis.accepted import Accepted, read_accepted
from harness.analysis.verdict import Verdict
from harness.store.files import write_text


def accepting(verdict: Verdict, reason: str, expires: date) -> Accepted:
    """Return the entry that accepts *verdict* and nothing else: its own names, on every host of the same."""

    def exactly(name: str) -> str:
        return glob.escape(str(getattr(verdict, name)))

    return Accepted(
        verdict=verdict.verdict,
        reason=reason,
        expires=expires,
        bottleneck=exactly("bottleneck"),
        network=exactly("network"),
        treatment=exactly("treatment"),
        runtime=exactly("runtime"),
        version=exactly("version"),
        host=exactly("host"),
    )


def add_accepted(path: Path, entries: Sequence[Accepted]) -> None:
    """Write *entries* behind what the file holds, whose text and comments stay as they are.

    :raises InputError: the file is there and is not what it should be
    :raises OSError: it cannot be written
    """
    before = ""
    if path.exists():
        read_accepted(path)
        before = path.read_text(encoding="utf-8").rstrip("\n") + "\n\n"
    write_text(path, before + "\n".join(map(entry_text, entries)))


def entry_text(entry: Accepted) -> str:
    """Return *entry* as TOML; a pattern that fits everything is left out."""
    said = ((item.name, getattr(entry, item.name)) for item in fields(Accepted))
    lines = [f"{name} = {_toml(value)}" for name, value in said if value != "*"]
    return "\n".join(["[[accepted]]", *lines]) + "\n"


def differing(entries: Iterable[Accepted], known: Iterable[Accepted]) -> list[Accepted]:
    """Return those of *entries* that do not stand among *known* already, each once."""
    there = set(known)
    return [entry for entry in dict.fromkeys(entries) if entry not in there]


def _toml(value: str | date) -> str:
    if isinstance(value, date):
        return value.isoformat()
    # A basic string of TOML is one of JSON, but for the delete character, which TOML wants escaped.
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
