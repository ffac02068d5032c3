"""Messages between harness and worker: one JSON object a line, UTF-8. Standard library, Python 3.5 syntax."""

import json
from typing import Any, Dict, List, Mapping

MOST_BYTES = 64 << 20
"""Of one message: a slice of a few hundred thousand samples."""


class MessageError(Exception):
    """What came through the pipe is no message."""


def encode(message: Mapping[str, Any]) -> bytes:
    """Return the line of *message*; what JSON has no word for is shown as NumPy or Python prints it."""
    return json.dumps(message, default=plain, separators=(",", ":")).encode("ascii") + b"\n"


class Messages(object):
    """Puts together what comes through a pipe in pieces of any size."""

    def __init__(self) -> None:
        self._left = bytearray()
        self._seen = 0

    def feed(self, data: bytes) -> List[Dict[str, Any]]:
        """Return the messages that *data* completes, in order.

        :raises MessageError: a line is no JSON object, or longer than :data:`MOST_BYTES`
        """
        self._left += data
        found = []  # type: List[Dict[str, Any]]
        while True:
            end = self._left.find(b"\n", self._seen)
            if end < 0:
                self._seen = len(self._left)
                if self._seen > MOST_BYTES:
                    raise MessageError("a message of more than {} bytes".format(MOST_BYTES))
                return found
            line = bytes(self._left[:end])
            del self._left[: end + 1]
            self._seen = 0
            found.append(_message(line))


def _message(line: bytes) -> Dict[str, Any]:
    try:
        message = json.loads(line.decode("utf-8"))
    except (ValueError, RecursionError):
        message = None
    if not isinstance(message, dict):
        raise MessageError("no message: {!r}".format(line[:60].decode("utf-8", "replace")))
    return message


def plain(value: Any) -> Any:
    """Return what JSON can say of *value*: NumPy numbers and arrays as such, anything else as its print."""
    if hasattr(value, "tolist"):
        return value.tolist()
    return str(value)
