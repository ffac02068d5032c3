"""A history on disk: what lies where, its index, its lock, and what is in it that does not belong.

::

    HISTORY/history.json                                what makes it one
    HISTORY/nights/RUN.json                             the index: one file a run, written last
    HISTORY/points/month=M/host=H/RUN-DIGEST.parquet    one row a subject and measure
    HISTORY/builds/month=M/host=H/RUN-DIGEST.parquet    one row a build
    HISTORY/layers/month=M/host=H/RUN-DIGEST.parquet    one row a layer and build
    HISTORY/bundles/RUN-DIGEST/                         the run's own files, while they are kept
    HISTORY/engines/NAME/BUILD.plan                     engines of anchors, while nights measure them

Only what the index names counts. What a process that was killed leaves is either not named, or whole.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import quote

import filelock

from harness.errors import FolderInUseError, InputError, NoSuchFileError, UnknownNameError
from harness.history.records import Problem
from harness.store.documents.base import read_document, write_document
from harness.store.documents.night import History as HistoryDocument
from harness.store.documents.night import Night

TABLES = ("points", "builds", "layers")
"""Folders of Parquet files, a file a run and host in each."""

STAGED = ".new-"
"""How names begin of what is not yet whole."""

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.+-]{0,99}")


@dataclass(frozen=True)
class History:
    """A folder of nights.

    :param nights: oldest first, by start and id; :param problems: what was left out of the index
    """

    root: Path
    nights: tuple[Night, ...] = ()
    problems: tuple[Problem, ...] = field(default=())

    def night(self, name: str) -> Night:
        """Return the night called *name*: the id of its run, or the last one of a date (``2026-11-28``, UTC).

        :raises UsageError: there is none
        """
        found = [night for night in self.nights if name in (night.run, date_of(night))]
        if not found:
            known = f"the last is {self.nights[-1].run}" if self.nights else "it is empty"
            raise UnknownNameError(f"{self.root}: no night is called '{name}'; {known}")
        return found[-1]


def date_of(night: Night) -> str:
    """Return the day on which *night* was started, UTC: ``2026-11-28``."""
    return night.started.astimezone(UTC).date().isoformat()


def open_history(path: Path) -> History:
    """Return the history in the folder *path*; files that do not belong are named and left out.

    :raises InputError: it is no history
    """
    path = Path(path)
    if not path.is_dir():
        raise NoSuchFileError(path, "no such history; 'trtmatrix history add RUN --history DIR' makes one")
    read_document(path / "history.json", HistoryDocument)
    nights: list[Night] = []
    problems: list[Problem] = []
    for file in sorted((path / "nights").glob("*")):
        if file.name.startswith("."):
            continue
        try:
            nights.append(read_document(file, Night))
        except InputError as error:
            problems.append(Problem(error.path, error.problem))
    nights.sort(key=lambda night: (night.started, night.run))
    return History(path, tuple(nights), tuple(problems))


def make_history(path: Path) -> History:
    """Return the history in *path*, made there where there is none.

    :raises UsageError: the folder holds something else
    """
    path = Path(path)
    if not (path / "history.json").exists():
        if path.is_dir() and any(entry.name != ".lock" for entry in path.iterdir()):
            raise FolderInUseError(f"{path}: the folder is not empty and no history; name a new one")
        (path / "nights").mkdir(parents=True, exist_ok=True)
        now = datetime.now(UTC).replace(microsecond=0)
        write_document(path / "history.json", HistoryDocument(created=now))
    return open_history(path)


@contextmanager
def changing(path: Path) -> Iterator[History]:
    """Hold the history in *path* alone while it is changed; others wait, and read what was there before."""
    path.mkdir(parents=True, exist_ok=True)
    with filelock.FileLock(path / ".lock", mode=0o666):
        if not (path / "history.json").exists():
            # Ended while it was made: its index is made before what says that it is a history.
            with_nothing = path / "nights"
            if with_nothing.is_dir() and not any(with_nothing.iterdir()):
                with_nothing.rmdir()
        yield make_history(path)


def night_file(root: Path, run: str) -> Path:
    """Return where the index has *run*."""
    return root / "nights" / f"{run}.json"


def table_file(root: Path, table: str, started: datetime, host: str, stem: str) -> Path:
    """Return where the rows of a run on *host* lie. :param table: one of :data:`TABLES`"""
    month = started.astimezone(UTC).strftime("%Y-%m")
    return root / table / f"month={month}" / f"host={quote(host, safe='')}" / f"{stem}.parquet"


def is_name(text: str) -> bool:
    """Say whether *text* can be the name of a night."""
    return _NAME.fullmatch(text) is not None


def strangers(history: History) -> Iterator[Problem]:
    """Yield the files of *history* that no night names: foreign ones, and what an ended process left."""
    named = {file for night in history.nights for file in night.files}
    for table in TABLES:
        for path in sorted((history.root / table).rglob("*")):
            where = path.relative_to(history.root).as_posix()
            if path.is_file() and where not in named:
                yield Problem(str(path), "no night names it: foreign, or left by a process that was ended")
    bundles = {night.bundle for night in history.nights}
    for path in sorted((history.root / "bundles").glob("*")):
        if path.relative_to(history.root).as_posix() not in bundles:
            yield Problem(str(path), "no night names it: foreign, or left by a process that was ended")
