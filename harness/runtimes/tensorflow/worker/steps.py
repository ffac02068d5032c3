"""TensorFlow: latency from a plain session, and the times of its ops."""

import os
import time
import traceback
from typing import Any, Callable, Dict, List, Optional, Sequence, Union  # noqa: F401

from harness.worker import base
from harness.worker.cpu import cpu_facts, latency_pass, require
from harness.worker.errors import UnsupportedError
from harness.worker.job import Job
from harness.worker.measure import Pass
from harness.worker.package import read_arrays, read_network
from harness.worker.result import Result

from .gpu import Gpu, config_of
from .library import VERSION, tf1
from .network import Writer
from .profile import CpuProfile, GpuProfile
from .running import Frozen, Running
from .tensors import first_of, last_of

OPTIONS = {"inter_op_threads": None}  # type: Dict[str, Any]
COMMON = {"tensor_format": ["linear"], "source": ["auto", "api"]}
ON_CPU = dict(COMMON, precision=["fp32"], copies=["out"])
ON_GPU = dict(COMMON, precision=["fp32", "tf32"], copies=["out", "in"])
FORMATS = {"nhwc": "NHWC", "nchw": "NCHW"}


class Worker(base.Worker):
    """One session, fed at each inference on the CPU; on a GPU its inputs lie there unless asked otherwise."""

    on_cpu, on_gpu = ON_CPU, ON_GPU

    def __init__(self, job: Job, result: Result) -> None:
        super().__init__(job, result)
        self.gpu = None  # type: Optional[Gpu]
        self._lost = []  # type: List[str]
        self._profile = None  # type: Optional[Union[CpuProfile, GpuProfile]]

    def build(self) -> None:
        """Write the graph, and make its session."""
        job, result = self.job, self.result
        require(job, self.on_gpu if job.device else self.on_cpu)
        said = job.options(self.options())
        result.fact("tensorflow", VERSION)
        if job.device:
            self.gpu = Gpu(job, result)
        self.package = read_network(job.network, job.weights)
        self.data_format = FORMATS[str(job.treatment.get("data_format", "nhwc"))]
        begin = time.perf_counter()
        graph = tf1.Graph()
        with graph.as_default():
            self.writer = Writer(self.package, self.data_format)
            self.writer.write()
        held, package = self.writer.tensors, self.package
        frozen = Frozen(
            graph.as_graph_def(),
            [held[name].tensor.op.name for name in package.inputs],
            [held[name].tensor.name for name in package.outputs],
        )
        arrays = read_arrays(job.inputs)
        # Images are laid as the graph has them once, outside of what is timed.
        self.feeds = [last_of(arrays[name]) if held[name].last else arrays[name] for name in package.inputs]
        config = config_of(job, said["inter_op_threads"])
        self.running = Running(self.converted(frozen, said), self.feeds, config, self._resident())
        result.fact("build_seconds", time.perf_counter() - begin)
        self._state_settings(config)

    def options(self) -> Dict[str, Any]:
        """Return the options that the job may have, with their defaults."""
        return OPTIONS

    def converted(self, frozen: Frozen, said: Dict[str, Any]) -> Frozen:
        """Return the graph that is run; here the one that was written.

        :param said: the job's options
        """
        return frozen

    def load(self) -> Sequence[Pass]:
        """Leave the outputs, and return the latency pass.

        :raises UnsupportedError: TensorFlow has no kernel for an op in this data format
        """
        held, package = self.writer.tensors, self.package
        begin = time.perf_counter()
        found = self._first()
        self.result.fact("first_inference_seconds", time.perf_counter() - begin)
        outputs = zip(package.outputs, found)
        self.result.outputs({name: first_of(array) if held[name].last else array for name, array in outputs})
        run = self.running.inference()
        if self.gpu is None:
            self._profile = CpuProfile(self.result, run, self.writer.written)
            return [latency_pass(run)]
        plain = self.running.plain() if self.running.resident else run
        self._profile = GpuProfile(self.result, plain, run, self.writer.written)
        return [_gpu_pass(plain, self.gpu)]

    def profile(self, iterations: int) -> None:
        """Have the session profiled, a round more, unless *iterations* is 0."""
        if not iterations or self._profile is None:
            return
        if self.gpu is None:
            self._profile.take(iterations)
        else:
            self.tried("profile", self._profile.take, iterations)

    def tried(self, what: str, step: Callable[..., Any], *arguments: Any) -> Any:
        """Return what *step* returns; where it fails, None, and *what* is stated as not to be had.

        Latencies are whole without it: the profilers of a GPU need rights that not every host gives.
        """
        if what in self._lost:
            return None
        try:
            return step(*arguments)
        except Exception as error:
            traceback.print_exc()
            self._lost.append(what)
            self.result.cannot_express("{}: {}: {}".format(what, type(error).__name__, error))
            return None

    def close(self, complete: bool) -> None:
        """State the processor and what it gives, or what the GPU's clocks were."""
        if self.gpu is not None:
            self.gpu.look()
            self.gpu.close()
        elif complete:
            cpu_facts(self.job, self.result)

    def _resident(self) -> bool:
        return bool(self.job.device) and self.job.treatment.get("copies", "out") == "out"

    def _first(self) -> List[Any]:
        """Run the first inference, which meets what this TensorFlow has no kernel for."""
        errors = tf1.errors
        try:
            return self.running.outputs()
        except (errors.UnimplementedError, errors.InvalidArgumentError) as error:
            if self.data_format == "NHWC":
                raise
            reason = str(error.message).splitlines()[0]
            raise UnsupportedError("data format {}: {}".format(self.data_format, reason))

    def _state_settings(self, config: Any) -> None:
        result = self.result
        result.setting("data_format", self.data_format)
        result.setting("intra_op_parallelism_threads", config.intra_op_parallelism_threads)
        result.setting("inter_op_parallelism_threads", config.inter_op_parallelism_threads)
        feeds = "NumPy arrays at each inference, outputs fetched as arrays"
        if self.running.resident:
            feeds = "on the GPU before the first inference, outputs stay there"
        result.setting("feeds", feeds)
        said = os.environ.get("TF_ENABLE_ONEDNN_OPTS", "as the version has it")
        result.setting("TF_ENABLE_ONEDNN_OPTS", said)
        precision = str(self.job.treatment.get("precision", "fp32"))
        kinds = {"fp32": "fp32, the type of the graph's tensors", "tf32": "tf32 where a kernel has it"}
        result.setting("precision", kinds.get(precision, precision))


def _gpu_pass(infer: Callable[..., Any], gpu: Gpu) -> Pass:
    """Return the latency pass: wall time around one inference, at whose end the GPU is idle."""
    clock = time.perf_counter

    def sample() -> Dict[str, float]:
        begin = clock()
        infer()
        taken = (clock() - begin) * 1e3
        return {"latency_ms": taken, "host_ms": taken}

    return Pass("latency", sample, "host", gpu.tick)
