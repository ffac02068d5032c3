"""Reading of what a pack brought home: archives or folders of results, and what they say of their visits."""

from __future__ import annotations

import shutil
import tarfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import zstandard

from harness.errors import InputError, NoSuchFileError, OtherRunError, PackResultsError
from harness.matrix.cell import Cell
from harness.store.documents.base import D, read_document
from harness.store.documents.plan import PackPlan
from harness.store.documents.visit import Visit, VisitBuild
from harness.store.files import read_json


@dataclass(frozen=True)
class BroughtPlan:
    """What a pack was made to measure, from ``plan-ID.json``.

    :param cells: by id, in the order of the matrix
    """

    path: Path
    document: PackPlan
    cells: Mapping[str, Cell]


@dataclass(frozen=True)
class BroughtBuild:
    """A build that came home: its folder and its ``outcome.json``."""

    folder: Path
    outcome: VisitBuild

    @property
    def identity(self) -> tuple[str, str, int]:
        """Visit, cell id and round: the same build in two archives has the same."""
        return self.outcome.visit, self.outcome.cell, self.outcome.round


@dataclass(frozen=True)
class Results:
    """All that the archives hold.

    :param visits: by visit id
    """

    plan: BroughtPlan
    visits: Mapping[str, Visit]
    builds: Sequence[BroughtBuild]


def gather(paths: Sequence[Path], scratch: Path) -> Results:
    """Unpack the archives *paths* (folders are copied) below *scratch* and read them.

    :raises InputError: no archive or folder of results, or results of two different packs
    """
    for number, path in enumerate(paths):
        _bring(path, scratch / str(number))
    plans = {str(read_json(path).get("id")): path for path in sorted(scratch.glob("*/plan-*.json"))}
    if len(plans) != 1:
        found = "no plan-*.json" if not plans else f"plans of {len(plans)} packs"
        raise OtherRunError(paths[0], f"expected results of one pack, found {found}")
    visits = latest(_read(path, Visit) for path in sorted(scratch.glob("*/*/visit-*.json")))
    builds: dict[tuple[str, str, int], BroughtBuild] = {}
    for path in sorted(scratch.glob("*/*/builds/*/*/outcome.json")):
        build = BroughtBuild(path.parent, _read(path, VisitBuild))
        builds.setdefault(build.identity, build)
    ordered = sorted(builds.values(), key=lambda b: (b.outcome.started, b.identity))
    return Results(_plan(next(iter(plans.values()))), visits, ordered)


def latest(records: Iterable[Visit]) -> dict[str, Visit]:
    """Return the last record of each visit, by visit: every archive of one holds a record of its own."""
    return {one.visit: one for one in sorted(records, key=lambda record: record.seconds)}


def _bring(path: Path, target: Path) -> None:
    if path.is_dir():
        # Told before anything is copied; the scratch folder may lie inside of what is brought.
        if not any(path.glob("plan-*.json")):
            raise PackResultsError(path, "expected a folder of results, found no plan-*.json in it")
        ignore = shutil.ignore_patterns("work", ".collect-*")
        shutil.copytree(path, target, ignore=ignore, ignore_dangling_symlinks=True)
        return
    try:
        with (
            path.open("rb") as source,
            zstandard.ZstdDecompressor().stream_reader(source) as stream,
            tarfile.open(fileobj=stream, mode="r|") as archive,
        ):
            # `data`: no links out of the folder, no devices, no absolute names.
            archive.extractall(target, filter="data")
    except FileNotFoundError:
        raise NoSuchFileError(path, "no such archive or folder of results") from None
    except (tarfile.TarError, zstandard.ZstdError, EOFError, OSError) as error:
        raise PackResultsError(path, f"not an archive of results: {error}") from None


def _plan(path: Path) -> BroughtPlan:
    document = _read(path, PackPlan)
    try:
        cells = {name: Cell.from_json(job.document["cell"]) for name, job in document.jobs.items()}
    except (KeyError, TypeError, AttributeError, ValueError, AssertionError) as error:
        raise PackResultsError(_name(path), f"a job lacks {error}", where="jobs") from None
    return BroughtPlan(path, document, cells)


def _read(path: Path, kind: type[D]) -> D:
    """Read a document, whose errors name no more than its last folders: the rest is a scratch folder."""
    try:
        return read_document(path, kind)
    except InputError as error:
        raise type(error)(_name(path), error.problem, line=error.line, where=error.where) from None


def _name(path: Path) -> str:
    return "/".join(path.parts[-3:]) if path.name == "outcome.json" else path.name
