"""Whether a place can be written to, asked before the work whose result goes there."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Sequence
from pathlib import Path

from harness.errors import OutputPathError

PAGES = (".html", ".htm", ".md")


def check_file(path: Path, option: str, runs: Sequence[Path] = ()) -> None:
    """Refuse what a page cannot or must not be written to.

    :param option: how the user named it, for the message
    :param runs: folders whose files are not to be overwritten
    :raises UsageError: a folder, a place that cannot be written to, or a file of a run
    """
    if path.is_dir():
        raise OutputPathError(f"{option} {path}: expected a file, found a folder")
    if not path.exists():
        _check_place(path, option)
    elif path.suffix not in PAGES:
        for run in runs:
            if path.resolve().is_relative_to(run.resolve()):
                raise OutputPathError(f"{option} {path}: is a file of the run {run}")


def check_folder(path: Path, option: str) -> None:
    """Refuse what files cannot be written into; a folder that is missing will be made.

    :raises UsageError: not a folder, or a place that cannot be written to
    """
    try:
        _check_place(path, option)
    except OSError as error:
        raise OutputPathError(f"{option} {path}: {error.strerror}") from None


def check_new_folder(path: Path, option: str) -> None:
    """Refuse what cannot become the folder of a new bundle.

    :raises UsageError: not a folder, not empty, or a place that cannot be written to
    """
    from harness.store.bundle import refuse_used

    try:
        refuse_used(path)
        _check_place(path, option)
    except OSError as error:
        raise OutputPathError(f"{option} {path}: {error.strerror}") from None


def _check_place(path: Path, option: str) -> None:
    """Refuse a path whose nearest part that exists is no folder, or not to be written to."""
    there = next(part for part in (path.absolute(), *path.absolute().parents) if part.exists())
    if not there.is_dir():
        raise OutputPathError(f"{option} {path}: {there} is no folder")
    if not os.access(there, os.W_OK):
        raise OutputPathError(f"{option} {path}: {there} cannot be written to")
    # Who may do everything is refused by some file systems all the same: only a try can tell.
    try:
        with tempfile.TemporaryDirectory(dir=there):
            pass
    except OSError as error:
        problem = (error.strerror or str(error)).lower()
        raise OutputPathError(f"{option} {path}: {there} cannot be written to: {problem}") from None
