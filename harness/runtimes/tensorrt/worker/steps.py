"""TensorRT and TensorRT-RTX: build the network, measure it, bring home what the runtime says.

Imports TensorRT itself only in :meth:`Worker.build`, since the GPU must be chosen before CUDA is loaded.
"""

import os
from typing import Any, Dict, Optional, Sequence, Union  # noqa: F401

from harness.worker import base
from harness.worker.errors import UnsupportedError
from harness.worker.job import Job
from harness.worker.measure import Pass
from harness.worker.package import read_arrays, read_network
from harness.worker.result import Result

from . import driver as cuda
from .build import Toolbox
from .dialects import choose, letter_of
from .engine import Engine
from .features import Features
from .formats import FormatTrials
from .library import load
from .logger import Log, make_logger
from .measuring import Device
from .plan import OPTIONS, Plan
from .ranges import tensor_ranges


class Worker(base.Worker):
    """One engine, or with the option ``formats`` one for each tensor format."""

    def __init__(self, job: Job, result: Result) -> None:
        super().__init__(job, result)
        self._log = Log()
        self._device = None  # type: Optional[Device]
        self._engine = None  # type: Optional[Union[Engine, FormatTrials]]

    def build(self) -> None:
        """Build the engine, or the next of several."""
        if self._engine is not None:  # the next of several, whose log is written when all are built
            self._engine.build()
        else:
            try:
                self._engine = self._begin()
                self._engine.build()
            finally:
                self._write_log()
        self.more = self._engine.more

    def load(self) -> Sequence[Pass]:
        """Open a session over the engine, and return the passes to measure."""
        return self._made().load()

    def warm_up(self, one: Pass, seconds: float) -> int:
        """Warm up, after a look at the clocks."""
        self._look()
        return super().warm_up(one, seconds)

    def profile(self, iterations: int) -> None:
        """Profile layer by layer, after a look at the clocks."""
        self._look()
        self._made().profile(iterations)

    def close(self, complete: bool) -> None:
        """Leave the builder's log, the clocks and the medians."""
        self._look()
        if self._engine is not None:
            self._engine.close()
        if self._device is not None:
            nvml = self._device.nvml
            self.result.write_json("nvml.json", {"problem": nvml.problem, "samples": nvml.samples})
            for name, value in nvml.measured().items():
                self.result.fact(name, value)
        if self._log.lines:
            self._write_log()

    def _write_log(self) -> None:
        # What is said while a kept engine is loaded is no builder's log, and is not read as one.
        name = "build.log.gz" if self.job.engine is None else "load.log.gz"
        self._log.write(self.result.evidence(name))

    def _made(self) -> Union[Engine, FormatTrials]:
        assert self._engine is not None
        return self._engine

    def _look(self) -> None:
        if self._device is not None:
            self._device.nvml.sample()

    def _begin(self) -> Union[Engine, FormatTrials]:
        job, result = self.job, self.result
        if job.device:
            os.environ["CUDA_VISIBLE_DEVICES"] = job.device
        options = job.options(OPTIONS)
        trt = load(str(job.cell.get("runtime", "tensorrt")))
        result.fact("tensorrt", str(trt.__version__))
        driver = cuda.open_driver()
        if driver is not None:
            for name, value in cuda.describe(driver).items():
                result.fact(name, value)
        features = Features(trt)
        options["gpu_present"] = driver is not None
        plan = Plan(job.treatment, options, features)
        logger = make_logger(trt, self._log)
        package = read_network(job.network, job.weights)
        tools = Toolbox(trt, features, logger, self._log, job, package, result)
        inputs = read_arrays(job.inputs)
        if plan.precision == "int8":
            tools.ranges = tensor_ranges(package, inputs)
        tools.timing_cache = _timing_cache(job, plan)
        kind = choose(trt, features, plan)
        _state(tools, plan, kind.letter)
        if driver is not None:
            self._device = Device(driver, plan, result)
        if not plan.options["formats"]:
            return Engine(tools, plan, kind, self._device, inputs)
        if self._device is None:
            raise UnsupportedError("formats: this machine has no GPU to try them on")
        return FormatTrials(tools, plan, kind, self._device, inputs)


def _state(tools: Toolbox, plan: Plan, letter: str) -> None:
    result = tools.result
    result.fact("dialect", letter)
    result.fact("dialect_of_version", letter_of(tools.features))
    result.setting("batch_mode", "implicit" if plan.implicit else "explicit")
    result.setting("typing", "strong" if plan.strong else "weak")
    result.setting("precision", plan.precision)
    result.fact("precision", plan.precision)
    if plan.timing_cache == "on":
        result.setting("timing_cache", "from a file" if tools.timing_cache else "new, left in timing.cache")
    elif plan.options["disable_timing_cache"]:
        result.setting("timing_cache", "none")
    else:
        result.setting("timing_cache", "within the build")


def _timing_cache(job: Job, plan: Plan) -> bytes:
    name = plan.options["timing_cache_file"]
    path = os.path.join(job.folder, str(name)) if name else ""
    if plan.timing_cache != "on" or not os.path.isfile(path):
        return b""
    with open(path, "rb") as stream:
        return stream.read()
