"""Threads beside a container: one on its streams, one that waits for its end."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from docker.models.containers import Container
from docker.utils.socket import STDOUT, frames_iter

from harness.environments.docker.errors import ENGINE_ERRORS, text_of

SIGNAL = 128
"""Exit statuses above it are signals."""

_STOP_LOOKS = 20
_LOOK_SECONDS = 0.2

LOG_SECONDS = 10
"""How long the last lines of a log are waited for."""


class Streams(threading.Thread):
    """The streams of a container: commands in, answers out, and the log up to a limit.

    :param answers: called with what comes on standard output, with nothing at its end
    """

    def __init__(
        self, container: Container, path: Path, limit: int, answers: Callable[[bytes], None]
    ) -> None:
        super().__init__(daemon=True)
        self._path, self._limit, self._answers = path, limit, answers
        # Attached before the start, so that nothing is missed.
        self._socket = container.attach_socket(params={"stdin": 1, "stdout": 1, "stderr": 1, "stream": 1})

    def send(self, data: bytes) -> None:
        """Write into standard input.

        :raises OSError: the connection is closed
        """
        # The SDK hands out a file for reading, over a socket that goes both ways.
        carrier: Any = getattr(self._socket, "_sock", self._socket)
        carrier.sendall(data)

    def run(self) -> None:
        """Copy until the container ends or the engine goes away."""
        written = dropped = 0
        with self._path.open("wb") as target:
            try:
                for stream, chunk in frames_iter(self._socket, tty=False):  # type: ignore[no-untyped-call]
                    if stream == STDOUT:
                        self._answers(chunk)
                        continue
                    kept = chunk[: max(0, self._limit - written)]
                    target.write(kept)
                    target.flush()
                    written += len(kept)
                    dropped += len(chunk) - len(kept)
            except ENGINE_ERRORS as error:
                target.write(f"\n[log ends here: {text_of(error)}]\n".encode())
            if dropped:
                target.write(f"\n[log cut here: {dropped} bytes more were printed]\n".encode())
        self._answers(b"")

    def close(self) -> None:
        """Close the connection, which the end of the container has ended."""
        if self.ident is not None:
            self.join(LOG_SECONDS)
        # The SDK hands out a file over a socket that a response owns; each keeps the connection open.
        for part in ("_response", "_sock"):
            if (held := getattr(self._socket, part, None)) is not None:
                held.close()
        self._socket.close()


class End(threading.Thread):
    """Waits for the end of a container, so that nobody has to ask the engine again and again.

    :param ping: raises where the engine does not answer
    """

    def __init__(self, container: Container, timeout: float, ping: Callable[[], None]) -> None:
        super().__init__(daemon=True)
        self._container, self._timeout, self._ping = container, timeout, ping
        self._done = threading.Event()
        self._engine_left = False
        self.error: Exception | None = None

    def run(self) -> None:
        """Wait; an error is kept for the thread that watches."""
        code = 0
        try:
            code = int(self._container.wait(timeout=self._timeout)["StatusCode"])
        except ENGINE_ERRORS as error:
            self.error = error
        finally:
            self._done.set()
        # Looked at now: whoever measures other builds meanwhile may ask when the engine is back.
        if code > SIGNAL:
            self._engine_left = not self._engine_stays()

    def wait(self, seconds: float) -> bool:
        """Return whether the container ended within *seconds*."""
        return self._done.wait(seconds)

    def engine_left(self) -> bool:
        """Say whether the engine went away right after the container was ended by a signal."""
        self.join(LOG_SECONDS)
        return self._engine_left

    def _engine_stays(self) -> bool:
        """Say whether the engine still answers: a stopping one ends its containers first, by a signal."""
        try:
            for _ in range(_STOP_LOOKS):
                self._ping()
                time.sleep(_LOOK_SECONDS)
        except ENGINE_ERRORS:
            return False
        return True
