"""Engines taken out of TRTEngineOps: described and profiled layer by layer by plain TensorRT."""

from typing import Any, Dict, Mapping, Sequence  # noqa: F401

import numpy

from harness.runtimes.tensorrt.worker.build import Built, Toolbox
from harness.runtimes.tensorrt.worker.dialects import choose
from harness.runtimes.tensorrt.worker.features import Features
from harness.runtimes.tensorrt.worker.library import load
from harness.runtimes.tensorrt.worker.logger import Log, make_logger
from harness.runtimes.tensorrt.worker.measuring import (
    Device,
    describe_engine,
    layer_profile,
    open_session,
    take_profile,
)
from harness.runtimes.tensorrt.worker.plan import OPTIONS, Plan
from harness.worker.job import Job
from harness.worker.package import Network
from harness.worker.result import Result


class SegmentEngine(object):
    """One engine in a session of plain TensorRT; its evidence carries *suffix*.

    :param feeds: the network's inputs as the graph has them, by which its own are filled where they fit
    """

    def __init__(
        self, job: Job, package: Network, result: Result, driver: Any, data: bytes, suffix: str,
        feeds: Sequence[Any],
    ) -> None:  # fmt: skip
        trt = load("tensorrt")
        features = Features(trt)
        log = Log()
        runtime = trt.Runtime(make_logger(trt, log))
        engine = runtime.deserialize_cuda_engine(data)
        implicit = bool(getattr(engine, "has_implicit_batch_dimension", False))
        treatment = {
            "precision": job.treatment.get("precision", "fp32"),
            "batch": job.treatment.get("batch", 1),
            "batch_mode": "implicit" if implicit else "explicit",
        }  # type: Dict[str, Any]
        del engine, runtime
        plan = Plan(treatment, dict(OPTIONS, gpu_present=True), features)
        self._tools = Toolbox(trt, features, make_logger(trt, log), log, job, package, result)
        dialect = choose(trt, features, plan)(trt, features, plan, result)
        device = Device(driver, plan, result)
        # Its own profile is that of the same inference: nothing is copied in it.
        self._session, self._runtime = open_session(self._tools, dialect, device, Built(None, data, 0.0, []))
        result.fact("segment_tensorrt", str(trt.__version__))
        self._session.fill(_inputs(self._session, feeds))
        self._session.infer()
        describe_engine(self._tools, self._session, suffix)
        self._profile = layer_profile(self._tools, self._session, suffix)
        self._suffix = suffix

    def profile(self, iterations: int) -> None:
        """Profile layer by layer, a round more."""
        take_profile(self._tools, self._profile, iterations, self._suffix)


def _inputs(session: Any, feeds: Sequence[Any]) -> Mapping[str, Any]:
    """Return what the engine reads: a feed of the same shape or of its axes in the other order, or noise."""
    found = {}
    for tensor in session.tensors:
        if tensor.is_input:
            alike = [one for one in feeds if tuple(one.shape) == tuple(tensor.shape)]
            turned = [
                numpy.ascontiguousarray(one.transpose(0, 3, 1, 2)) for one in feeds if len(one.shape) == 4
            ]
            alike += [one for one in turned if tuple(one.shape) == tuple(tensor.shape)]
            noise = numpy.random.RandomState(1).uniform(-1, 1, tensor.shape).astype(numpy.float32)
            found[tensor.name] = alike[0] if alike else noise
    return found
