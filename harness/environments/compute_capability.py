"""On which compute capabilities a TensorRT version runs, from the table that the containers carry as data.

A row gives the first and the last version known to run on one compute capability. An empty bound of a row
that has the other says "no limit known"; a row with neither says nothing at all.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from harness.errors import RulesFileError
from harness.resources import data_folder
from harness.versions import side_of

TABLE = "compute-capability.csv"


@dataclass(frozen=True)
class Range:
    """:param first, last: versions as the table writes them, empty where there is no known limit"""

    first: str
    last: str
    note: str


@cache
def ranges() -> Mapping[str, Range]:
    """Return compute capability (``9.0``) to the versions that run on it.

    :raises InputError: the table is not what it should be
    """
    path = data_folder("containers") / TABLE
    with path.open(encoding="utf-8", newline="") as stream:
        rows = csv.DictReader(stream)
        try:
            return {
                row["sm"]: Range(row["trt_version_min"], row["trt_version_max"], row["notes"]) for row in rows
            }
        except KeyError as error:
            raise RulesFileError(path, f"the column {error} is missing", line=1) from None


def capability_reason(version: str, capability: str) -> str | None:
    """Say why TensorRT *version* does not run on *capability*, None where it may or nobody knows.

    A version is compared as far as the bound is written: 8.5.3.1 is within "up to 8.5.3".
    """
    known = ranges().get(capability)
    if known is None:
        return None
    note = known.note.split(";")[0].strip().rstrip(".")
    if known.first and side_of(version, known.first) == -1:
        return (
            f"TensorRT {version} does not run on compute capability {capability}: "
            f"the first that does is {known.first} ({note})"
        )
    if known.last and side_of(version, known.last) == 1:
        return (
            f"TensorRT {version} does not run on compute capability {capability}: "
            f"the last that does is {known.last} ({note})"
        )
    return None
