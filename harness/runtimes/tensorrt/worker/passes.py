"""The end-to-end passes of a build: its own, with a CUDA graph, with a cold L2 cache."""

from typing import Any, Dict, List, Optional, Sequence

from harness.worker.errors import FailedError, UnsupportedError
from harness.worker.measure import Pass
from harness.worker.result import Result

from .nvml import Nvml
from .plan import Plan
from .session import Session


def median(values: List[float]) -> float:
    """Return the middle of *values*, or the mean of the two in the middle."""
    ordered = sorted(values)
    half = len(ordered) // 2
    return ordered[half] if len(ordered) % 2 else (ordered[half - 1] + ordered[half]) / 2.0


def launch_bound(facts: Dict[str, Any]) -> Optional[bool]:
    """Say whether launching bounds a build: enqueue takes 90 % of its time, or a graph shortens it by 10 %.

    None where neither holds and no graph was measured.
    """
    latency, enqueue = facts["latency_median_ms"], facts["latency_enqueue_median_ms"]
    graph = facts.get("cuda_graph_median_ms")
    if enqueue >= 0.9 * latency or (graph is not None and graph <= 0.9 * latency):
        return True
    return None if graph is None else False


COLUMNS = (("latency_ms", ""), ("enqueue_ms", "_enqueue"), ("host_ms", "_host"))
"""Columns of the samples, and what they are called among the facts: ``NAME_..._median_ms``."""


class Passes(object):
    """Makes the passes over one session, and states their medians when they are over.

    :param extra: passes that are wanted beside the treatment's own: ``cuda_graph``, ``cold_l2``
    """

    def __init__(
        self, session: Session, driver: Any, nvml: Nvml, extra: Sequence[str], result: Result
    ) -> None:
        self.session, self.driver, self.nvml = session, driver, nvml
        self.extra, self.result = extra, result
        self.l2_bytes = int(result.facts.get("gpu_l2_bytes") or 0)
        self.made = []  # type: List[Pass]

    def treatment(self, plan: Plan) -> List[Pass]:
        """Return the treatment's own pass, called ``latency``, then the extra ones that were asked for.

        :raises UnsupportedError: the treatment wants a CUDA graph, and the engine cannot be captured
        """
        graph, problem = self._graph() if self._wants_graph(plan) else (None, "")
        if plan.cuda_graph and graph is None:
            raise UnsupportedError("cuda_graph on: " + problem)
        own = graph.launch if plan.cuda_graph and graph is not None else self.session.enqueue
        self.add("latency", own, plan.copies, plan.cold_l2)
        if "cuda_graph" in self.extra:
            if graph is None:
                self.result.cannot_express("pass cuda_graph: " + problem)
            else:
                self.add("cuda_graph", graph.launch, plan.copies, plan.cold_l2)
        if "cold_l2" in self.extra:
            self.add("cold_l2", own, plan.copies, True)
        return self.made

    def add_graph(self, name: str) -> None:
        """Add a pass *name* with a CUDA graph, or say why there is none.

        Small networks are bound by launches, and what their kernels cost shows without these only.
        """
        graph, problem = self._graph()
        if graph is None:
            self.result.cannot_express("pass {}: {}".format(name, problem))
        else:
            self.add(name, graph.launch, False, False)

    def add(self, name: str, enqueue: Any, copies: bool, cold: bool) -> Pass:
        """Add a pass called *name*.

        :param cold: everything is driven out of the L2 cache before each sample
        """
        flush = self.session.flusher(self.l2_bytes) if cold else None

        def before() -> None:
            self.nvml.tick()
            if flush is not None:
                flush()

        one = Pass(name, self.session.sampler(enqueue, copies), "gpu", before)
        self.made.append(one)
        return one

    def state(self) -> None:
        """State the medians of all passes that were measured."""
        for one in self.made:
            for column, value in medians(one).items():
                self.result.fact("{}{}_median_ms".format(one.name, dict(COLUMNS)[column]), round(value, 6))

    def _wants_graph(self, plan: Plan) -> bool:
        return plan.cuda_graph or "cuda_graph" in self.extra

    def _graph(self) -> Any:
        try:
            return self.session.capture(self.driver), ""
        except FailedError as error:
            return None, str(error)


def medians(one: Pass) -> Dict[str, float]:
    """Return the median of each column of what was measured of a pass, milliseconds; none of nothing."""
    return {column: median(one.values(column)) for column, _ in COLUMNS if one.slices}
