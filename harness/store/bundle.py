"""A run's bundle: one folder that holds all of its evidence.

::

    RUN/manifest.json         schema, run id, state, machine, seed, matrix, harness, networks, cells
    RUN/samples.parquet       one row a timed inference (:data:`harness.store.schema.SAMPLES`)
    RUN/layer_times.parquet   one row an engine layer and build (:data:`harness.store.schema.LAYER_TIMES`)
    RUN/networks/*.json       the networks' structure, digest and reference outputs' summary
    RUN/builds/CELL/BUILD/    build.json (written last), and the files of the worker as they came
    RUN/set-aside/CELL/       builds whose block a node left unfinished; nobody reads them

A build folder appears whole, by a rename, once its build is over: what a crash leaves can always be read, and
a run that is resumed knows what it has. The tables are made from the build folders when the run ends, and
again whenever they are missing.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from msgspec import structs

from harness.errors import CellNameError, DamagedBundleError, FolderInUseError, NoSuchFileError
from harness.matrix.cell import CELL_ID, CELL_ID_RULE, Cell
from harness.store.documents.base import UNKNOWN, read_document, write_document
from harness.store.documents.build import Build
from harness.store.documents.manifest import CellEntry, Manifest


@dataclass(frozen=True)
class CellRecord:
    """A cell as the manifest holds it: status ``pending``, ``measured``, ``failed``, ``unsupported`` ..."""

    cell: Cell
    status: str
    reason: str = ""
    digest: str = UNKNOWN


@dataclass(frozen=True)
class BuildRecord:
    """One build's ``build.json`` and the folder it lies in."""

    folder: Path
    document: Build

    @property
    def cell_id(self) -> str:
        """Id of its cell."""
        return self.document.cell

    @property
    def build(self) -> int:
        """Its number within the cell."""
        return self.document.build

    @property
    def status(self) -> str:
        """``ok``, ``failed``, ``unsupported`` ..."""
        return self.document.status

    @property
    def reason(self) -> str:
        """Why, one line."""
        return self.document.reason


def refuse_used(root: Path) -> None:
    """Refuse a folder that holds something already.

    :raises UsageError: it does
    """
    if root.is_dir() and any(root.iterdir()):
        raise FolderInUseError(f"{root}: the folder is not empty; name a new one, or --resume the run in it")


class Bundle:
    """A bundle on disk."""

    def __init__(self, root: Path, manifest: Manifest) -> None:
        self.root = root
        self._manifest = manifest
        self._entries = {entry.id: entry for entry in manifest.cells}

    @classmethod
    def create(cls, root: Path, manifest: Manifest) -> Bundle:
        """Make a new bundle in *root*.

        :raises UsageError: the folder holds something else already
        """
        refuse_used(root)
        (root / "builds").mkdir(parents=True, exist_ok=True)
        bundle = cls(root, manifest)
        bundle.save()
        return bundle

    @classmethod
    def open(cls, root: Path) -> Bundle:
        """Open the bundle in *root*.

        :raises InputError: no bundle, or of a schema that this version does not read
        """
        if not root.is_dir():
            raise NoSuchFileError(root, "no such run: expected the folder of a bundle")
        return cls(root, read_document(root / "manifest.json", Manifest))

    @property
    def manifest(self) -> Manifest:
        """What :meth:`save` writes."""
        return structs.replace(self._manifest, cells=tuple(self._entries.values()))

    def update(self, **changes: Any) -> None:
        """Change fields of the manifest other than its cells; :meth:`save` writes them."""
        self._manifest = structs.replace(self._manifest, **changes)

    def save(self) -> None:
        """Write the manifest."""
        write_document(self.root / "manifest.json", self.manifest)

    # cells

    def cells(self) -> list[CellRecord]:
        """Return the cells in the order of the matrix.

        :raises InputError: a treatment is not as it should be
        """
        found = []
        for index, entry in enumerate(self._entries.values()):
            try:
                found.append(CellRecord(entry.cell(), entry.status, entry.reason, entry.digest))
            except ValueError as error:
                where = f"cells[{index}].treatment"
                raise DamagedBundleError(self.root / "manifest.json", str(error), where=where) from None
        return found

    def set_cell(self, cell: Cell, status: str, reason: str = "", digest: str = UNKNOWN) -> None:
        """Add *cell*, or change what is said of it; :meth:`save` writes it."""
        self._entries[check_cell_id(cell.id)] = CellEntry.of(cell, status, reason, digest)

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

    def put_build(self, files: Path, document: Build) -> BuildRecord:
        """Move the folder *files* into the bundle as one build; it appears whole or not at all."""
        target = self.build_folder(document.cell, document.build)
        write_document(files / "build.json", document)
        target.parent.mkdir(parents=True, exist_ok=True)
        if target.exists():
            shutil.rmtree(target)
        staging = target.with_name(f".{target.name}.new")
        shutil.rmtree(staging, ignore_errors=True)
        shutil.move(files, staging)
        # Made as a private temporary folder; a bundle is meant to be handed on.
        staging.chmod(0o755)
        staging.rename(target)
        return BuildRecord(target, document)

    def set_aside(self, cell_id: str, build: int) -> Path:
        """Move a build out of the run, which will have another of its number; return where it lies now."""
        folder = self.root / "set-aside" / check_cell_id(cell_id)
        folder.mkdir(parents=True, exist_ok=True)
        number = sum(path.name.startswith(f"{build}-") for path in folder.iterdir())
        return self.build_folder(cell_id, build).rename(folder / f"{build}-{number}")

    def builds(self, cell_id: str | None = None) -> Iterator[BuildRecord]:
        """Yield the builds, by cell in the order of the matrix and by number."""
        asked = self._entries if cell_id is None else [cell_id] if cell_id in self._entries else []
        for known in list(asked):
            folder = self.root / "builds" / check_cell_id(known)
            numbers = sorted(int(p.name) for p in folder.glob("[0-9]*") if p.name.isdigit())
            for number in numbers:
                yield self.build(known, number)

    def build(self, cell_id: str, number: int) -> BuildRecord:
        """Return one build.

        :raises InputError: it is not there, or torn
        """
        folder = self.build_folder(cell_id, number)
        return BuildRecord(folder, read_document(folder / "build.json", Build))

    def has_build(self, cell_id: str, build: int) -> bool:
        """Say whether a build is there, whole."""
        return (self.build_folder(cell_id, build) / "build.json").is_file()


def check_cell_id(cell_id: str) -> str:
    """Return *cell_id* if it can be a folder's name.

    :raises UsageError: it cannot
    """
    if not CELL_ID.fullmatch(cell_id):
        raise CellNameError(f"'{cell_id}' cannot be a cell id: {CELL_ID_RULE}")
    return cell_id


def find_runs(folder: Path) -> Sequence[Path]:
    """Return the bundles directly below *folder*, oldest first by their run id."""
    if not folder.is_dir():
        return []
    return sorted(p.parent for p in folder.glob("*/manifest.json"))
