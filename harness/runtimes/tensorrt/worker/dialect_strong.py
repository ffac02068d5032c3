"""Dialect E, TensorRT 11 and TensorRT-RTX: types lie in the graph; no precision flags."""

from typing import Any

from .dialect_named import Named


class Strong(Named):
    """As dialect D, without weak typing; RTX builds for the compute capabilities it is told."""

    letter = "E"

    def _compute_capability(self, config: Any) -> None:
        # Without a GPU there is no current one: the engine then carries all architectures of the version.
        if not self.plan.options.get("gpu_present"):
            self.result.setting("compute_capabilities", "all of the version's own")
            return
        config.set_compute_capability(self.trt.ComputeCapability.CURRENT, 0)
        self.result.setting("compute_capabilities", "CURRENT")

    def _timing_cache(self, config: Any, serialized: bytes) -> None:
        if self.features.compute_capability:
            if self.plan.timing_cache == "on":
                self.result.cannot_express("timing_cache on: TensorRT-RTX takes one and ignores it")
            return
        Named._timing_cache(self, config, serialized)
