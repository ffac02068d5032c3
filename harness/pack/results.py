"""Reading of what a pack brought home: archives or folders of results, and what they say of their visits."""

from __future__ import annotations

import shutil
import tarfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import zstandard

from harness.errors import InputError
from harness.matrix.cell import Cell
from harness.store.files import read_json

PLAN_SCHEMA = "trtmatrix.pack/1"
VISIT_SCHEMA = "trtmatrix.visit/1"

_PLAN_KEYS: Mapping[str, type] = {
    "id": str,
    "jobs": dict,
    "sites": dict,
    "seed": int,
    "builds": int,
    "matrix": dict,
    "python": dict,
}
"""Kinds of what is read of a plan."""


@dataclass(frozen=True)
class PackPlan:
    """What a pack was made to measure, from ``plan-ID.json``."""

    path: Path
    document: Mapping[str, Any]
    cells: Mapping[str, Cell]


@dataclass(frozen=True)
class BroughtBuild:
    """A build that came home: its folder and its ``outcome.json``."""

    folder: Path
    outcome: Mapping[str, Any]

    @property
    def identity(self) -> tuple[str, str, int]:
        """Visit, cell id and round: the same build in two archives has the same."""
        try:
            return str(self.outcome["visit"]), str(self.outcome["cell"]), int(self.outcome["round"])
        except (KeyError, TypeError, ValueError, OverflowError) as error:
            raise InputError(self._name, f"an outcome lacks {error}") from None

    @property
    def started(self) -> float:
        """When it was begun, seconds since 1970."""
        try:
            return float(self.outcome["started"])
        except (KeyError, TypeError, ValueError) as error:
            raise InputError(self._name, f"an outcome lacks {error}", where="started") from None

    @property
    def _name(self) -> str:
        # not the whole path: it lies in a scratch folder
        return "/".join(self.folder.parts[-2:]) + "/outcome.json"


@dataclass(frozen=True)
class Results:
    """All that the archives hold.

    :param visits: visit id to the content of ``visit-ID.json``
    """

    plan: PackPlan
    visits: Mapping[str, Mapping[str, Any]]
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
        raise InputError(paths[0], f"expected results of one pack, found {found}")
    visits = latest(map(read_json, sorted(scratch.glob("*/*/visit-*.json"))))
    builds: dict[tuple[str, str, int], BroughtBuild] = {}
    for path in sorted(scratch.glob("*/*/builds/*/*/outcome.json")):
        build = BroughtBuild(path.parent, _outcome(path))
        builds.setdefault(build.identity, build)
    ordered = sorted(builds.values(), key=lambda b: (b.started, b.identity))
    return Results(_plan(next(iter(plans.values()))), visits, ordered)


def latest(records: Iterable[Mapping[str, Any]]) -> dict[str, Mapping[str, Any]]:
    """Return the last record of each visit, by visit: every archive of one holds a record of its own."""
    found: dict[str, Mapping[str, Any]] = {}
    try:
        for one in sorted(records, key=lambda record: float(record.get("seconds", 0.0))):
            found[str(one["visit"])] = one
    except (KeyError, TypeError, ValueError) as error:
        raise InputError("visit-*.json", f"a visit lacks {error}") from None
    return found


def _bring(path: Path, target: Path) -> None:
    if path.is_dir():
        # Told before anything is copied; the scratch folder may lie inside of what is brought.
        if not any(path.glob("plan-*.json")):
            raise InputError(path, "expected a folder of results, found no plan-*.json in it")
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
        raise InputError(path, "no such archive or folder of results") from None
    except (tarfile.TarError, zstandard.ZstdError, EOFError, OSError) as error:
        raise InputError(path, f"not an archive of results: {error}") from None


def _plan(path: Path) -> PackPlan:
    document = read_json(path)
    if document.get("schema") != PLAN_SCHEMA:
        raise InputError(path.name, f"schema {document.get('schema')!r}, expected {PLAN_SCHEMA!r}")
    for key, kind in _PLAN_KEYS.items():
        if not isinstance(document.get(key), kind) or isinstance(document.get(key), bool):
            raise InputError(path.name, f"expected {kind.__name__}", where=key)
    try:
        cells = {name: Cell.from_json(job["document"]["cell"]) for name, job in document["jobs"].items()}
    except (KeyError, TypeError, AttributeError, ValueError, AssertionError) as error:
        raise InputError(path.name, f"a job lacks {error}", where="jobs") from None
    return PackPlan(path, document, cells)


def _outcome(path: Path) -> dict[str, Any]:
    outcome = read_json(path)
    if outcome.get("schema") != VISIT_SCHEMA:
        raise InputError(path.name, f"schema {outcome.get('schema')!r}, expected {VISIT_SCHEMA!r}")
    for key in ("visit", "cell", "round", "host", "started", "status", "seconds"):
        if key not in outcome:
            raise InputError(path.name, f"lacks the key '{key}'", where=path.parent.parent.name)
    return outcome
