"""Per-layer times, as trtexec exports them, and every raw sample beside them.

Rows are kept by position, since several layers may carry one name.
"""

import time
from typing import Any, Dict, List, Tuple

from .passes import median
from .session import accepted

GROUP, GROUP_WARMUP, PAUSE_SECONDS = 10, 2, 0.05
"""Profiled inferences in a row, those before them that do not count, and the pause after them."""


def make_profiler(trt: Any) -> Any:
    """Return a profiler of *trt*; its ``runs`` is a list of runs, each a list of (layer name, ms)."""

    class Recording(trt.IProfiler):  # type: ignore[misc]
        """Keeps what it is told; must call the base's own constructor, not super()."""

        def __init__(self) -> None:
            trt.IProfiler.__init__(self)
            self.runs = []  # type: List[List[Tuple[str, float]]]

        def begin(self) -> None:
            """Start a new run."""
            self.runs.append([])

        def report_layer_time(self, layer_name: str, ms: float) -> None:
            """Called by TensorRT for each layer, in order of execution."""
            self.runs[-1].append((str(layer_name), float(ms)))

    return Recording()


def profile(trt: Any, session: Any, iterations: int, warmup: int = 5) -> List[List[Tuple[str, float]]]:
    """Return layer names and times of *iterations* synchronous inferences, after *warmup* others.

    They are spread over groups with a pause between them: a layer's time has the launch of the next one in
    it where launching is slow, and one disturbance of the host would reach half of the samples of a
    network that runs in a third of a millisecond.
    """
    profiler = make_profiler(trt)
    session.context.profiler = profiler
    kept = []  # type: List[List[Tuple[str, float]]]
    left = iterations
    while left > 0:
        before = warmup if left == iterations else GROUP_WARMUP
        size = min(GROUP, left)
        for _ in range(before + size):
            profiler.begin()
            accepted(session.execute())
        kept += profiler.runs[-size:]
        left -= size
        if left:
            time.sleep(PAUSE_SECONDS)
    return [run for run in kept if run]


def samples_json(runs: List[List[Tuple[str, float]]]) -> Dict[str, Any]:
    """Return raw samples by position: ``layers``, each with ``name`` and ``ms`` (one number a run)."""
    names = [name for name, _ in runs[0]] if runs else []
    whole = [run for run in runs if [name for name, _ in run] == names]
    return {
        "runs": len(whole),
        "runs_of_other_layers": len(runs) - len(whole),
        "layers": [
            {"name": name, "ms": [run[index][1] for run in whole]} for index, name in enumerate(names)
        ],
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
