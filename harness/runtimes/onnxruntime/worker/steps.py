"""onnxruntime on the CPU: latency from a plain session, the profile from a session of its own.

The profile and the optimized graph come from the same session: names of inserted nodes differ from session
to session. Both are left as onnxruntime writes them.
"""

import os
import time
from typing import Any, Callable, Dict, List, Optional, Sequence

import onnxruntime

from harness.worker import base
from harness.worker.cpu import cpu_facts, latency_pass, require
from harness.worker.errors import FailedError
from harness.worker.job import Job
from harness.worker.measure import Pass
from harness.worker.package import read_arrays
from harness.worker.profiling import Profiling, timed
from harness.worker.result import Result

OPTIONS = {"graph_optimization_level": "all", "memory_arena": True}  # type: Dict[str, Any]
LEVELS = {
    "disable_all": "ORT_DISABLE_ALL",
    "basic": "ORT_ENABLE_BASIC",
    "extended": "ORT_ENABLE_EXTENDED",
    "all": "ORT_ENABLE_ALL",
}
HONOURED = {"precision": ["fp32"], "tensor_format": ["linear"], "source": ["auto", "onnx"]}
PROFILE_WARMUP, PROFILE_SETTLE = 3, 1
"""Inferences that do not count, before the first round of the profile and before each other one."""
PROVIDERS = ["CPUExecutionProvider"]


class Worker(base.Worker):
    """A plain session for outputs and latency, one that profiles for the layers."""

    moves = True

    def __init__(self, job: Job, result: Result) -> None:
        super().__init__(job, result)
        self._profiling = None  # type: Optional[Any]
        self._rounds = Profiling(result, "a session of its own that profiles")

    def build(self) -> None:
        """Make the session of the job's ONNX file."""
        job, result = self.job, self.result
        require(job, HONOURED)
        self.options = job.options(OPTIONS)
        if job.onnx is None:
            raise FailedError("job: onnxruntime needs 'onnx'")
        result.fact("onnxruntime", onnxruntime.__version__)
        begin = time.perf_counter()
        self.session = onnxruntime.InferenceSession(
            job.onnx, _session_options(job, self.options), providers=PROVIDERS
        )
        result.fact("build_seconds", time.perf_counter() - begin)
        _state_settings(job, result, self.options, self.session)

    def load(self) -> Sequence[Pass]:
        """Leave the outputs, and return the latency pass."""
        session = self.session
        self.feeds = feeds = read_arrays(self.job.inputs)
        names = [output.name for output in session.get_outputs()]
        arrays = session.run(names, feeds)
        self.result.outputs({name: arrays[position] for position, name in enumerate(names)})
        return [latency_pass(self._infer(session, names))]

    def profile(self, iterations: int) -> None:
        """Run a round of a session that profiles; its graph and trace are left when it is closed."""
        if not iterations:
            return
        rounds = self._rounds
        if rounds.plain_due:
            rounds.plain_ms += timed(self._infer(self.session), PROFILE_SETTLE, iterations)
        if self._profiling is None:
            self._profiling = _profiling(self.job, self.result, self.options)
        settle = PROFILE_SETTLE if rounds.begun else PROFILE_WARMUP
        rounds.add(rounds.following, settle, timed(self._infer(self._profiling), settle, iterations))

    def close(self, complete: bool) -> None:
        """Leave the trace, and state the processor and what it gives."""
        if self._profiling is not None:
            # The name carries a time stamp; there is one trace a build.
            os.replace(self._profiling.end_profiling(), self.result.evidence("trace.json"))
        if complete:
            cpu_facts(self.job, self.result)

    def _infer(self, session: Any, names: Optional[List[str]] = None) -> Callable[[], Any]:
        feeds = self.feeds
        return lambda: session.run(names, feeds)


def _session_options(job: Job, options: Dict[str, Any]) -> Any:
    level = str(options["graph_optimization_level"])
    if level not in LEVELS:
        raise FailedError(
            "job: options.graph_optimization_level is not one of {}".format(", ".join(sorted(LEVELS)))
        )
    made = onnxruntime.SessionOptions()
    made.intra_op_num_threads = job.threads
    made.inter_op_num_threads = 1
    made.execution_mode = onnxruntime.ExecutionMode.ORT_SEQUENTIAL
    made.graph_optimization_level = getattr(onnxruntime.GraphOptimizationLevel, LEVELS[level])
    made.enable_cpu_mem_arena = bool(options["memory_arena"])
    return made


def _state_settings(job: Job, result: Result, options: Dict[str, Any], session: Any) -> None:
    result.setting("providers", session.get_providers())
    result.setting("intra_op_num_threads", job.threads)
    result.setting("inter_op_num_threads", 1)
    result.setting("execution_mode", "sequential")
    result.setting("graph_optimization_level", options["graph_optimization_level"])
    result.setting("enable_cpu_mem_arena", options["memory_arena"])
    result.setting("precision", "fp32, the type of the model's tensors")


def _profiling(job: Job, result: Result, options: Dict[str, Any]) -> Any:
    """Return a session that profiles, and leave the graph that it runs."""
    made = _session_options(job, options)
    made.enable_profiling = True
    made.profile_file_prefix = result.evidence("trace")
    made.optimized_model_filepath = result.evidence("optimized.onnx")
    # Its warning that the optimized file is for this processor only: nobody will run that file.
    made.log_severity_level = 3
    return onnxruntime.InferenceSession(job.onnx, made, providers=PROVIDERS)
