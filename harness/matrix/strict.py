"""Strict reading of TOML: every key is known, every value has the asked type, errors name the place."""

from __future__ import annotations

import math
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from harness.errors import (
    InputError,
    MatrixValueError,
    NoSuchFileError,
    UnknownKeyError,
    UnreadableFileError,
    WrongFormatError,
    did_you_mean,
)

T = TypeVar("T")


def read_toml(path: Path) -> dict[str, Any]:
    """Read *path* as TOML.

    :raises InputError: missing, not UTF-8, or not TOML
    """
    try:
        if path.exists() and not path.is_file():
            raise UnreadableFileError(path, "expected a file, no folder, pipe or device")
        return tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        raise NoSuchFileError(path, "no such file") from None
    except UnicodeDecodeError:
        raise WrongFormatError(path, "not UTF-8: save it as that") from None
    except OSError as error:
        raise UnreadableFileError(path, f"cannot be read: {error}") from None
    except tomllib.TOMLDecodeError as error:
        raise WrongFormatError(path, f"not TOML: {error}") from None
    except (RecursionError, ValueError) as error:
        raise WrongFormatError(path, f"not TOML that can be read: {error}") from None


class Table:
    """One TOML table being read; :meth:`done` refuses what nobody asked for.

    :param name: as the file writes it (``[run]``, ``[[versions]] 2``), for messages
    """

    def __init__(self, path: Path, name: str, data: object) -> None:
        if not isinstance(data, Mapping):
            raise MatrixValueError(path, f"expected a table, found {_kind(data)}", where=name)
        self.path, self.name = path, name
        self._data: Mapping[str, object] = data
        self._known: list[str] = []

    def __contains__(self, key: str) -> bool:
        return key in self._data

    def get(self, key: str, kind: type[T], default: T | None = None, *, required: bool = False) -> T | None:
        """Return the value of *key*, None or *default* where it is missing.

        :raises InputError: missing though *required*, or not a *kind*
        """
        self._known.append(key)
        if key not in self._data:
            if required:
                raise self.error(key, "is missing")
            return default
        value = self._data[key]
        if kind is float and isinstance(value, int) and not isinstance(value, bool):
            value = float(value)
        if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
            raise self.error(key, f"expected {_NAMES.get(kind, kind.__name__)}, found {_kind(value)}")
        if isinstance(value, float) and not math.isfinite(value):
            raise self.error(key, f"expected a finite number, found {value}")
        return value

    def names(
        self, key: str, default: Sequence[str] = (), *, allowed: Sequence[str] | None = None
    ) -> tuple[str, ...]:
        """Return the strings of *key*: one string, or a list of them, none twice."""
        self._known.append(key)
        value = self._data.get(key, list(default))
        items = [value] if isinstance(value, str) else value
        if not isinstance(items, list) or not all(isinstance(i, str) and i for i in items):
            raise self.error(key, "expected a string or a list of strings")
        if len(set(items)) != len(items):
            raise self.error(key, "names one thing twice")
        for item in items:
            if allowed is not None and item not in allowed:
                raise self.error(key, f"unknown value {item!r}{suggestion(item, allowed)}")
        return tuple(items)

    def numbers(self, key: str, default: Sequence[int] = (), *, most: int) -> tuple[int, ...]:
        """Return the whole numbers of *key* from 1 to *most*: one, or a list of them."""
        self._known.append(key)
        value = self._data.get(key, list(default))
        items = [value] if isinstance(value, int) else value
        if not isinstance(items, list) or not all(
            isinstance(i, int) and not isinstance(i, bool) and 0 < i <= most for i in items
        ):
            raise self.error(key, f"expected a whole number from 1 to {most}, or a list of them")
        if len(set(items)) != len(items):
            raise self.error(key, "names one thing twice")
        return tuple(items)

    def raw(self, key: str) -> object:
        """Return the value of *key* as it is, None where it is missing."""
        self._known.append(key)
        return self._data.get(key)

    def user_names(self) -> tuple[str, ...]:
        """Return all keys and count them as known: for tables whose keys are the user's own names."""
        self._known.extend(self._data)
        return tuple(self._data)

    def as_dict(self) -> dict[str, object]:
        """Return the whole table as it is, every key counted as known."""
        self._known.extend(self._data)
        return dict(self._data)

    def error(self, key: str, problem: str) -> InputError:
        """Return an error that names file, table and key."""
        return MatrixValueError(self.path, f"key '{key}': {problem}", where=self.name)

    def done(self) -> None:
        """Refuse keys that were not asked for.

        :raises InputError: a key is unknown; names the nearest known one
        """
        for key in self._data:
            if key not in self._known:
                raise UnknownKeyError(
                    self.path, f"unknown key '{key}'{suggestion(key, self._known)}", where=self.name
                )


def suggestion(word: str, known: Sequence[str]) -> str:
    """Return ``; did you mean 'x'?`` or a short list of what is known, to end a message with."""
    return did_you_mean(word, known) or (f"; known: {', '.join(sorted(set(known)))}" if known else "")


_NAMES = {str: "a string", int: "a whole number", float: "a number", bool: "true or false", dict: "a table"}


def _kind(value: object) -> str:
    for kind in (bool, str, int, float):
        if isinstance(value, kind):
            return _NAMES[kind]
    return "a list" if isinstance(value, list) else "a table" if isinstance(value, Mapping) else "a date"
