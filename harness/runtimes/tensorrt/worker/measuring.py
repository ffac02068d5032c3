"""A built engine on the device: its session, what it says of itself, its layers' times."""

import os
from typing import Any, Tuple

from harness.worker.errors import FailedError, UnsupportedError
from harness.worker.result import Result

from . import inspector
from .build import Built, Toolbox
from .dialect_legacy import Legacy
from .logger import Redirected
from .memory import open_memory
from .nvml import Nvml
from .plan import Plan
from .profile import LayerProfile, profile_json, samples_json
from .quantize import scale_of
from .session import Session


class Device(object):
    """The GPU of this job: driver, memory back end, NVML; states itself in *result*."""

    def __init__(self, driver: Any, plan: Plan, result: Result) -> None:
        self.driver = driver
        self.memory, problems = open_memory(str(plan.options["memory"]))
        result.fact("memory_back_end", self.memory.name)
        result.fact("cuda_runtime", self.memory.library)
        result.fact("memory_back_ends_passed_over", problems)
        self.nvml = Nvml(str(result.facts["uuid"]))
        result.fact("driver", self.nvml.driver_version())
        if self.nvml.problem:
            result.cannot_express("clocks and temperature: " + self.nvml.problem)
        else:
            for name, value in self.nvml.maximum_mhz().items():
                result.fact("gpu_maximum_{}_mhz".format(name), value)


def open_session(tools: Toolbox, dialect: Legacy, device: Device, built: Built) -> Tuple[Session, Any]:
    """Return a session over *built*'s engine, and the runtime that must outlive it.

    :raises UnsupportedError: this GPU cannot load the engine
    """
    trt = tools.trt
    with Redirected(trt, tools.log):
        tools.log.forget()
        runtime = trt.Runtime(tools.logger)
        engine = dialect.load(runtime, built.engine, built.serialized)
        if engine is None:
            raise UnsupportedError("engine: " + tools.log.reason("not accepted by this GPU"))
        scales = {name: scale_of(tools.ranges, name) for name in tools.ranges}
        session = Session(dialect, engine, device.memory, tools.package.shapes, scales)
    return session, runtime


def describe_engine(tools: Toolbox, session: Session, suffix: str) -> None:
    """Write what the engine says of its layers and of its inputs and outputs."""
    result = tools.result
    text = inspector.layers(tools.trt, tools.features, session.engine, session.context)
    if text is None:
        result.cannot_express("engine information: this version has no inspector")
    else:
        path = result.evidence("layers{}.json".format(suffix))
        with open(path + ".part", "w", encoding="utf-8") as stream:
            stream.write(text)
        os.replace(path + ".part", path)
    result.write_json("tensors{}.json".format(suffix), inspector.tensors_json(session))


def take_profile(tools: Toolbox, taken: LayerProfile, iterations: int, suffix: str) -> None:
    """Profile layer by layer, a round more, unless *iterations* is 0.

    :raises FailedError: the profiler was told nothing
    """
    if not iterations:
        return
    taken.take(iterations)
    samples = samples_json(taken.runs, taken.of_other_layers)
    if not samples["layers"]:
        raise FailedError("profile: the profiler was told of no layer")
    tools.result.write_json("profile_samples{}.json".format(suffix), samples)
    tools.result.write_json("profile{}.json".format(suffix), profile_json(samples))


def layer_profile(tools: Toolbox, session: Session, suffix: str) -> LayerProfile:
    """Return what profiles *session*; nothing is profiled yet."""
    return LayerProfile(tools.trt, tools.features.report_to_profiler, session, tools.result, suffix)
