"""``samples.json``: what a conversation measured, kept slice by slice and written when it is over."""

import json
import os
from typing import Any, Dict, List, Mapping, Optional

from harness.worker.measure import COLUMNS
from harness.worker.stopping import PassEnd

SCHEMA = "trtmatrix.samples/2"
NAME = "samples.json"


class Samples(object):
    """Slices of one build.

    :param process: which of the build's processes they were measured in, from 0
    """

    def __init__(self, process: int = 0) -> None:
        self.process = process
        self.slices = []  # type: List[Dict[str, Any]]
        self.alone = []  # type: List[Dict[str, Any]]
        self.passes = []  # type: List[Dict[str, Any]]

    def add(self, name: str, taken: Mapping[str, Any], cycle: Optional[int] = None, place: int = 0) -> None:
        """Keep a slice of the pass *name*.

        :param cycle: number of its cycle; None where builds are measured one by one, each slice a cycle
        :param place: in the order of its cycle, from 0
        """
        self._add(self.slices, name, taken, cycle, place)

    def add_alone(self, name: str, taken: Mapping[str, Any]) -> None:
        """Keep a slice of the pass *name* that was taken while no other build was loaded."""
        self._add(self.alone, name, taken, None, 0)

    def _add(
        self,
        rows: List[Dict[str, Any]],
        name: str,
        taken: Mapping[str, Any],
        cycle: Optional[int],
        place: int,
    ) -> None:
        if cycle is None:
            cycle = sum(1 for row in rows if row["pass"] == name)
        row = {"pass": name, "process": self.process, "cycle": cycle, "slice": place}  # type: Dict[str, Any]
        row["clock"] = taken.get("clock")
        row["start_ns"] = taken.get("start_ns")
        for column in COLUMNS:
            row[column] = taken.get(column)
        rows.append(row)

    def join(self, other: "Samples") -> None:
        """Take in the slices of a further process of the build."""
        self.slices.extend(other.slices)
        self.alone.extend(other.alone)

    def end(self, name: str, how: PassEnd) -> None:
        """Keep how the pass *name* ended."""
        self.passes.append(
            {"pass": name, "stopped_by": how.stopped_by, "relative_half_width": how.half_width}
        )

    def write(self, folder: str) -> None:
        """Write the file into *folder*, whole or not at all; nothing where nothing was measured."""
        if not self.slices and not self.alone:
            return
        path = os.path.join(folder, NAME)
        document = {"schema": SCHEMA, "passes": self.passes, "slices": self.slices}  # type: Dict[str, Any]
        if self.alone:
            document["alone"] = self.alone
        with open(path + ".part", "w", encoding="utf-8") as stream:
            json.dump(document, stream)
        os.replace(path + ".part", path)
