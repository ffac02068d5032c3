"""Dialect B, TensorRT 6.0 to 7.2: a configuration object, live engines, bindings by index.

With implicit batch it also serves 8.0 to 9.3, whose `build_engine` and `execute_async` still work.
"""

from typing import Any, List, Optional, Sequence  # noqa: F401

from .dialect_legacy import Legacy
from .tactics import set_sources


class Configured(Legacy):
    """A builder configuration; the batch is explicit unless the plan says otherwise."""

    letter = "B"

    def create_network(self, builder: Any) -> Any:
        """Return an empty network definition with the flags of the plan."""
        return builder.create_network(self._creation_flags())

    def _creation_flags(self) -> int:
        flags = 0
        kinds = getattr(self.trt, "NetworkDefinitionCreationFlag", None)
        if self.features.explicit_batch and not self.plan.implicit:
            flags |= 1 << int(kinds.EXPLICIT_BATCH)  # type: ignore[union-attr]
        if self.features.strongly_typed and self.plan.strong:
            flags |= 1 << int(kinds.STRONGLY_TYPED)  # type: ignore[union-attr]
        return flags

    def configure(self, builder: Any, timing_cache: bytes) -> Any:
        """Return a configuration with everything set that does not depend on the network."""
        config = builder.create_builder_config()
        self._workspace(config)
        self._precision(config)
        if self.plan.implicit:
            builder.max_batch_size = self.plan.batch
        self._timing_cache(config, timing_cache)
        set_sources(self.trt, self.features, config, self.plan.tactic_sources, self.result)
        self._verbosity(config)
        self._optimization(config)
        if self.features.compute_capability:  # RTX: all of its architectures unless one is named
            self._compute_capability(config)
        return config

    def _workspace(self, config: Any) -> None:
        size = int(self.plan.options["workspace_mib"]) << 20
        if self.features.memory_pool:
            config.set_memory_pool_limit(self.trt.MemoryPoolType.WORKSPACE, size)
        else:
            config.max_workspace_size = size
        self.result.setting("workspace_bytes", size)

    def _precision(self, config: Any) -> None:
        precision, flags = self.plan.precision, self.trt.BuilderFlag
        if not self.plan.strong:
            if precision == "fp16":
                config.set_flag(flags.FP16)
            if precision == "int8":
                config.set_flag(flags.INT8)
        if self.features.tf32:  # on by default, on GPUs that have it
            if precision == "tf32":
                config.set_flag(flags.TF32)
            else:
                config.clear_flag(flags.TF32)
        elif precision == "tf32":
            self.result.cannot_express("precision tf32: this version knows no TF32")

    def _timing_cache(self, config: Any, serialized: bytes) -> None:
        if self.plan.options["disable_timing_cache"]:
            if self.features.timing_cache_flag:
                config.set_flag(self.trt.BuilderFlag.DISABLE_TIMING_CACHE)
            else:
                self.result.cannot_express("disable_timing_cache: this version has no flag for it")
        if self.plan.timing_cache != "on":
            return
        if not self.features.timing_cache:
            self.result.cannot_express("timing_cache on: this version cannot keep one")
            return
        self._cache = config.create_timing_cache(serialized)
        config.set_timing_cache(self._cache, False)
        self.result.setting("timing_cache_bytes_read", len(serialized))

    def _verbosity(self, config: Any) -> None:
        kinds = getattr(self.trt, "ProfilingVerbosity", None)
        name = next((name for name in ("DETAILED", "VERBOSE") if hasattr(kinds, name)), None)
        if name is None or not self.features.profiling_verbosity:
            self.result.cannot_express("profiling verbosity: this version has none")
            return
        config.profiling_verbosity = getattr(kinds, name)
        self.result.setting("profiling_verbosity", name)

    def _optimization(self, config: Any) -> None:
        level = self.plan.options["optimization_level"]
        if not self.features.optimization_level:
            if level is not None:
                self.result.cannot_express("optimization_level: this version has none")
            return
        if level is not None:
            config.builder_optimization_level = int(level)
        self.result.setting("optimization_level", int(config.builder_optimization_level))
        if self.features.auxiliary_streams:  # one timeline, whose layer times can be told apart
            config.max_aux_streams = 0
            self.result.setting("max_aux_streams", 0)

    def _compute_capability(self, config: Any) -> None:
        """Leave the architectures as they are where there is no GPU; dialect E knows better."""

    def build(self, builder: Any, network: Any, config: Any) -> Optional[Any]:
        """Return the live engine, None when the builder refused."""
        return builder.build_engine(network, config)

    def enqueuer(self, context: Any, addresses: Sequence[int], stream: int) -> Any:
        """Return a function of no arguments that enqueues one inference on *stream*."""
        if self.plan.implicit:
            return Legacy.enqueuer(self, context, addresses, stream)
        bindings, call = list(addresses), context.execute_async_v2

        def enqueue() -> Any:
            return call(bindings, stream)

        return enqueue

    def executor(self, context: Any, addresses: Sequence[int]) -> Any:
        """Return a function of no arguments that runs one inference and waits."""
        if self.plan.implicit:
            return Legacy.executor(self, context, addresses)
        bindings, call = list(addresses), context.execute_v2

        def execute() -> Any:
            return call(bindings)

        return execute
