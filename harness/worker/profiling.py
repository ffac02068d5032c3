"""How the layers of a build were profiled: in which rounds, and how long an inference takes meanwhile."""

import time
from typing import Any, Callable, Dict, List, Sequence  # noqa: F401

from harness.worker.result import Result

SCHEMA = "trtmatrix.profile-runs/1"

PLAIN = 10
"""Inferences without the profiler that those with it are held against, at least."""

PLAIN_EVERY = 4
"""Rounds to one that has inferences without the profiler beside it, where they may come between rounds: what
profiling costs is told well enough by these, and the others leave their time to rounds and builds."""


class Profiling(object):
    """The rounds of one profile, in ``evidence/profile_runs.json``, which each of them replaces.

    :param way: how the runtime is made to tell times of layers, in words
    :param clock: what an inference is timed by: ``gpu`` (events) or ``host``
    :param suffix: of the file, where there are several engines
    """

    def __init__(self, result: Result, way: str, clock: str = "host", suffix: str = "") -> None:
        self.way, self.clock = way, clock
        self.plain_ms = []  # type: List[float]
        self._result, self._suffix = result, suffix
        self._rounds = []  # type: List[Dict[str, Any]]

    @property
    def begun(self) -> bool:
        """Whether there was a round."""
        return bool(self._rounds)

    @property
    def following(self) -> int:
        """The number of the next round."""
        return self._rounds[-1]["round"] + 1 if self._rounds else 0

    @property
    def plain_due(self) -> bool:
        """Whether inferences without the profiler belong before the next round: what drifts meets both."""
        return self.following % PLAIN_EVERY == 0

    def add(self, number: int, settle: int, inference_ms: Sequence[float]) -> None:
        """Keep inferences of a round.

        :param number: of the round, from 0; one may be in several parts
        :param settle: inferences before it that do not count, though the runtime may have told of them
        :param inference_ms: time of each that counts, with the profiler
        """
        self._rounds.append(
            {"round": number, "settle": settle, "inference_ms": list(inference_ms), "at": time.time()}
        )
        said = {"schema": SCHEMA, "way": self.way, "clock": self.clock}  # type: Dict[str, Any]
        said.update(plain_ms=self.plain_ms, rounds=self._rounds)
        self._result.write_json("profile_runs{}.json".format(self._suffix), said)


def timed(infer: Callable[[], Any], settle: int, count: int) -> List[float]:
    """Run *infer* so often, after *settle* times that do not count; return the wall time of each, ms."""
    for _ in range(settle):
        infer()
    clock, found = time.perf_counter, []
    for _ in range(count):
        begin = clock()
        infer()
        found.append((clock() - begin) * 1e3)
    return found
