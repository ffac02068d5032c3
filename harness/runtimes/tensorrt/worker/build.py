"""From a job to a serialized engine."""

import hashlib
from typing import Any, Dict, List, Optional  # noqa: F401

from harness.worker.errors import FailedError, UnsupportedError
from harness.worker.job import Job
from harness.worker.package import Network
from harness.worker.result import Result

from .dialect_legacy import Legacy, timed
from .features import Features
from .half import to_half
from .inout import set_inputs_and_outputs
from .layers import WRITERS
from .logger import Log, Redirected
from .network import Writer
from .onnx_source import parse
from .plan import Plan
from .quantize import set_dynamic_ranges


class Toolbox(object):
    """What every build of a job shares: the module, its switches, the logger, the package."""

    def __init__(
        self, trt: Any, features: Features, logger: Any, log: Log, job: Job, package: Network, result: Result
    ) -> None:
        self.trt, self.features, self.logger, self.log = trt, features, logger, log
        self.job, self.package, self.result = job, package, result
        self.ranges = {}  # type: Dict[str, float]
        self.timing_cache = b""


class Built(object):
    """A finished build.

    :param engine: what the dialect's build returned: a live engine, or its bytes
    :param serialized: the bytes, with the buffer protocol
    """

    def __init__(self, engine: Any, serialized: Any, seconds: float, kept: List[Any]) -> None:
        self.engine, self.serialized, self.seconds = engine, serialized, seconds
        # Builder and network must outlive a live engine in the versions whose bindings do not see to it.
        self.kept = kept
        view = memoryview(serialized)
        self.size = view.nbytes
        self.digest = "sha256:" + hashlib.sha256(view).hexdigest()


def kept(path: str) -> Built:
    """Return the engine that an earlier process of this build kept.

    :raises FailedError: it cannot be read
    """
    try:
        with open(path, "rb") as stream:
            return Built(None, stream.read(), 0.0, [])
    except OSError as error:
        raise FailedError("engine: cannot read what was kept: {}".format(error))


def make_builder(trt: Any, logger: Any, log: Log, gpu_present: bool) -> Any:
    """Return a builder.

    :raises UnsupportedError: there is no GPU; :raises FailedError: there is one, and it is refused
    """
    try:
        return trt.Builder(logger)
    except TypeError as error:
        if not gpu_present:
            raise UnsupportedError("this machine has no GPU, which the builder needs")
        raise FailedError("builder: " + log.reason(str(error)))


def build(tools: Toolbox, plan: Plan, dialect: Legacy, gpu_present: bool) -> Built:
    """Build one engine.

    :raises FailedError: the builder refused, with the first error it logged
    :raises UnsupportedError: this version cannot express what is asked
    """
    trt, result = tools.trt, tools.result
    tools.log.forget()
    with Redirected(trt, tools.log):
        builder = make_builder(trt, tools.logger, tools.log, gpu_present)
        network = dialect.create_network(builder)
        config = dialect.configure(builder, tools.timing_cache)
        tools.log.forget()  # 8.5 and 8.6 log errors on their own timing cache and build on
        source = _fill(tools, plan, network)
        set_inputs_and_outputs(trt, tools.features, network, config, plan, result)
        if plan.precision == "int8" and not plan.strong:
            set_dynamic_ranges(network, tools.ranges, result)
        if config is not None:
            result.setting("flags", effective_flags(trt, config))
        engine, seconds = timed(dialect.build, builder, network, config)
    if plan.timing_cache == "on" and tools.features.timing_cache:
        # Also of a build that was refused: what it timed need not be timed again.
        cache = config.get_timing_cache()
        tools.timing_cache = bytes(cache.serialize()) if cache is not None else b""
    if engine is None:
        raise FailedError("build: " + tools.log.reason("the builder returned nothing"))
    return Built(engine, dialect.serialize(engine), seconds, [builder, network, config, source])


def _fill(tools: Toolbox, plan: Plan, network: Any) -> Any:
    """Define the network; return what must stay alive until the build is over."""
    tools.result.setting("source", plan.source)
    if plan.source == "onnx":
        if tools.job.onnx is None:
            raise FailedError("job: network source onnx, but no ONNX file")
        parser = parse(tools.trt, tools.features, network, tools.logger, tools.job.onnx, plan)
        if plan.strong and plan.precision == "int8":
            raise UnsupportedError(
                "network source onnx, int8: strong typing wants Q/DQ, which the file has not"
            )
        halved = plan.strong and plan.precision == "fp16"
        return parser, to_half(tools.trt, tools.features, network) if halved else None
    writer = Writer(tools.trt, tools.features, network, plan, tools.package, tools.result, dict(tools.ranges))
    writer.write(WRITERS)
    tools.ranges.update(writer.ranges)
    return writer


def effective_flags(trt: Any, config: Any) -> List[str]:
    """Return the names of the builder flags that are set."""
    names = [name for name in dir(trt.BuilderFlag) if name.isupper()]
    return [name for name in names if config.get_flag(getattr(trt.BuilderFlag, name))]
