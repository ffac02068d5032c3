"""Printing of listings: a table for people, JSON for programs."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence


def print_rows(rows: Sequence[Mapping[str, object]], *, as_json: bool) -> None:
    """Print *rows*, which all have the same keys, as a table or as a JSON array."""
    if as_json:
        json.dump(list(rows), sys.stdout, indent=1, ensure_ascii=False)
        sys.stdout.write("\n")
        return
    if not rows:
        print("none")
        return
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    # A pipe has no width: there a row stays one line, however long, so that grep finds all of it.
    console = Console(width=None if sys.stdout.isatty() else 10_000, highlight=False)
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in rows[0]:
        table.add_column(name.replace("_", " "), no_wrap=not sys.stdout.isatty(), overflow="fold")
    for row in rows:
        # Text, not str: names in square brackets are not markup.
        table.add_row(*(Text(_said(value)) for value in row.values()))
    console.print(table, soft_wrap=not sys.stdout.isatty())


def _said(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, list | tuple):
        return ", ".join(str(item) for item in value)
    return str(value)
