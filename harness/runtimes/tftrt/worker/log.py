"""What TensorFlow prints while it converts: turned into a file, and told apart by who says it."""

import gzip
import os
import re
import sys
import tempfile
from typing import Any, List

_TENSORRT = re.compile(r"trt_logger\.cc:\d+\] (?:DefaultLogger )?(.*)$")
_BEGINS = re.compile(r"^(?:\d{4}-\d\d-\d\d [\d:.]+: )?(?P<letter>[IWEF]) \S+\.(?:cc|h):\d+\] ")
_FROM_TENSORRT = "trt_logger.cc"


class Printed(object):
    """File descriptor 2 as a file; ``lines`` holds what was printed once it is over."""

    def __init__(self) -> None:
        self.lines = []  # type: List[str]

    def __enter__(self) -> "Printed":
        sys.stderr.flush()
        self._kept = os.dup(2)
        self._file = tempfile.TemporaryFile()
        os.dup2(self._file.fileno(), 2)
        return self

    def __exit__(self, *_: Any) -> None:
        sys.stderr.flush()
        os.dup2(self._kept, 2)
        os.close(self._kept)
        self._file.seek(0)
        text = self._file.read().decode("utf-8", "replace")
        self._file.close()
        self.lines = text.splitlines()
        # What goes wrong is for the log of the worker, too.
        for line in self.lines:
            if re.search(r": [EF] tensorflow/", line):
                sys.stderr.write(line + "\n")


def of_builder(lines: List[str]) -> List[str]:
    """Return TensorRT's own messages, with the prefix that its logs have elsewhere."""
    found, inside = [], False
    for line in lines:
        begins = _BEGINS.match(line)
        if begins is not None:
            inside = _FROM_TENSORRT in line
            told = _TENSORRT.search(line)
            if inside and told is not None:
                letter = begins.group("letter")
                found.append("[TRT] [{}] {}".format("V" if letter == "I" else letter, told.group(1)))
        elif inside:  # a message of several lines
            found.append(line)
    return found


def of_converter(lines: List[str]) -> List[str]:
    """Return the messages that are not TensorRT's own."""
    found, inside = [], False
    for line in lines:
        if _BEGINS.match(line) is not None:
            inside = _FROM_TENSORRT in line
        if not inside:
            found.append(line)
    return found


def write(path: str, lines: List[str]) -> None:
    """Write *lines* gzip-compressed."""
    with gzip.open(path, "wb") as stream:
        stream.write(("\n".join(lines) + "\n").encode("utf-8", "replace"))
