"""Per-layer times, as trtexec exports them, and every raw sample beside them.

Rows are kept by position, since several layers may carry one name.
"""

import time
from typing import Any, Dict, List, Sequence, Tuple

from harness.worker.profiling import PLAIN, Profiling
from harness.worker.result import Result

from .passes import median
from .session import Session, accepted

GROUP, WARM_UP, SETTLE, PAUSE_SECONDS = 10, 5, 2, 0.05
"""Profiled inferences in a row, those before the first row and before any other, and the pause between."""

BEHIND = "behind an enqueue"
"""The second of two inferences that are enqueued at once: the GPU is busy when its first layer begins."""

ALONE = "one at a time"
"""The only call that feeds profilers in every version; the first layer's time has its launch in it."""

Run = List[Tuple[str, float]]


def make_profiler(trt: Any) -> Any:
    """Return a profiler of *trt*; its ``runs`` is a list of runs, each a list of (layer name, ms)."""

    class Recording(trt.IProfiler):  # type: ignore[misc]
        """Keeps what it is told; must call the base's own constructor, not super()."""

        def __init__(self) -> None:
            trt.IProfiler.__init__(self)
            self.runs = []  # type: List[Run]

        def begin(self) -> None:
            """Start a new run."""
            self.runs.append([])

        def report_layer_time(self, layer_name: str, ms: float) -> None:
            """Called by TensorRT for each layer, in order of execution."""
            self.runs[-1].append((str(layer_name), float(ms)))

    return Recording()


class LayerProfile(object):
    """Times of the layers of one session, of as many rounds as are asked for.

    :ivar runs: those that count, all of the same layers; :ivar of_other_layers: how many others there were
    :param on_demand: the version can be asked to report an inference that was enqueued

    The session's context keeps the profiler: nothing else is to be measured of it afterwards.
    """

    def __init__(self, trt: Any, on_demand: bool, session: Session, result: Result, suffix: str = "") -> None:
        self.runs = []  # type: List[Run]
        self.of_other_layers = 0
        self._session, self._on_demand = session, on_demand
        self._profiler = make_profiler(trt)
        self._rounds = Profiling(result, ALONE, "host", suffix)
        self._run = self._alone
        self._start = self._end = None  # type: Any
        self._ended = 0.0

    def take(self, iterations: int) -> None:
        """Profile so many inferences, in groups with a pause between them.

        A layer's time has the launch of the next one in it where launching is slow, and one disturbance of
        the host would reach half of the samples of a network that runs in a third of a millisecond.

        :raises FailedError: the context refused an inference
        """
        if not self._rounds.begun:
            self._begin(max(PLAIN, iterations))
        number, left = self._rounds.following, iterations
        while left > 0:
            size = min(GROUP, left)
            self._group(number, SETTLE if self.runs else WARM_UP, size)
            left -= size

    def _begin(self, plain: int) -> None:
        """Time inferences without the profiler, attach it, and see by which way it is told anything."""
        session, rounds = self._session, self._rounds
        if self._on_demand:
            sample = session.sampler(session.enqueue, False)
            rounds.plain_ms = [sample()["latency_ms"] for _ in range(SETTLE + plain)][SETTLE:]
            session.context.profiler = self._profiler
            session.context.enqueue_emits_profile = False
            rounds.way, rounds.clock = BEHIND, "gpu"
            self._start, self._end = session.memory.event(), session.memory.event()
            self._profiler.begin()
            self._behind()
            if self._profiler.runs[-1]:
                self._run = self._behind
                return
            session.context.enqueue_emits_profile = True
        rounds.plain_ms = []
        rounds.way, rounds.clock = ALONE, "host"
        if not self._on_demand:
            rounds.plain_ms = [self._alone() for _ in range(SETTLE + plain)][SETTLE:]
            session.context.profiler = self._profiler

    def _group(self, number: int, settle: int, size: int) -> None:
        time.sleep(max(0.0, self._ended + PAUSE_SECONDS - time.perf_counter()))
        inference_ms = []  # type: List[float]
        first = len(self._profiler.runs) + settle
        for _ in range(settle + size):
            self._profiler.begin()
            inference_ms.append(self._run())
        self._ended = time.perf_counter()
        told = [pair for pair in zip(self._profiler.runs[first:], inference_ms[settle:]) if pair[0]]
        names = _names((self.runs or [run for run, _ in told] or [[]])[0])
        alike = [(run, ms) for run, ms in told if _names(run) == names]
        self.of_other_layers += len(told) - len(alike)
        self.runs += [run for run, _ in alike]
        self._rounds.add(number, settle, [ms for _, ms in alike])

    def _behind(self) -> float:
        """Enqueue two inferences, have the second one reported, and return its GPU time, ms."""
        session, memory = self._session, self._session.memory
        accepted(session.enqueue())
        memory.record(self._start, session.stream)
        accepted(session.enqueue())
        memory.record(self._end, session.stream)
        memory.wait(self._end)
        session.context.report_to_profiler()
        return float(memory.elapsed_ms(self._start, self._end))

    def _alone(self) -> float:
        """Run an inference, wait, and return its wall time, ms."""
        begin = time.perf_counter()
        accepted(self._session.execute())
        return (time.perf_counter() - begin) * 1e3


def _names(run: Run) -> List[str]:
    return [name for name, _ in run]


def samples_json(runs: Sequence[Run], of_other_layers: int) -> Dict[str, Any]:
    """Return raw samples by position: ``layers``, each with ``name`` and ``ms`` (one number a run).

    :param runs: all of the same layers; :param of_other_layers: how many runs were not
    """
    names = _names(runs[0]) if runs else []
    return {
        "runs": len(runs),
        "runs_of_other_layers": of_other_layers,
        "layers": [{"name": name, "ms": [run[index][1] for run in runs]} for index, name in enumerate(names)],
    }


def profile_json(samples: Dict[str, Any]) -> List[Dict[str, Any]]:
    """Return trtexec's ``--exportProfile`` layout for :func:`samples_json`'s; times in milliseconds."""
    sums = [sum(layer["ms"]) for layer in samples["layers"]]
    total = sum(sums)
    rows = [{"count": samples["runs"]}]  # type: List[Dict[str, Any]]
    for layer, value in zip(samples["layers"], sums):
        rows.append(
            {
                "name": layer["name"],
                "timeMs": round(value, 6),
                "averageMs": round(value / samples["runs"], 6),
                "medianMs": round(median(layer["ms"]), 6),
                "percentage": round(100.0 * value / total, 4) if total else 0.0,
            }
        )
    return rows
