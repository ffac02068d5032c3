"""What a history lets go: the runs' own files after a while, and what ended processes left; never tables."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from msgspec import structs

from harness.history.folder import STAGED, TABLES, History, changing, night_file, open_history, strangers
from harness.store.documents.base import write_document
from harness.store.documents.night import Night
from harness.store.engines import engines_folder

_ENGINES = re.compile(r".+-[0-9a-f]{16}")
_OURS = re.compile(r"(?P<run>.+)-[0-9a-f]{8}(\.parquet)?")


@dataclass(frozen=True)
class Keep:
    """Which nights keep the run's own files.

    :param days: all that are not older; :param nights: the last of each version on each host
    """

    days: float = 30.0
    nights: int = 14


@dataclass(frozen=True)
class Going:
    """Something that goes. :param path: of a file or folder; :param why: in words; :param size: bytes"""

    path: Path
    why: str
    size: int


def prune(path: Path, keep: Keep, *, dry_run: bool = False, now: datetime | None = None) -> list[Going]:
    """Remove what *keep* does not name from the history in *path*, and return it.

    Nights with an alarm keep everything; tables and the index stay for ever, anchors' engines while measured.

    :param dry_run: say what would go and leave it; :param now: UTC, the present by default
    :raises InputError: it is no history
    """
    now = now or datetime.now(UTC)
    if dry_run:
        history = open_history(path)
        return [*_bundles(history, keep, now), *_engines(history, keep, now), *_left(history)]
    open_history(path)
    with changing(path) as history:
        gone = list(_bundles(history, keep, now))
        for going in gone:
            where = going.path.relative_to(history.root).as_posix()
            night = next(night for night in history.nights if night.bundle == where)
            # The index first: a process that ends here leaves files that no night names.
            write_document(night_file(history.root, night.run), structs.replace(night, bundle=None))
            _remove(going.path)
        left = [*_engines(history, keep, now), *_left(open_history(path))]
        for going in left:
            _remove(going.path)
        return [*gone, *left]


def _bundles(history: History, keep: Keep, now: datetime) -> Iterator[Going]:
    last = _last_of_each(history, keep.nights)
    for night in history.nights:
        if night.bundle is None or night.alarms or night.run in last:
            continue
        age = now - night.started
        folder = history.root / night.bundle
        if age > timedelta(days=keep.days):
            yield Going(folder, f"{age.days} days old, without an alarm", _size(folder))


def _engines(history: History, keep: Keep, now: datetime) -> Iterator[Going]:
    """Yield the anchors' engines that no night measured whose own files would be kept."""
    last = _last_of_each(history, keep.nights)
    alive = [x for x in history.nights if x.run in last or now - x.started <= timedelta(days=keep.days)]
    used = {name for night in alive for name in night.engines}
    for folder in sorted(engines_folder(history.root).glob("*")):
        if folder.name not in used and _ENGINES.fullmatch(folder.name):
            yield Going(folder, "engines of an anchor that was not measured lately", _size(folder))


def _last_of_each(history: History, count: int) -> set[str]:
    """Return the runs that are among the last *count* of any version on any host."""
    seen: dict[tuple[str, str], int] = {}
    found = set()
    for night in reversed(history.nights):
        for key in ((host, version) for host in night.hosts for version in night.versions):
            seen[key] = seen.get(key, 0) + 1
            if seen[key] <= count:
                found.add(night.run)
    return found


def _left(history: History) -> Iterator[Going]:
    """Yield what processes left that were ended: half written, or no longer named by a night that is there.

    What belongs to no night of the index is somebody's, or a night whose line was lost: it stays.
    """
    known: dict[str, Night] = {night.run: night for night in history.nights}
    for problem in strangers(history):
        path = Path(problem.path)
        ours = _OURS.fullmatch(path.name)
        half = path.name.startswith(STAGED) or (path.name.startswith(".") and _in_table(history, path))
        if half or (ours is not None and ours["run"] in known):
            yield Going(path, "left by a process that was ended", _size(path))


def _in_table(history: History, path: Path) -> bool:
    return path.is_file() and path.relative_to(history.root).parts[0] in TABLES and ".parquet." in path.name


def _size(path: Path) -> int:
    files = [path] if path.is_file() else path.rglob("*")
    return sum(file.stat().st_size for file in files if file.is_file())


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
