"""The folder that outlives a run: virtual environments, staged workers. All of it can be made again."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

import platformdirs

from harness.errors import CacheFolderError

VARIABLE = "TRTMATRIX_CACHE"


def cache_folder() -> Path:
    """Return the cache folder: ``$TRTMATRIX_CACHE``, else the user's cache folder of the system."""
    configured = os.environ.get(VARIABLE)
    # Absolute: workers and package installers run in other working directories.
    return Path(configured or platformdirs.user_cache_dir("trtmatrix", appauthor=False)).absolute()


def cached(kind: str, key: str, make: Callable[[Path], None]) -> Path:
    """Return the folder ``KIND/KEY`` of the cache, made by *make* where it is missing.

    Two processes that want the same wait for each other; one that dies leaves nothing behind that would be
    taken for complete.

    :param make: fills the folder it is given, which is already at its final place (virtual environments
        cannot be moved), and raises when it cannot
    :raises UnavailableError: the cache folder cannot be written
    """
    folder = cache_folder() / kind / key
    complete = folder / ".complete"
    if complete.is_file():
        return folder
    from filelock import FileLock

    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(folder.parent / f".{key}.lock"):
            if complete.is_file():
                return folder
            if folder.exists():  # somebody died while making it
                shutil.rmtree(folder)
            folder.mkdir()
            try:
                make(folder)
                complete.touch()
            except BaseException:
                shutil.rmtree(folder, ignore_errors=True)
                raise
    except OSError as error:
        raise CacheFolderError(
            f"cannot write the cache folder {cache_folder()}: {error.strerror or error}; set {VARIABLE}"
        ) from error
    return folder


def is_cached(kind: str, key: str) -> bool:
    """Say whether the folder ``KIND/KEY`` of the cache is there and whole."""
    return (cache_folder() / kind / key / ".complete").is_file()


def scratch_folder(prefix: str) -> tempfile.TemporaryDirectory[str]:
    """Return a temporary folder that vanishes with its ``with`` block."""
    return tempfile.TemporaryDirectory(prefix=f"trtmatrix-{prefix}-", ignore_cleanup_errors=True)
