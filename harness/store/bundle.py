"""A run's bundle: one folder that holds all of its evidence.

::

    RUN/manifest.json         schema, run id, state, machine, seed, matrix, harness, networks, cells
    RUN/samples.parquet       one row a timed inference (:data:`harness.store.schema.SAMPLES`)
    RUN/layer_times.parquet   one row an engine layer and build (:data:`harness.store.schema.LAYER_TIMES`)
    RUN/networks/*.json       the networks' structure, digest and reference outputs' summary
    RUN/builds/CELL/BUILD/    build.json (written last), and the files of the worker as they came

A build folder appears whole, by a rename, once its build is over: what a crash leaves can always be read, and
a run that is resumed knows what it has. The tables are made from the build folders when the run ends, and
again whenever they are missing.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.errors import InputError, UsageError
from harness.matrix.cell import CELL_ID, CELL_ID_RULE, Cell
from harness.store.files import read_json, write_json
from harness.store.schema import BUILD_SCHEMA, BUNDLE_SCHEMA


@dataclass(frozen=True)
class CellRecord:
    """A cell as the manifest holds it: status ``pending``, ``measured``, ``failed``, ``unsupported`` ..."""

    cell: Cell
    status: str
    reason: str = ""
    digest: str = "unknown"


@dataclass(frozen=True)
class BuildRecord:
    """One build's ``build.json`` and the folder it lies in."""

    cell_id: str
    build: int
    status: str
    reason: str
    folder: Path
    document: Mapping[str, Any]


_KINDS: Mapping[str, type] = {"cells": list, "machine": dict, "matrix": dict}
"""Kinds of what is read of a manifest."""


def refuse_used(root: Path) -> None:
    """Refuse a folder that holds something already.

    :raises UsageError: it does
    """
    if root.is_dir() and any(root.iterdir()):
        raise UsageError(f"{root}: the folder is not empty; name a new one, or --resume the run in it")


class Bundle:
    """A bundle on disk."""

    def __init__(self, root: Path, manifest: dict[str, Any]) -> None:
        self.root = root
        self.manifest = manifest

    @classmethod
    def create(cls, root: Path, manifest: Mapping[str, Any]) -> Bundle:
        """Make a new bundle in *root*.

        :raises UsageError: the folder holds something else already
        """
        refuse_used(root)
        (root / "builds").mkdir(parents=True, exist_ok=True)
        bundle = cls(root, {"schema": BUNDLE_SCHEMA, **manifest})
        bundle.save()
        return bundle

    @classmethod
    def open(cls, root: Path) -> Bundle:
        """Open the bundle in *root*.

        :raises InputError: no bundle, or of a schema that this version does not read
        """
        if not root.is_dir():
            raise InputError(root, "no such run: expected the folder of a bundle")
        manifest = read_json(root / "manifest.json")
        if manifest.get("schema") != BUNDLE_SCHEMA:
            raise InputError(
                root / "manifest.json", f"expected schema {BUNDLE_SCHEMA!r}, found {manifest.get('schema')!r}"
            )
        for key, kind in _KINDS.items():
            if not isinstance(manifest.get(key, kind()), kind):
                raise InputError(root / "manifest.json", f"expected {kind.__name__}", where=key)
        for key in ("seed", "rounds"):
            if not isinstance(manifest.get(key, 0), int | None):
                raise InputError(root / "manifest.json", "expected a whole number", where=key)
        return cls(root, manifest)

    def save(self) -> None:
        """Write the manifest."""
        write_json(self.root / "manifest.json", self.manifest)

    # cells

    def cells(self) -> list[CellRecord]:
        """Return the cells in the order of the matrix."""
        try:
            return [
                CellRecord(
                    Cell.from_json(c),
                    _text(c["status"]),
                    _text(c.get("reason", "")),
                    _text(c.get("digest", "unknown")),
                )
                for c in self.manifest.get("cells", [])
            ]
        except (KeyError, TypeError, AttributeError, ValueError, AssertionError) as error:
            raise InputError(self.root / "manifest.json", f"a cell lacks {error}", where="cells") from None

    def set_cell(self, cell: Cell, status: str, reason: str = "", digest: str = "unknown") -> None:
        """Add *cell*, or change what is said of it; :meth:`save` writes it."""
        check_cell_id(cell.id)
        entry = {**cell.as_json(), "status": status, "reason": reason, "digest": digest}
        cells: list[dict[str, Any]] = self.manifest.setdefault("cells", [])
        for index, known in enumerate(cells):
            if known["id"] == cell.id:
                cells[index] = entry
                return
        cells.append(entry)

    def keep_network(self, cell: Cell, structure: Path) -> None:
        """Keep the structure of *cell*'s network (``network.json``: no weights) in the bundle."""
        target = self.network_path(cell)
        if not target.exists():
            target.parent.mkdir(exist_ok=True)
            shutil.copyfile(structure, target)

    def network_path(self, cell: Cell) -> Path:
        """Return where the structure of *cell*'s network lies, if the bundle keeps it."""
        treatment = cell.treatment
        return self.root / "networks" / f"{cell.network}-{treatment.relu6}-b{treatment.batch}.json"

    # builds

    def build_folder(self, cell_id: str, build: int) -> Path:
        """Return where a build's files lie (or will lie)."""
        return self.root / "builds" / check_cell_id(cell_id) / str(build)

    def put_build(self, cell_id: str, build: int, files: Path, document: Mapping[str, Any]) -> BuildRecord:
        """Move the folder *files* into the bundle as one build; it appears whole or not at all.

        :param document: JSON-able content of ``build.json``: at least ``status`` and ``reason``
        """
        target = self.build_folder(cell_id, build)
        write_json(
            files / "build.json", {"schema": BUILD_SCHEMA, "cell": cell_id, "build": build, **document}
        )
        target.parent.mkdir(parents=True, exist_ok=True)
        if target.exists():
            shutil.rmtree(target)
        staging = target.with_name(f".{target.name}.new")
        shutil.rmtree(staging, ignore_errors=True)
        shutil.move(files, staging)
        # Made as a private temporary folder; a bundle is meant to be handed on.
        staging.chmod(0o755)
        staging.rename(target)
        return _build_record(target)

    def builds(self, cell_id: str | None = None) -> Iterator[BuildRecord]:
        """Yield the builds, by cell in the order of the matrix and by number."""
        # Ids as they stand in the manifest: a run of a thousand cells asks for each cell's builds in turn.
        for known in self._cell_ids():
            if cell_id in (None, known):
                folder = self.root / "builds" / check_cell_id(known)
                numbers = sorted(int(p.name) for p in folder.glob("[0-9]*") if p.name.isdigit())
                for number in numbers:
                    yield _build_record(folder / str(number))

    def _cell_ids(self) -> list[str]:
        try:
            return [str(cell["id"]) for cell in self.manifest.get("cells", [])]
        except (KeyError, TypeError) as error:
            raise InputError(self.root / "manifest.json", f"a cell lacks {error}", where="cells") from None

    def build(self, cell_id: str, number: int) -> BuildRecord:
        """Return one build.

        :raises InputError: it is not there, or torn
        """
        return _build_record(self.build_folder(cell_id, number))

    def has_build(self, cell_id: str, build: int) -> bool:
        """Say whether a build is there, whole."""
        return (self.build_folder(cell_id, build) / "build.json").is_file()


def _build_record(folder: Path) -> BuildRecord:
    document = read_json(folder / "build.json")
    try:
        return BuildRecord(
            cell_id=_text(document["cell"]),
            build=int(document["build"]),
            status=_text(document["status"]),
            reason=_text(document.get("reason", "")),
            folder=folder,
            document=document,
        )
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise InputError(folder / "build.json", f"lacks or spoils the key {error}") from None


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"a text: found {value!r:.40}")
    return value


def check_cell_id(cell_id: str) -> str:
    """Return *cell_id* if it can be a folder's name.

    :raises UsageError: it cannot
    """
    if not CELL_ID.fullmatch(cell_id):
        raise UsageError(f"'{cell_id}' cannot be a cell id: {CELL_ID_RULE}")
    return cell_id


def find_runs(folder: Path) -> Sequence[Path]:
    """Return the bundles directly below *folder*, oldest first by their run id."""
    if not folder.is_dir():
        return []
    return sorted(p.parent for p in folder.glob("*/manifest.json"))
