"""Profiles of a session: op times under FULL_TRACE on the CPU, times of kernels by op on the GPU."""

import time
from collections import OrderedDict
from typing import Any, Callable, Dict, List, Sequence

from harness.worker.profiling import Profiling, timed
from harness.worker.result import Result

from .library import tf1
from .trace import Trace, nodes, options

WARMUP, SETTLE = 3, 1
"""Inferences that do not count, before the first round of the profile and before each other one."""

Infer = Callable[..., Any]


class CpuProfile(object):
    """Op times that RunMetadata tells of the session's own inferences.

    :param run: runs one; takes ``options`` and ``run_metadata``
    :param written: source op to the nodes that were written for it
    """

    def __init__(self, result: Result, run: Infer, written: Dict[str, List[str]]) -> None:
        self._result, self._run, self._written = result, run, written
        self._rounds = Profiling(result, "the same session under FULL_TRACE")
        self._trace = Trace()

    def take(self, iterations: int) -> None:
        """Run a round under FULL_TRACE; graph and op times are left anew after each."""
        rounds = self._rounds
        if rounds.plain_due:
            rounds.plain_ms += timed(self._run, SETTLE, iterations)
        settle = SETTLE if rounds.begun else WARMUP
        said, told, inference_ms = options(), None, []  # type: Any, Any, List[float]
        for number in range(settle + iterations):
            told = tf1.RunMetadata()
            begin = time.perf_counter()
            self._run(options=said, run_metadata=told)
            if number >= settle:
                inference_ms.append((time.perf_counter() - begin) * 1e3)
                self._trace.add(told)
        rounds.add(rounds.following, settle, inference_ms)
        self._result.write_json("trace.json", self._trace.as_json())
        self._result.write_json("graph.json", {"nodes": nodes(told), "written": self._written})


class GpuProfile(object):
    """Times of the GPU's kernels by op, from TensorFlow's profiler around the session's own inferences.

    :param plain: runs one inference by the shortest way; :param run, written: as for :class:`CpuProfile`
    """

    def __init__(
        self, result: Result, plain: Callable[[], Any], run: Infer, written: Dict[str, List[str]]
    ) -> None:
        self._result, self._plain, self._run, self._written = result, plain, run, written
        self._rounds = Profiling(result, "the same session under TensorFlow's profiler")
        self._ops = OrderedDict()  # type: OrderedDict[str, Dict[str, Any]]
        self._inferences = 0
        self._rows = []  # type: List[Dict[str, Any]]

    def take(self, iterations: int) -> None:
        """Run a round under the profiler; graph and times are left anew after each."""
        from .kernels import by_op, profiled  # the profiler is there from 2.2 on

        rounds = self._rounds
        if rounds.plain_due:
            rounds.plain_ms += timed(self._plain, SETTLE, iterations)
        if not rounds.begun:
            self._describe()
            profiled(self._plain, WARMUP)  # the first one loads what tells of kernels
        inference_ms = []  # type: List[float]

        def one() -> None:
            begin = time.perf_counter()
            self._plain()
            inference_ms.append((time.perf_counter() - begin) * 1e3)

        found = by_op(profiled(one, iterations), iterations)
        rounds.add(rounds.following, 0, inference_ms)
        self._join(found, iterations)
        self._result.write_json("trace.json", {"inferences": self._inferences, "rows": self._told()})

    def _describe(self) -> None:
        """Leave the graph that runs, and the shapes of what its ops write."""
        told, trace = tf1.RunMetadata(), Trace()
        self._run(options=options(), run_metadata=told)
        trace.add(told)
        self._rows = [row for row in trace.as_json()["rows"] if "/stream:" not in row["device"]]
        self._result.write_json("graph.json", {"nodes": nodes(told), "written": self._written})

    def _join(self, found: Dict[str, Dict[str, Any]], iterations: int) -> None:
        """Add a round's times; an op or kernel that a round lacks took no time in it."""
        for op, said in found.items():
            known = self._ops.setdefault(op, {"op_ns": [0.0] * self._inferences, "kernels": OrderedDict()})
            known["op_ns"] += said["op_ns"]
            for name, values in said["kernels"].items():
                kernel = known["kernels"].setdefault(name, [0.0] * self._inferences)
                kernel += values
        self._inferences += iterations
        for known in self._ops.values():
            _fill(known["op_ns"], self._inferences)
            for values in known["kernels"].values():
                _fill(values, self._inferences)

    def _told(self) -> Sequence[Dict[str, Any]]:
        """Return a row an op in the order in which the GPU meets it, those without kernels behind."""
        described = {row["name"]: row for row in self._rows}
        found = [
            dict(described.get(op, {"device": "gpu", "name": op, "outputs": []}), **said)
            for op, said in self._ops.items()
        ]
        idle = [0.0] * self._inferences
        left = [row for row in self._rows if row["name"] not in self._ops]
        return found + [dict(row, op_ns=idle, kernels={}) for row in left]


def _fill(values: List[float], count: int) -> None:
    values += [0.0] * (count - len(values))
