"""TensorRT and TensorRT-RTX: build the network, measure it, bring home what the runtime says.

Imports TensorRT itself only in :func:`run`, since the GPU must be chosen before CUDA is loaded.
"""

import os
from typing import Any, Dict, Optional  # noqa: F401

from harness.worker.errors import FailedError, UnsupportedError
from harness.worker.job import Job
from harness.worker.package import read_arrays, read_network
from harness.worker.result import Result

from . import driver as cuda
from .build import Built, Toolbox, build
from .dialects import choose, letter_of
from .features import Features
from .formats import try_formats
from .library import is_rtx, load
from .logger import Log, make_logger
from .measuring import Device, measure_engine
from .plan import OPTIONS, Plan
from .ranges import tensor_ranges


def run(job: Job, result: Result) -> None:
    """Do *job*.

    :raises FailedError: :raises UnsupportedError: as :mod:`harness.worker.errors` says
    """
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
    log = Log()
    tools = Toolbox(
        trt, features, make_logger(trt, log), log, job, read_network(job.network, job.weights), result
    )
    try:
        _work(tools, plan, driver)
    finally:
        log.write(result.evidence("build.log.gz"))


def _work(tools: Toolbox, plan: Plan, driver: Optional[Any]) -> None:
    job, result = tools.job, tools.result
    inputs = read_arrays(job.inputs)
    if plan.precision == "int8":
        tools.ranges = tensor_ranges(tools.package, inputs)
    tools.timing_cache = _timing_cache(job, plan)
    kind = choose(tools.trt, tools.features, plan)
    _state(tools, plan, kind.letter)
    device = None if driver is None else Device(driver, plan, result)
    if plan.options["formats"]:
        if device is None:
            raise UnsupportedError("formats: this machine has no GPU to try them on")
        try_formats(tools, plan, kind, device, inputs)
        return
    dialect = kind(tools.trt, tools.features, plan, result)
    built = build(tools, plan, dialect, driver is not None)
    _facts(tools, built)
    if device is None:
        # Only RTX comes this far without a GPU.
        result.fact("not_measured", "no GPU on this machine, and an engine is loaded on one only")
        return
    try:
        measure_engine(tools, plan, dialect, device, built, inputs)
    except UnsupportedError as problem:
        if not is_rtx(tools.trt):
            raise
        result.fact("not_measured", str(problem))


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


def _facts(tools: Toolbox, built: Built) -> None:
    result = tools.result
    result.fact("engine_bytes", built.size)
    result.fact("engine_sha256", built.digest)
    result.fact("build_seconds", round(built.seconds, 3))
    if tools.timing_cache:
        with open(result.evidence("timing.cache"), "wb") as stream:
            stream.write(tools.timing_cache)


__all__ = ["FailedError", "run"]
