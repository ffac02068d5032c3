"""One worker's container: created, watched against its limits, and removed however it ends."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import docker.errors
from docker.models.containers import Container

from harness.environments.base import Limits, Outcome, WorkerConversation
from harness.environments.docker.counters import Counters
from harness.environments.docker.engine import Engine
from harness.environments.docker.errors import ENGINE_ERRORS, engine_is_gone, explain_start, text_of
from harness.environments.docker.labels import mark_active, mark_done, remove_container
from harness.environments.docker.streams import LOG_SECONDS, SIGNAL, End, Streams
from harness.environments.process import folder_bytes, log_tail

_LOOK_SECONDS = 0.2
_KILL_SECONDS = 20
_LEAVE_SECONDS = 30
_MIB = 1 << 20
# The kernel's number of RLIMIT_MEMLOCK, in the words of runc and of crun.
_LOCKED_MEMORY = re.compile(r"rlimit type 8\b|RLIMIT_MEMLOCK", re.IGNORECASE)
_ENGINE_GONE = "the docker engine went away while the container ran; --retry-failed measures it again"


class WorkerContainer(WorkerConversation):
    """The conversation with a worker in a container, through the container's streams.

    :param arguments: of ``docker.containers.create``; :param result: where ``worker.log`` is written
    :ivar inspected: what the engine said of the container last, its ``HostConfig`` above all
    """

    def __init__(
        self,
        engine: Engine,
        image: str,
        command: Sequence[str],
        arguments: Mapping[str, Any],
        result: Path,
        limits: Limits,
    ) -> None:
        super().__init__(limits.seconds)
        self.engine, self.image, self.command, self.arguments = engine, image, command, arguments
        self.result, self.limits = result, limits
        self.inspected: dict[str, Any] = {}
        self._container: Container | None = None
        self._streams: Streams | None = None
        self._end: End | None = None
        self._counters: Counters | None = None
        self._error: Exception | None = None

    def start(self) -> None:
        """Create and start the container; a failure is told at the end."""
        try:
            try:
                self._launch()
            except docker.errors.APIError as error:
                if not _LOCKED_MEMORY.search(text_of(error)):
                    raise
                self._give_up_locked_memory()
                self._launch()
        except KeyboardInterrupt:
            self.stop("interrupted", "interrupted by the user")
        except ENGINE_ERRORS as error:
            self._fail(error)

    def send(self, data: bytes) -> None:
        """Write into the container's standard input.

        :raises OSError: it is closed
        """
        assert self._streams is not None
        self._streams.send(data)

    def look(self) -> tuple[str, str]:
        """Hold the size of the result and the number of processes against the limits."""
        if (size := folder_bytes(self.result)) > self.limits.result_bytes:
            return "result_limit", _result_reason(size, self.limits)
        if self._counters is None:
            return "", ""
        if self._counters.error is not None:
            self._fail(self._counters.error)
        return ("failed", self._counters.reason) if self._counters.reason else ("", "")

    def end(self) -> Outcome:
        """Wait for the end of a worker that has closed, kill any other, and remove the container."""
        code: int | None = None
        try:
            if self._container is not None and self._end is not None and self._error is None:
                code = self._finish(self._container)
        except KeyboardInterrupt:
            self.stop("interrupted", "interrupted by the user")
        except ENGINE_ERRORS as error:
            self._fail(error)
        finally:
            if self._counters is not None:
                self._counters.stop()
            if self._container is not None:
                self._remove(str(self._container.id))
            if self._streams is not None:
                self._streams.close()
        return Outcome(
            *self.cut,
            exit_code=code,
            seconds=time.monotonic() - self.begin,
            peak_memory_bytes=self._counters.peak or None if self._counters is not None else None,
            log_tail=log_tail(self.result / "worker.log"),
        )

    def _fail(self, error: Exception) -> None:
        self._error = error
        self.stop(*self._explain(error, started=self._container is not None))

    def _launch(self) -> None:
        self._container = container = self._create()
        path = self.result / "worker.log"
        self._streams = Streams(container, path, self.limits.log_bytes, self.received)
        self._end = End(container, self.limits.seconds + 120, self.engine.ping)
        container.start()
        self._streams.start()
        self._end.start()
        most = self.arguments.get("pids_limit")
        self._counters = Counters(self.engine, str(container.id), most if isinstance(most, int) else None)
        self._counters.start()

    def _give_up_locked_memory(self) -> None:
        """Remove a container whose engine may lift no limit, and go on with the engine's own limit."""
        assert self._streams is not None
        assert self._container is not None
        self._streams.close()
        self._remove(str(self._container.id))
        kept = [limit for limit in self.arguments["ulimits"] if limit["Name"] != "memlock"]
        self.arguments = {**self.arguments, "ulimits": kept}

    def _create(self) -> Container:
        container = self.engine.client.containers.create(
            self.image,
            # Ours, so that neither the image's entry point nor its banner comes before the worker.
            entrypoint=[self.command[0]],
            command=list(self.command[1:]),
            **self.arguments,
        )
        mark_active(str(container.id))
        self.inspected = dict(container.attrs)
        return container

    def _finish(self, container: Container) -> int:
        """See the container to its end, say in :attr:`cut` what that was, and return its exit status."""
        assert self._end is not None
        assert self._streams is not None
        if self.ends_itself() and not self._end.wait(_LEAVE_SECONDS):
            self.stop("failed", f"the worker answers no more, and did not end within {_LEAVE_SECONDS} s")
        if not self._end.wait(0.0):
            container.kill()
            self._end.wait(_KILL_SECONDS)
        self._streams.join(LOG_SECONDS)  # the last lines come right after the container's end
        if self._end.error is not None and engine_is_gone(self._end.error):
            raise self._end.error
        self.engine.ping()
        container.reload()
        self.inspected = dict(container.attrs)
        state = self.inspected.get("State", {})
        code = int(state.get("ExitCode", -1))
        if not self.cut[0] and code > SIGNAL and self._end.engine_left():
            self.stop("failed", _ENGINE_GONE)
        if not self.cut[0]:
            self.cut = self._ended(code, bool(state.get("OOMKilled")))
        return code

    def _ended(self, code: int, out_of_memory: bool) -> tuple[str, str]:
        if out_of_memory:
            return (
                "memory_limit",
                f"needed more than the limit of {self.limits.memory_bytes // _MIB} MiB of memory",
            )
        if (size := folder_bytes(self.result)) > self.limits.result_bytes:
            return "result_limit", _result_reason(size, self.limits)
        last = log_tail(self.result / "worker.log").rstrip().rsplit("\n", 1)[-1].strip()
        if code > SIGNAL:
            return "killed", f"killed by signal {code - SIGNAL}" + (f": {last}" if last else "")
        if code != 0:
            return "failed", f"the worker ended with exit status {code}" + (f": {last}" if last else "")
        if not (self.result / "result.json").is_file():
            return "failed", "the worker ended without a result"
        return "ok", ""

    def _explain(self, error: Exception, *, started: bool) -> tuple[str, str]:
        if engine_is_gone(error):
            return "failed", f"{_ENGINE_GONE} ({text_of(error)})"
        if started and self.inspected.get("State", {}).get("Status") not in (None, "created"):
            return "failed", f"the docker engine failed: {text_of(error)}"
        return "failed", explain_start(error)

    def _remove(self, container: str) -> None:
        try:
            self.engine.ping()
            remove_container(self.engine, container)
        except ENGINE_ERRORS:
            # The engine is gone; what is left of the container is removed once it answers again.
            self.engine.leftovers.add(container)
        finally:
            mark_done(container)


def _result_reason(size: int, limits: Limits) -> str:
    return f"result folder of {size // _MIB} MiB is above the limit of {limits.result_bytes // _MIB} MiB"
