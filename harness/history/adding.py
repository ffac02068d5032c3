"""A run into a history: its tables and a copy of its files beside what is there, then its line in the index.

The same builds are in a history once, wherever their bundle was moved to. A run that has gone on since it was
added replaces what was there of it; nothing that another process reads is ever half of it.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from msgspec import structs

from harness.analysis.grid import Grid
from harness.analysis.rules.base import Rule
from harness.errors import CellNameError, NothingChosenError, SameBuildError
from harness.history import rows
from harness.history.folder import STAGED, History, changing, is_name, night_file, table_file
from harness.history.records import Added
from harness.history.schema import SCHEMAS
from harness.store.bundle import Bundle
from harness.store.documents.base import read_document, write_document
from harness.store.documents.night import ChangedSeries, Night
from harness.store.engines import engine_names, keep_engines
from harness.store.parquet import read_table, write_table
from harness.worker.result import KEPT

Digests = Mapping[tuple[str, int], str]
"""Cell id and number of a build to the digest of its document."""


def add(
    path: Path, bundle: Bundle, read: Callable[[], Grid], rules: Mapping[str, Rule], *, keep: bool = True
) -> Added:
    """Add the run in *bundle* to the history in the folder *path*, which is made where there is none.

    :param read: returns the grid of this run alone; not asked where the history has the run already
    :param rules: by name, for the costs of bottlenecks
    :param keep: whether the run's own files are copied too
    :raises UsageError: the run has no builds, or no id to call the night after
    :raises SameBuildError: the history has other builds of this run, of which these are no continuation
    """
    name = _name_of(bundle)
    digests = build_digests(bundle)
    if not digests:
        raise NothingChosenError(f"{bundle.root}: the run has no builds yet; add it when it has some")
    with changing(path) as history:
        known = next((night for night in history.nights if night.run == name), None)
        digest = _digest(digests)
        if known is not None and (known.digest == digest or _holds(history, known, digests)):
            return Added(name, "there already", known.builds, known.series, tuple(known.unread))
        if known is not None:
            _refuse_others(history, known, digests, bundle)
        night = _written(history, read(), bundle, rules, digests, keep=keep)
        if known is not None:
            night = structs.replace(night, alarms=known.alarms, changed=known.changed)
        write_document(night_file(path, name), night)
        if known is not None:
            _remove_old(history, known, night)
    state = "added" if known is None else "completed"
    return Added(name, state, night.builds, night.series, tuple(night.unread))


def build_digests(bundle: Bundle) -> dict[tuple[str, int], str]:
    """Return cell id and number of each build of *bundle* to the digest of its document."""
    return {
        (build.cell_id, build.build): _sha(build.folder.joinpath("build.json").read_bytes())
        for build in bundle.builds()
    }


def _name_of(bundle: Bundle) -> str:
    name = bundle.manifest.run
    if name == "unknown":  # recorded files, imported: their bundle is called after its folder
        name = bundle.root.resolve().name
    if not is_name(name):
        raise CellNameError(f"{bundle.root}: the run's id '{name}' cannot be the name of a night")
    return name


def _sha(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()[:16]


def _digest(digests: Digests) -> str:
    lines = (f"{cell} {build} {said}" for (cell, build), said in sorted(digests.items()))
    return _sha("\n".join(lines).encode())


def _held(history: History, night: Night) -> dict[tuple[str, int], str]:
    files = [history.root / file for file in night.files if file.startswith("builds/")]
    return {(row["cell"], row["build"]): row["digest"] for file in files for row in read_table(file)}


def _holds(history: History, night: Night, digests: Digests) -> bool:
    """Whether all of *digests* are in *night* already: a part of its run, or an earlier state of it."""
    held = _held(history, night)
    return all(held.get(key) == digest for key, digest in digests.items())


def _refuse_others(history: History, night: Night, digests: Digests, bundle: Bundle) -> None:
    missing = [key for key in _held(history, night) if key not in digests]
    if missing:
        cell, build = missing[0]
        raise SameBuildError(
            bundle.root,
            f"{history.root} has builds of run {night.run} that are not in it (build {build} of {cell}, and "
            f"{len(missing) - 1} more); bring both parts into one bundle and add that",
        )


def _written(
    history: History,
    grid: Grid,
    bundle: Bundle,
    rules: Mapping[str, Rule],
    digests: Digests,
    *,
    keep: bool,
) -> Night:
    """Write tables and files of a run into *history*, and return its line of the index."""
    manifest, name, digest = bundle.manifest, _name_of(bundle), _digest(digests)
    groups = rows.followed(grid)
    known = [b.identity.started for group in grid.built for b in group.observed if b.identity.started]
    started = manifest.started or min(known, default=datetime.now(UTC))
    started = started.astimezone(UTC)
    stem, files, series = f"{name}-{digest[:8]}", [], 0
    for host in dict.fromkeys(group.host for group in grid.built):
        night: dict[str, Any] = {"night": name, "started": started, "host": host}
        mine = [group for group in groups if group.host == host]
        own = [group for group in grid.built if group.host == host]
        points = [row for group in mine for row in rows.point_rows(group, manifest, rules, night)]
        tables = {
            "points": points,
            "builds": rows.build_rows(own, night, digests),
            "layers": [row for group in mine for row in rows.layer_rows(group, night)],
        }
        series += len(points)
        for table, content in tables.items():
            target = table_file(history.root, table, started, host, stem)
            write_table(target, content, SCHEMAS[table])
            files.append(target.relative_to(history.root).as_posix())
    keep_engines(bundle, history.root)
    kept = _copied(bundle, history.root / "bundles" / stem) if keep else None
    cells = dict.fromkeys(f"{group.cell.runtime} {group.cell.version}" for group in grid.built)
    return Night(
        run=name,
        started=started,
        state=manifest.state,
        added=datetime.now(UTC).replace(microsecond=0),
        digest=digest,
        builds=len(digests),
        series=series,
        hosts=list(dict.fromkeys(group.host for group in grid.built)),
        versions=list(cells),
        matrix=manifest.matrix.file,
        harness=manifest.harness.version,
        files=files,
        bundle=None if kept is None else kept.relative_to(history.root).as_posix(),
        engines=engine_names(bundle),
        unread=[*grid.run.unread, *manifest.warnings, *rows.without_rules_that_fail(groups, rules)],
    )


def _copied(bundle: Bundle, target: Path) -> Path:
    """Copy the bundle to *target*, which appears whole or not at all."""
    if target.exists():  # of a process that was ended before it came to the index: the name has the digest
        return target
    staged = target.with_name(f"{STAGED}{target.name}.{os.getpid()}")
    staged.parent.mkdir(parents=True, exist_ok=True)
    for left in staged.parent.glob(f"{STAGED}*"):  # the lock is ours: whoever made it has ended
        shutil.rmtree(left, ignore_errors=True)
    try:
        shutil.copytree(bundle.root, staged, symlinks=True, ignore=shutil.ignore_patterns(KEPT))
        staged.rename(target)
    except shutil.Error as error:
        raise OSError(error.args[0][0][2]) from None
    finally:
        shutil.rmtree(staged, ignore_errors=True)
    return target


def _remove_old(history: History, known: Night, night: Night) -> None:
    """Remove what the index no longer names of a run that was completed."""
    for file in known.files:
        if file not in night.files:
            (history.root / file).unlink(missing_ok=True)
    if known.bundle is not None and known.bundle != night.bundle:
        shutil.rmtree(history.root / known.bundle, ignore_errors=True)


def set_alarms(path: Path, run: str, alarms: Sequence[str], changed: Sequence[ChangedSeries] = ()) -> None:
    """Note what was raised in the night of *run*, a line each; its files are then never pruned.

    :param changed: series whose level is another from this night on: later nights are held against that
    :raises InputError: the history has no such night
    """
    with changing(path):
        file = night_file(path, run)
        write_document(
            file, structs.replace(read_document(file, Night), alarms=list(alarms), changed=list(changed))
        )
