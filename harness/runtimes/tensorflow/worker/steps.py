"""TensorFlow: latency from a plain session, op times from the same session under FULL_TRACE."""

import os
import time
from typing import Any, Callable, Dict, List, Sequence, Tuple  # noqa: F401

from harness.worker import base
from harness.worker.cpu import cpu_facts, latency_pass, require
from harness.worker.errors import UnsupportedError
from harness.worker.job import Job
from harness.worker.measure import Pass
from harness.worker.package import read_arrays, read_network
from harness.worker.profiling import LEAST_PLAIN, Profiling, timed
from harness.worker.result import Result

from .library import VERSION, tf1
from .network import Writer
from .tensors import first_of, last_of
from .trace import Trace, nodes, options

OPTIONS = {"inter_op_threads": 1}  # type: Dict[str, Any]
HONOURED = {"precision": ["fp32"], "tensor_format": ["linear"], "source": ["auto", "api"]}
FORMATS = {"nhwc": "NHWC", "nchw": "NCHW"}
PROFILE_WARMUP, PROFILE_SETTLE = 3, 1
"""Inferences that do not count, before the first round of the profile and before each other one."""


class Worker(base.Worker):
    """One session, whose callable is fed the inputs at each inference."""

    def __init__(self, job: Job, result: Result) -> None:
        super().__init__(job, result)
        self._rounds = Profiling(result, "the same session under FULL_TRACE")
        self._trace = Trace()

    def build(self) -> None:
        """Write the graph, and make its session."""
        job, result = self.job, self.result
        require(job, HONOURED)
        said = job.options(OPTIONS)
        result.fact("tensorflow", VERSION)
        self.package = read_network(job.network, job.weights)
        self.data_format = FORMATS[str(job.treatment.get("data_format", "nhwc"))]
        begin = time.perf_counter()
        graph = tf1.Graph()
        with graph.as_default():
            self.writer = Writer(self.package, self.data_format)
            self.writer.write()
        config = tf1.ConfigProto(
            intra_op_parallelism_threads=job.threads,
            inter_op_parallelism_threads=int(said["inter_op_threads"]),
        )
        self.session = tf1.Session(graph=graph, config=config)
        result.fact("build_seconds", time.perf_counter() - begin)
        _state_settings(job, result, said, self.data_format)

    def load(self) -> Sequence[Pass]:
        """Leave the outputs, and return the latency pass.

        :raises UnsupportedError: TensorFlow has no kernel for an op in this data format
        """
        held, package = self.writer.tensors, self.package
        fetched = [held[name].tensor for name in package.outputs]
        arrays = read_arrays(self.job.inputs)
        # Images are laid as the graph has them once, outside of what is timed.
        feeds = [last_of(arrays[name]) if held[name].last else arrays[name] for name in package.inputs]
        run = self.session.make_callable(
            fetched, [held[name].tensor for name in package.inputs], accept_options=True
        )
        self._run = lambda **said: run(*feeds, **said)  # type: Callable[..., Any]
        begin = time.perf_counter()
        found = self._first()
        self.result.fact("first_inference_seconds", time.perf_counter() - begin)
        outputs = zip(package.outputs, found)
        self.result.outputs({name: first_of(array) if held[name].last else array for name, array in outputs})
        return [latency_pass(self._run)]

    def profile(self, iterations: int) -> None:
        """Run a round under FULL_TRACE; graph and op times are left anew after each."""
        if not iterations:
            return
        rounds, trace = self._rounds, self._trace
        # In each round, so that what drifts meets both.
        rounds.plain_ms += timed(self._run, PROFILE_SETTLE, max(LEAST_PLAIN, iterations))
        settle = PROFILE_SETTLE if rounds.begun else PROFILE_WARMUP
        said, told, inference_ms = options(), None, []  # type: Any, Any, List[float]
        for number in range(settle + iterations):
            told = tf1.RunMetadata()
            begin = time.perf_counter()
            self._run(options=said, run_metadata=told)
            if number >= settle:
                inference_ms.append((time.perf_counter() - begin) * 1e3)
                trace.add(told)
        rounds.add(rounds.following, settle, inference_ms)
        self.result.write_json("trace.json", trace.as_json())
        self.result.write_json("graph.json", {"nodes": nodes(told), "written": self.writer.written})

    def close(self, complete: bool) -> None:
        """State the processor and what it gives."""
        if complete:
            cpu_facts(self.job, self.result)

    def _first(self) -> List[Any]:
        """Run the first inference, which meets what this TensorFlow has no kernel for."""
        errors = tf1.errors
        try:
            return list(self._run())
        except (errors.UnimplementedError, errors.InvalidArgumentError) as error:
            if self.data_format == "NHWC":
                raise
            reason = str(error.message).splitlines()[0]
            raise UnsupportedError("data format {}: {}".format(self.data_format, reason))


def _state_settings(job: Job, result: Result, said: Dict[str, Any], data_format: str) -> None:
    result.setting("data_format", data_format)
    result.setting("intra_op_parallelism_threads", job.threads)
    result.setting("inter_op_parallelism_threads", said["inter_op_threads"])
    result.setting("feeds", "NumPy arrays at each inference, outputs fetched as arrays")
    result.setting("TF_ENABLE_ONEDNN_OPTS", os.environ.get("TF_ENABLE_ONEDNN_OPTS", "as the version has it"))
    result.setting("precision", "fp32, the type of the graph's tensors")
