"""Keeping of what TensorRT logs, down to VERBOSE, with the prefix ``[TRT] [V] ``.

From 8.0 on a logger can be written in Python. Before, the built-in logger prints to file descriptor 2,
which is turned into a file while the builder works; its lines carry the prefix of those versions.
"""

import gzip
import os
import sys
import tempfile
from typing import Any, List  # noqa: F401

LETTERS = "FEWIV"
ERROR, WARNING = 1, 2


class Log(object):
    """What was logged so far, one entry a message; severities are 0 (internal error) to 4 (verbose)."""

    def __init__(self) -> None:
        self.lines = []  # type: List[str]
        self.problems = []  # type: List[str]

    def add(self, severity: int, message: str) -> None:
        """Keep one message of *severity*."""
        letter = LETTERS[severity] if 0 <= severity < len(LETTERS) else "V"
        self.lines.append("[TRT] [{}] {}".format(letter, message))
        if severity <= ERROR:
            self.problems.append(message)

    def add_printed(self, text: str) -> None:
        """Keep what a built-in logger printed, as it came."""
        for line in text.splitlines():
            self.lines.append(line)
            if "ERROR:" in line or "[E]" in line:
                self.problems.append(line.split("ERROR:")[-1].strip())

    def reason(self, otherwise: str) -> str:
        """Return the first error since the last :meth:`forget`, or *otherwise*.

        The first names the cause; those after it are its consequences.
        """
        return " ".join(self.problems[0].split()) if self.problems else otherwise

    def forget(self) -> None:
        """Start anew with the errors; the lines stay."""
        self.problems = []

    def write(self, path: str) -> None:
        """Write all lines, gzip-compressed, UTF-8."""
        with gzip.open(path, "wb") as stream:
            stream.write(("\n".join(self.lines) + "\n").encode("utf-8", "replace"))


def make_logger(trt: Any, log: Log) -> Any:
    """Return a logger of *trt* that keeps everything in *log*, itself or through :class:`Redirected`."""
    if not can_subclass(trt):
        return trt.Logger(getattr(trt.Logger, "VERBOSE", trt.Logger.INFO))

    class Keeping(trt.ILogger):  # type: ignore[misc]
        """Keeps messages; must call the base's own constructor, not super()."""

        def __init__(self) -> None:
            trt.ILogger.__init__(self)

        def log(self, severity: Any, message: str) -> None:
            """Called by TensorRT, from any of its threads."""
            log.add(int(severity), message)

    return Keeping()


def can_subclass(trt: Any) -> bool:
    """Say whether a logger in Python works (verified from 8.0 on)."""
    return hasattr(trt, "ILogger") and hasattr(trt.Builder, "build_serialized_network")


class Redirected(object):
    """Context: file descriptor 2 goes to *log* (nothing happens where the logger is in Python)."""

    def __init__(self, trt: Any, log: Log) -> None:
        self._log = log
        self._active = not can_subclass(trt)

    def __enter__(self) -> "Redirected":
        if self._active:
            sys.stderr.flush()
            self._kept = os.dup(2)
            self._file = tempfile.TemporaryFile()
            os.dup2(self._file.fileno(), 2)
        return self

    def __exit__(self, *problem: Any) -> None:
        if not self._active:
            return
        sys.stderr.flush()
        os.dup2(self._kept, 2)
        os.close(self._kept)
        self._file.seek(0)
        self._log.add_printed(self._file.read().decode("utf-8", "replace"))
        self._file.close()
