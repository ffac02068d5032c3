"""What a container takes of memory and processes, read beside whoever measures it."""

from __future__ import annotations

import threading

from harness.environments.docker.engine import Engine
from harness.environments.docker.errors import ENGINE_ERRORS

_SECONDS = 1.0


class Counters(threading.Thread):
    """Reads the engine's counters of one container every second, until it is stopped.

    An engine answers when it counts next, which may be a second later: nobody who measures may wait for that.

    :param most: processes at which the container has to end, None for no limit
    :ivar peak: most memory that was seen, bytes
    :ivar reason: why the container has to end, empty while it need not
    :ivar error: of the engine, after which nothing more is read
    """

    def __init__(self, engine: Engine, container: str, most: int | None) -> None:
        super().__init__(daemon=True)
        self._engine, self._container, self._most = engine, container, most
        self._over = threading.Event()
        self.peak = 0
        self.reason = ""
        self.error: Exception | None = None

    def run(self) -> None:
        """Read; an error is kept for the thread that looks."""
        while not self.reason and not self._over.wait(_SECONDS):
            try:
                self._read()
            except ENGINE_ERRORS as error:
                # Once it is over the container may be gone before the answer.
                self.error = None if self._over.is_set() else error
                return

    def stop(self) -> None:
        """Read no more."""
        self._over.set()

    def _read(self) -> None:
        counters = self._engine.client.api.stats(self._container, stream=False, **_one_shot(self._engine))
        memory = counters.get("memory_stats") or {}
        self.peak = max(self.peak, int(memory.get("max_usage") or memory.get("usage") or 0))
        processes = int((counters.get("pids_stats") or {}).get("current") or 0)
        # At the very limit every further fork fails already; what is there only burns time.
        if self._most is not None and processes >= self._most:
            self.reason = f"reached the limit of {self._most} processes"


def _one_shot(engine: Engine) -> dict[str, bool]:
    # Without it the engine takes two looks a second apart; engines before 20.10 know no other way.
    return {"one_shot": True} if engine.facts.api >= (1, 41) else {}
