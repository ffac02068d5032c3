"""The end-to-end passes of a build: its own, with a CUDA graph, with a cold L2 cache."""

from typing import Any, Dict, List, Optional

from harness.worker.errors import FailedError, UnsupportedError
from harness.worker.job import Measure
from harness.worker.measure import run_pass
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


class Passes(object):
    """Runs passes over one session and keeps their windows and medians in the result."""

    def __init__(self, session: Session, driver: Any, nvml: Nvml, settings: Measure, result: Result) -> None:
        self.session, self.driver, self.nvml = session, driver, nvml
        self.settings, self.result = settings, result
        self.l2_bytes = int(result.facts.get("gpu_l2_bytes") or 0)

    def treatment(self, plan: Plan) -> None:
        """Run the treatment's own pass, called ``latency``, then the extra ones that were asked for.

        :raises UnsupportedError: the treatment wants a CUDA graph, and the engine cannot be captured
        """
        graph, problem = self._graph() if self._wants_graph(plan) else (None, "")
        if plan.cuda_graph and graph is None:
            raise UnsupportedError("cuda_graph on: " + problem)
        own = graph.launch if plan.cuda_graph and graph is not None else self.session.enqueue
        self.run("latency", own, plan.copies, plan.cold_l2)
        if "cuda_graph" in self.settings.passes:
            if graph is None:
                self.result.cannot_express("pass cuda_graph: " + problem)
            else:
                self.run("cuda_graph", graph.launch, plan.copies, plan.cold_l2)
        if "cold_l2" in self.settings.passes:
            self.run("cold_l2", own, plan.copies, True)
        if not plan.cuda_graph:
            self.result.fact("launch_bound", launch_bound(self.result.facts))

    def graph_median(self, name: str) -> Optional[float]:
        """Return the median GPU time, ms, of a pass *name* with a CUDA graph; None if none can be captured.

        Small networks are bound by launches, and what their kernels cost shows without these only.
        """
        graph, problem = self._graph()
        if graph is None:
            self.result.cannot_express("pass {}: {}".format(name, problem))
            return None
        return float(self.run(name, graph.launch, False, False)["latency_ms"])

    def _wants_graph(self, plan: Plan) -> bool:
        return plan.cuda_graph or "cuda_graph" in self.settings.passes

    def _graph(self) -> Any:
        try:
            return self.session.capture(self.driver), ""
        except FailedError as error:
            return None, str(error)

    def run(self, name: str, enqueue: Any, copies: bool, cold: bool) -> Dict[str, Any]:
        """Run one pass called *name*; return its medians, which become facts ``NAME_..._median_ms``."""
        flush = self.session.flusher(self.l2_bytes) if cold else None

        def before() -> None:
            self.nvml.tick()
            if flush is not None:
                flush()

        self.nvml.sample()
        done = run_pass(name, self.session.sampler(enqueue, copies), self.settings, "gpu", before)
        self.nvml.sample()
        self.result.add_windows(done.windows)
        medians = {}
        for column in ("latency_ms", "enqueue_ms", "host_ms"):
            medians[column] = median([value for window in done.windows for value in window[column]])
        for column, prefix in (("latency_ms", ""), ("enqueue_ms", "_enqueue"), ("host_ms", "_host")):
            self.result.fact("{}{}_median_ms".format(name, prefix), round(medians[column], 6))
        self.result.fact(name + "_stopped_by", done.stopped_by)
        return medians
