"""Accepted changes: what someone looked at and took, with a reason and a day on which it is looked at again.

The file is TOML::

    [[accepted]]
    verdict = "regressed"            # the word that is accepted
    bottleneck = "relu6"             # these five are shell patterns; "*" where left out
    network = "mobilenet_v2"
    treatment = "fp32-b1-*"
    version = "8.6.*"
    host = "*"
    reason = "the clip left the convolution and the whole network is faster"
    expires = 2027-03-31             # the last day it counts
"""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import date, datetime
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING

from harness.analysis.table import INDETERMINATE, INVALID, UNSUPPORTED, Change, State
from harness.errors import AcceptedFileError, UnreadableFileError, WrongFormatError

if TYPE_CHECKING:
    from harness.analysis.verdict import Verdict

ACCEPTED_FILE = Path("trtmatrix-accepted.toml")
"""Read and written where no other file is named, if it lies in the folder that a command is called in."""

_WORDS = (*map(str, Change), *map(str, State), INDETERMINATE, INVALID, UNSUPPORTED)
_PATTERNS = ("bottleneck", "network", "treatment", "runtime", "version", "host")


@dataclass(frozen=True)
class Accepted:
    """One accepted change; patterns are those of a shell."""

    verdict: str
    reason: str
    expires: date
    bottleneck: str = "*"
    network: str = "*"
    treatment: str = "*"
    runtime: str = "*"
    version: str = "*"
    host: str = "*"

    def fits(self, verdict: Verdict) -> bool:
        """Return whether this is about *verdict*, expired or not."""
        return verdict.verdict == self.verdict and all(
            fnmatchcase(str(getattr(verdict, name)), getattr(self, name)) for name in _PATTERNS
        )

    def expired(self, today: date) -> bool:
        """Return whether *today* is past the last day."""
        return today > self.expires


def read_accepted(path: Path) -> list[Accepted]:
    """Read accepted changes.

    :raises InputError: the file cannot be read, is no TOML, or an entry lacks or misspells a key
    """
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UnreadableFileError(path, f"cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise WrongFormatError(path, "is not UTF-8 text") from error
    except tomllib.TOMLDecodeError as error:
        raise WrongFormatError(path, f"is no TOML: {str(error)[:1].lower()}{str(error)[1:]}") from error
    entries = data.get("accepted")
    if not isinstance(entries, list) or set(data) != {"accepted"}:
        raise AcceptedFileError(path, "expected [[accepted]] tables and nothing else")
    return [_entry(path, f"accepted[{i}]", entry) for i, entry in enumerate(entries)]


def accepted_changes(path: Path | None) -> list[Accepted]:
    """Return the accepted changes of *path*, without one those of :data:`ACCEPTED_FILE` where it is here.

    :raises InputError: as :func:`read_accepted`
    """
    if path is not None:
        return read_accepted(path)
    return read_accepted(ACCEPTED_FILE) if ACCEPTED_FILE.exists() else []


def with_accepted(
    verdicts: Sequence[Verdict], accepted: Sequence[Accepted], today: date | None = None
) -> list[Verdict]:
    """Return *verdicts*, each with the first accepted change that fits it and has not expired."""
    from msgspec.structs import replace  # whoever only lists cells reads the file, and needs no records

    today = today or datetime.now().astimezone().date()
    alive = [entry for entry in accepted if not entry.expired(today)]
    found: list[Verdict] = []
    for verdict in verdicts:
        entry = next((x for x in alive if x.fits(verdict)), None)
        note = None if entry is None else {"reason": entry.reason, "expires": entry.expires.isoformat()}
        found.append(replace(verdict, accepted=note) if note else verdict)
    return found


def _entry(path: Path, where: str, entry: object) -> Accepted:
    if not isinstance(entry, dict):
        raise AcceptedFileError(path, "expected a table", where=where)
    known = {f.name for f in fields(Accepted)}
    for key, value in entry.items():
        if key not in known:
            raise AcceptedFileError(
                path, f"unknown key; known are {', '.join(sorted(known))}", where=f"{where}.{key}"
            )
        if key != "expires" and not isinstance(value, str):
            raise AcceptedFileError(path, "expected a text", where=f"{where}.{key}")
    for key in ("verdict", "reason", "expires"):
        if not entry.get(key):
            raise AcceptedFileError(
                path, f"'{key}' is missing: a change is accepted with a reason and an expiry", where=where
            )
    expires = entry["expires"]
    if not isinstance(expires, date) or isinstance(expires, datetime):
        raise AcceptedFileError(
            path, "expected a date like 2027-03-31, without quotes", where=f"{where}.expires"
        )
    if entry["verdict"] not in _WORDS:
        raise AcceptedFileError(path, f"expected one of {', '.join(_WORDS)}", where=f"{where}.verdict")
    return Accepted(**entry)
