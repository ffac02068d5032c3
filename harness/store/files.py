"""Writing that survives a crash: a file or folder is there whole or not at all."""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path
from typing import Any

from harness.errors import DamagedBundleError, NoSuchFileError, UnreadableFileError

WRONG_FORM = (AttributeError, KeyError, TypeError, ValueError, OverflowError, RecursionError)
"""What making something of JSON of another form than expected ends in."""


def write_text(path: Path, text: str) -> None:
    """Write *text* (UTF-8, half a surrogate pair escaped) to *path* atomically; parents are made.

    A link is written through, a device or pipe is written to: neither is replaced by a file.

    :raises OSError: it cannot be written; its ``filename`` is set
    """
    try:
        if path.exists() and not path.is_file():
            with path.open("w", encoding="utf-8", errors="backslashreplace") as stream:
                stream.write(text)
        else:
            _replace(path.resolve() if path.is_symlink() else path, text)
    except OSError as error:
        # What the user named, and not the file that would have been renamed to it.
        error.filename, error.filename2 = str(path), None
        raise


def _replace(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8", errors="backslashreplace") as stream:
            stream.write(text)
            stream.flush()
            os.fsync(stream.fileno())
        # mkstemp makes files that only their owner may read; a bundle is meant to be handed on.
        Path(name).chmod(0o644)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def write_json(path: Path, data: object) -> None:
    """Write *data* as indented JSON atomically."""
    write_text(path, json.dumps(data, indent=1, ensure_ascii=False, allow_nan=False) + "\n")


def read_json(path: Path) -> dict[str, Any]:
    """Read a JSON object.

    :raises InputError: missing, not JSON (with the line), or not an object
    """
    try:
        # A pipe or a device would be waited for, or read without an end.
        if path.exists() and not path.is_file():
            raise UnreadableFileError(path, "expected a regular file")
        data = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise NoSuchFileError(path, "no such file") from None
    except (OSError, UnicodeDecodeError) as error:
        raise UnreadableFileError(path, f"cannot be read: {error}") from None
    except json.JSONDecodeError as error:
        raise DamagedBundleError(path, f"not JSON: {error.msg}", line=error.lineno) from None
    except (RecursionError, ValueError) as error:
        raise DamagedBundleError(path, f"not JSON that can be read: {error}") from None
    if not isinstance(data, dict):
        raise DamagedBundleError(path, f"expected a JSON object, found {type(data).__name__}")
    return data
