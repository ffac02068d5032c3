"""What the readers of one file share: the number of the engine, the version, the warnings."""

from __future__ import annotations

from harness.evidence.records import ReaderWarning
from harness.evidence.sinks import Sink

MAX_WARNINGS = 200


class Context:
    """State of one file while it is read.

    :param sink: takes the rows
    :ivar engine: number of the engine being read, from 0
    :ivar partial: a line that began like something known and ended too early, with its number
    :ivar dropped: lines that were counted as used until it showed that they say nothing
    :ivar commands: what the run of an engine was started with; :ivar driver: version of the device's driver
    :ivar plugins: creators that were registered, name and version
    :ivar refused: what looked like output of TensorRT and lacked what tells it from other output
    """

    __slots__ = (
        "_announced",
        "_warnings",
        "build_seconds",
        "commands",
        "driver",
        "dropped",
        "engine",
        "kinds",
        "partial",
        "plugins",
        "refused",
        "sink",
        "tensorrt",
        "tensorrt_rank",
        "touched",
    )

    def __init__(self, sink: Sink) -> None:
        self.sink = sink
        self.engine = 0
        self.kinds: set[str] = set()
        self.tensorrt: str | None = None
        self.tensorrt_rank = 0
        self.partial: tuple[int, bytes] | None = None
        self.touched = False
        self.dropped = 0
        self.refused: list[str] = []
        self.build_seconds: dict[int, float] = {}
        self.commands: dict[int, str] = {}
        self.driver: str | None = None
        self.plugins: dict[tuple[str, str], None] = {}
        self._warnings = 0
        self._announced: set[str] = set()

    def found(self, kind: str) -> None:
        """Something of this kind was read and belongs to the current engine."""
        self.kinds.add(kind)
        self.touched = True

    def refuse(self, text: str) -> None:
        """Something looked like a format that is read; *text* says what was there and what was missing."""
        if text not in self.refused and len(self.refused) < 3:
            self.refused.append(text)

    def warn(self, line: int | None, text: str) -> None:
        """Report a problem; the number of warnings is bounded so that memory is."""
        self._warnings += 1
        if self._warnings < MAX_WARNINGS:
            self.sink.warn(ReaderWarning(line, text))
        elif self._warnings == MAX_WARNINGS:
            self.sink.warn(ReaderWarning(line, f"more than {MAX_WARNINGS} warnings, the rest is left out"))

    def warn_once(self, line: int | None, text: str) -> None:
        """Report a problem that concerns the whole file at its first place only."""
        if text not in self._announced and len(self._announced) < MAX_WARNINGS:
            self._announced.add(text)
            self.warn(line, text)

    def version(self, text: str, rank: int, line: int) -> None:
        """A TensorRT version as printed.

        :param rank: how much the place says: 3 for a version line, 2 for the packed number of a trtexec run
            line, 1 for the name of a library or engine file
        """
        if rank > self.tensorrt_rank:
            self.tensorrt, self.tensorrt_rank = text, rank
        elif rank == self.tensorrt_rank and text != self.tensorrt:
            self.warn_once(line, f"more than one TensorRT version in one file: {self.tensorrt} and {text}")
