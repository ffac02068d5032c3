"""One worker's container: created, watched against its limits, and removed however it ends."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from docker.models.containers import Container
from docker.utils.socket import frames_iter

from harness.environments.base import Limits, Outcome
from harness.environments.docker.engine import Engine
from harness.environments.docker.errors import ENGINE_ERRORS, engine_is_gone, explain_start, text_of
from harness.environments.docker.labels import mark_active, mark_done, remove_container
from harness.environments.process import folder_bytes, log_tail

_LOOK_SECONDS = 0.2
# A look at the engine's counters costs it a few milliseconds; a result folder grows no faster than a disk.
_STATISTICS_SECONDS = 1.0
_KILL_SECONDS = 20
_STOP_LOOKS = 10
_LOG_SECONDS = 10
_SIGNAL = 128  # exit codes above it are signals
_MIB = 1 << 20
_ENGINE_GONE = "the docker engine went away while the container ran; --retry-failed measures it again"


@dataclass
class Run:
    """A container being run.

    :param arguments: of ``docker.containers.create``; :param result: where ``worker.log`` is written
    :param inspected: what the engine said of the container last, its ``HostConfig`` above all
    """

    engine: Engine
    image: str
    command: Sequence[str]
    arguments: Mapping[str, Any]
    result: Path
    limits: Limits
    inspected: dict[str, Any] = field(default_factory=dict)
    peak: int = 0
    _log: _Log | None = None

    def outcome(self) -> Outcome:
        """Run the container to its end or to the first limit it passes.

        :return: ``interrupted`` after Ctrl-C; never an exception for what the worker or the engine did
        """
        begin = time.monotonic()
        container = None
        try:
            container = self._create()
            status, reason, code = self._watch(container, begin)
        except KeyboardInterrupt:
            status, reason, code = "interrupted", "interrupted by the user", None
        except ENGINE_ERRORS as error:
            status, reason, code = (*self._explain(error, started=container is not None), None)
        finally:
            if container is not None:
                self._remove(str(container.id))
            if self._log is not None:
                self._log.close()
        return Outcome(
            status=status,
            reason=reason,
            exit_code=code,
            seconds=time.monotonic() - begin,
            peak_memory_bytes=self.peak or None,
            log_tail=log_tail(self.result / "worker.log"),
        )

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

    def _watch(self, container: Container, begin: float) -> tuple[str, str, int | None]:
        self._log = log = _Log(container, self.result / "worker.log", self.limits.log_bytes)
        end = _End(container, self.limits.seconds + 120)
        container.start()
        log.start()
        end.start()
        status, reason = self._until_end(container, end, begin)
        if status:
            container.kill()
            end.wait(_KILL_SECONDS)
        log.join(_LOG_SECONDS)  # the last lines come right after the container's end
        if end.error is not None and engine_is_gone(end.error):
            raise end.error
        self.engine.ping()
        container.reload()
        self.inspected = dict(container.attrs)
        state = self.inspected.get("State", {})
        code = int(state.get("ExitCode", -1))
        if status:
            return status, reason, code
        if code > _SIGNAL and not self._engine_stays():
            return "failed", _ENGINE_GONE, code
        return (*self._ended(code, bool(state.get("OOMKilled"))), code)

    def _engine_stays(self) -> bool:
        """Say whether the engine still answers: a stopping one ends its containers first, by a signal."""
        try:
            for _ in range(_STOP_LOOKS):
                self.engine.ping()
                time.sleep(_LOOK_SECONDS)
        except ENGINE_ERRORS:
            return False
        return True

    def _until_end(self, container: Container, end: _End, begin: float) -> tuple[str, str]:
        counted = begin
        while not end.wait(_LOOK_SECONDS):
            now = time.monotonic()
            if now - begin > self.limits.seconds:
                return "time_limit", f"still running after the limit of {self.limits.seconds:g} s"
            if (size := folder_bytes(self.result)) > self.limits.result_bytes:
                return "result_limit", _result_reason(size, self.limits)
            if now - counted >= _STATISTICS_SECONDS:
                counted = now
                reason = self._count(container)
                if reason:
                    return "failed", reason
        return "", ""

    def _count(self, container: Container) -> str:
        """Read the engine's counters; return why the container has to end, or nothing."""
        counters = self.engine.client.api.stats(str(container.id), stream=False, **_one_shot(self.engine))
        memory = counters.get("memory_stats") or {}
        self.peak = max(self.peak, int(memory.get("max_usage") or memory.get("usage") or 0))
        processes = int((counters.get("pids_stats") or {}).get("current") or 0)
        limit = self.arguments.get("pids_limit")
        # At the very limit every further fork fails already; what is there only burns time.
        if isinstance(limit, int) and processes >= limit:
            return f"reached the limit of {limit} processes"
        return ""

    def _ended(self, code: int, out_of_memory: bool) -> tuple[str, str]:
        if out_of_memory:
            return (
                "memory_limit",
                f"needed more than the limit of {self.limits.memory_bytes // _MIB} MiB of memory",
            )
        if (size := folder_bytes(self.result)) > self.limits.result_bytes:
            return "result_limit", _result_reason(size, self.limits)
        last = log_tail(self.result / "worker.log").rstrip().rsplit("\n", 1)[-1].strip()
        if code > _SIGNAL:
            return "killed", f"killed by signal {code - _SIGNAL}" + (f": {last}" if last else "")
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


class _Log(threading.Thread):
    """Streams what a container prints into a file, up to a limit; the rest is read and dropped."""

    def __init__(self, container: Container, path: Path, limit: int) -> None:
        super().__init__(daemon=True)
        self._path, self._limit = path, limit
        # Attached before the start, so that nothing is missed.
        self._socket = container.attach_socket(params={"stdout": 1, "stderr": 1, "stream": 1})

    def run(self) -> None:
        """Copy until the container ends or the engine goes away."""
        written = dropped = 0
        with self._path.open("wb") as target:
            try:
                for _, chunk in frames_iter(self._socket, tty=False):  # type: ignore[no-untyped-call]
                    kept = chunk[: max(0, self._limit - written)]
                    target.write(kept)
                    target.flush()
                    written += len(kept)
                    dropped += len(chunk) - len(kept)
            except ENGINE_ERRORS as error:
                target.write(f"\n[log ends here: {text_of(error)}]\n".encode())
            if dropped:
                target.write(f"\n[log cut here: {dropped} bytes more were printed]\n".encode())

    def close(self) -> None:
        """Close the connection, which the end of the container has ended."""
        if self.ident is not None:
            self.join(_LOG_SECONDS)
        # The SDK hands out a file over a socket that a response owns; each keeps the connection open.
        for part in ("_response", "_sock"):
            if (held := getattr(self._socket, part, None)) is not None:
                held.close()
        self._socket.close()


class _End(threading.Thread):
    """Waits for the end of a container, so that nobody has to ask the engine again and again."""

    def __init__(self, container: Container, timeout: float) -> None:
        super().__init__(daemon=True)
        self._container, self._timeout = container, timeout
        self._done = threading.Event()
        self.error: Exception | None = None

    def run(self) -> None:
        """Wait; an error is kept for the thread that watches."""
        try:
            self._container.wait(timeout=self._timeout)
        except ENGINE_ERRORS as error:
            self.error = error
        finally:
            self._done.set()

    def wait(self, seconds: float) -> bool:
        """Return whether the container ended within *seconds*."""
        return self._done.wait(seconds)


def _one_shot(engine: Engine) -> dict[str, bool]:
    # Without it the engine takes two looks a second apart; engines before 20.10 know no other way.
    return {"one_shot": True} if engine.facts.api >= (1, 41) else {}


def _result_reason(size: int, limits: Limits) -> str:
    return f"result folder of {size // _MIB} MiB is above the limit of {limits.result_bytes // _MIB} MiB"
