"""The harness's side of the conversation with a worker: ask for a step, wait for its answer.

Standard library and Python 3.5 syntax, since a pack's host script uses it too. What carries the bytes
(a process's pipes, a container's) derives from :class:`Conversation`.
"""

import queue
import time
from typing import Any, Dict, Tuple

from harness.worker.messages import MessageError, Messages, encode

LOOK_SECONDS = 0.1
"""How often a worker is held against its limits; looking costs a fraction of a millisecond."""


class WorkerEndedError(Exception):
    """The worker answers no more; the end of the conversation says why."""


class Conversation(object):
    """One worker that is asked for one step after the other.

    :param seconds: limit of all that the worker is asked for, together; what it waits does not count

    A thread of whoever carries the bytes gives what the worker answers to :meth:`received`.
    """

    def __init__(self, seconds: float) -> None:
        self.begin = time.monotonic()
        self.seconds = seconds
        self.spent = 0.0
        self.cut = ("", "")  # type: Tuple[str, str]
        self.closed = self._gone = False
        self._answers = queue.Queue()  # type: queue.Queue[Dict[str, Any]]
        self._messages = Messages()
        self._looked = self.begin

    # for whoever carries the bytes

    def send(self, data: bytes) -> None:
        """Give *data* to the worker.

        :raises OSError: it takes no more
        """
        raise NotImplementedError

    def look(self) -> Tuple[str, str]:
        """Return status and reason where the worker has passed a limit, two empty strings where not."""
        return "", ""

    def received(self, data: bytes) -> None:
        """Take in what the worker answers, as it comes; nothing at all means that it answers no more."""
        if not data:
            self._answers.put({"ended": True})
            return
        try:
            for message in self._messages.feed(data):
                self._answers.put(message)
        except MessageError as error:
            self._answers.put({"garbage": str(error)})

    # for whoever asks

    def ask(self, command: str, **arguments: object) -> Dict[str, Any]:
        """Have the worker do *command*, and return its answer.

        :raises WorkerEndedError: there is none, because the worker ended, passed a limit or answered nonsense
        """
        if self.closed or self.cut[0]:
            raise WorkerEndedError()
        asked = time.monotonic()
        try:
            self.send(encode(dict(arguments, command=command)))
        except OSError:  # the worker is gone or going, and the end of its answers follows
            pass
        try:
            answer = self._wait(command, asked)
        finally:
            self.spent += time.monotonic() - asked
        if answer.get("answer") != command or answer.get("status") not in ("ok", "failed", "unsupported"):
            self.stop("failed", "the worker did not answer '{}': {!r:.80}".format(command, answer))
            raise WorkerEndedError()
        self.closed = command == "close"
        return answer

    def left(self, seconds: float) -> None:
        """Wait until a worker that was closed has left, for *seconds* at most."""
        try:
            while self.closed and not self._gone:
                self._gone = "ended" in self._answers.get(timeout=seconds)
        except queue.Empty:
            pass

    def stop(self, status: str, reason: str) -> None:
        """Say how the conversation ends, where nothing was said before: the worker is to be ended."""
        if not self.cut[0]:
            self.cut = (status, reason)

    def ends_itself(self) -> bool:
        """Return whether the worker ends by itself; say why where it has to be ended."""
        if not self.closed:
            self.stop("failed", "ended before it was closed")
        return not self.cut[0]

    def _wait(self, command: str, asked: float) -> Dict[str, Any]:
        while True:
            now = time.monotonic()
            if now - self._looked >= LOOK_SECONDS:
                self._looked = now
                self._hold(command, asked)
            try:
                found = self._answers.get(timeout=LOOK_SECONDS)
            except queue.Empty:
                continue
            if "ended" in found:
                self.closed = self._gone = True
                raise WorkerEndedError()
            if "garbage" in found:
                self.stop("failed", "the worker's answer to '{}' is {}".format(command, found["garbage"]))
                raise WorkerEndedError()
            return found

    def _hold(self, command: str, asked: float) -> None:
        status, reason = self.look()
        if not status and self.spent + time.monotonic() - asked > self.seconds:
            status = "time_limit"
            reason = "still running '{}' after the limit of {:g} s".format(command, self.seconds)
        if status:
            self.stop(status, reason)
            raise WorkerEndedError()
