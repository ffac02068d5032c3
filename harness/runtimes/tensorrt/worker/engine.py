"""The one engine of most jobs: built, loaded, measured, profiled."""

import os
from typing import Any, List, Mapping, Optional, Type

from harness.worker.errors import UnsupportedError
from harness.worker.measure import Pass
from harness.worker.result import KEPT

from . import inspector
from .build import Built, Toolbox, build, kept  # noqa: F401
from .dialect_legacy import Legacy
from .library import is_rtx
from .measuring import Device, describe_engine, layer_profile, open_session, take_profile
from .passes import Passes, launch_bound
from .plan import Plan
from .profile import LayerProfile  # noqa: F401
from .session import Session  # noqa: F401


class Engine(object):
    """An engine of *plan*.

    :param device: None on a machine without a GPU, where only TensorRT-RTX builds
    """

    more = False

    def __init__(
        self,
        tools: Toolbox,
        plan: Plan,
        kind: Type[Legacy],
        device: Optional[Device],
        inputs: Mapping[str, Any],
    ) -> None:
        self.tools, self.plan, self.device, self.inputs = tools, plan, device, inputs
        self.dialect = kind(tools.trt, tools.features, plan, tools.result)
        self.session = None  # type: Optional[Session]
        self._built = None  # type: Optional[Built]
        self._passes = None  # type: Optional[Passes]
        self._profile = None  # type: Optional[LayerProfile]
        self._runtime = None  # type: Any

    def build(self) -> None:
        """Build it, or take the one that an earlier process kept; state what came of it."""
        tools, result = self.tools, self.tools.result
        if tools.job.engine is not None:
            self._built = built = kept(tools.job.engine)
            result.fact("engine_bytes", built.size)
            result.fact("engine_sha256", built.digest)
            return
        self._built = built = build(tools, self.plan, self.dialect, self.device is not None)
        if tools.job.keep_engine:
            path = os.path.join(result.folder, KEPT)
            with open(path + ".part", "wb") as stream:
                stream.write(memoryview(built.serialized))
            os.replace(path + ".part", path)
        result.fact("engine_bytes", built.size)
        result.fact("engine_sha256", built.digest)
        result.fact("build_seconds", round(built.seconds, 3))
        if tools.timing_cache:
            with open(result.evidence("timing.cache"), "wb") as stream:
                stream.write(tools.timing_cache)

    def load(self) -> List[Pass]:
        """Open a session, leave outputs and description, and return the passes.

        :raises UnsupportedError: this GPU cannot load the engine, or the treatment's own pass cannot be run
        """
        tools = self.tools
        if self.device is None:
            # Only RTX comes this far without a GPU.
            tools.result.fact("not_measured", "no GPU on this machine, and an engine is loaded on one only")
            return []
        try:
            return self._open(self.device)
        except UnsupportedError as problem:
            if not is_rtx(tools.trt):
                raise
            tools.result.fact("not_measured", str(problem))
            self.session = None
            return []

    def _open(self, device: Device) -> List[Pass]:
        tools, result = self.tools, self.tools.result
        assert self._built is not None
        self.session, self._runtime = open_session(tools, self.dialect, device, self._built)
        session = self.session
        session.fill(self.inputs)
        result.outputs(session.infer())
        describe_engine(tools, session, "")
        result.fact("io_formats", {tensor.name: tensor.layout for tensor in session.tensors})
        result.fact("device_memory_bytes", inspector.device_memory_bytes(tools.features, session.engine))
        extra = tools.job.measure.passes
        self._passes = Passes(session, device.driver, device.nvml, extra, result)
        return self._passes.treatment(self.plan)

    def profile(self, iterations: int) -> None:
        """Profile layer by layer, where the engine runs."""
        if self.session is not None:
            if self._profile is None:
                self._profile = layer_profile(self.tools, self.session, "")
            take_profile(self.tools, self._profile, iterations, "")

    def close(self) -> None:
        """State the medians of the passes, and whether launching bounds them."""
        if self._passes is None:
            return
        self._passes.state()
        facts = self.tools.result.facts
        if not self.plan.cuda_graph and "latency_median_ms" in facts:
            self.tools.result.fact("launch_bound", launch_bound(facts))
