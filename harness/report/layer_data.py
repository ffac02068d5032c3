"""The layers of all cells in one block of the page: dictionary-coded, deflated, base64.

The block is data, not script: ``{"strings": [...], "cells": [...]}`` as UTF-8 JSON, deflated (zlib, RFC
1950, what browsers call ``deflate``) and base64 (RFC 4648), so that no name in it can end its element. A
cell is its id (with its host, where that is needed to tell), the sum of its layer times and six columns of
one entry a layer: name, class, kernel family, kernel (indices into ``strings``), time in nanoseconds (-1:
none) and source ops (a list of indices).
"""

from __future__ import annotations

import base64
import zlib
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from harness.analysis.grid import Grid
from harness.attribution.engine import AttributedEngine


class Strings:
    """Texts, each kept once."""

    def __init__(self) -> None:
        self._index: dict[str, int] = {}
        self._rows: dict[tuple[str, ...], list[int]] = {}

    def index(self, texts: Iterable[str]) -> list[int]:
        """Return the index of each of *texts*, a new one of what was not seen before."""
        known = self._index
        return [known.setdefault(text, len(known)) for text in texts]

    def row(self, texts: tuple[str, ...]) -> list[int]:
        """Return the indices of *texts*, which others are likely to have, too; one list for all."""
        if texts not in self._rows:
            self._rows[texts] = self.index(texts)
        return self._rows[texts]

    @property
    def texts(self) -> list[str]:
        """All texts, by index."""
        return list(self._index)


def layer_document(grid: Grid) -> dict[str, list[Any]]:
    """Return the block's JSON document: of each cell and host the build of the middle layer time, if any."""
    strings = Strings()
    hosts: dict[str, dict[str, None]] = {}
    for group in grid.built:
        hosts.setdefault(group.cell.id, {})[group.host] = None
    cells = []
    for group in grid.built:
        build = group.typical_build
        if build is not None and build.engine is not None:
            where = grid.hosts.where(group.host, hosts[group.cell.id])
            name = f"{group.cell.id} ({group.name})" if group.name else group.cell.id
            name = f"{name} on {where}" if where else name
            cells.append({"id": name, **_columns(build.engine, strings)})
    return {"strings": strings.texts, "cells": cells}


def _columns(engine: AttributedEngine, strings: Strings) -> dict[str, object]:
    layers = engine.layers
    return {
        "partial": engine.partial,
        "total": round(1e6 * engine.total_ms),
        "names": strings.row(tuple([x.name for x in layers])),
        "classes": strings.row(tuple([x.op_class for x in layers])),
        "families": strings.row(tuple([x.family for x in layers])),
        "kernels": strings.index([x.kernel or x.type or "" for x in layers]),
        "times": [-1 if x.time_ms is None else round(1e6 * x.time_ms) for x in layers],
        "ops": [strings.row(x.source_ops) for x in layers],
    }


def encoded(document: Mapping[str, object]) -> str:
    """Return *document* as the page holds it."""
    return base64.b64encode(zlib.compress(msgspec.json.encode(document), 9)).decode("ascii")
