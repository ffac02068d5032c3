"""Dialect A, TensorRT 5.0 and 5.1: the builder holds the configuration, the batch is implicit."""

import time
from typing import Any, List, Optional, Sequence

from harness.worker.errors import FailedError
from harness.worker.result import Result

from .features import Features
from .plan import Plan


class Tensor(object):
    """An input or output of an engine.

    :param shape: with the batch, in elements of the linear layout
    :param kind: ``fp32``, ``fp16``, ``int8``
    :param layout: name of its tensor format (``LINEAR``, ``HWC8`` ...)
    """

    def __init__(self, name: str, is_input: bool, shape: Sequence[int], kind: str, layout: str) -> None:
        self.name, self.is_input = name, is_input
        self.shape, self.kind, self.layout = tuple(int(size) for size in shape), kind, layout


class Legacy(object):
    """What all dialects do, in the words of the oldest; later ones replace what changed.

    :param trt: the module; :param result: takes effective settings and what cannot be expressed
    """

    letter = "A"

    def __init__(self, trt: Any, features: Features, plan: Plan, result: Result) -> None:
        self.trt, self.features, self.plan, self.result = trt, features, plan, result

    def create_network(self, builder: Any) -> Any:
        """Return an empty network definition."""
        return builder.create_network()

    def configure(self, builder: Any, timing_cache: bytes) -> Any:
        """Set everything that does not depend on the network; return what holds flags (None: the builder).

        :param timing_cache: a serialized timing cache to begin with, or nothing
        """
        plan, result = self.plan, self.result
        builder.max_workspace_size = int(plan.options["workspace_mib"]) << 20
        builder.fp16_mode = plan.precision == "fp16"
        builder.int8_mode = plan.precision == "int8"
        builder.max_batch_size = plan.batch
        for name in ("max_workspace_size", "fp16_mode", "int8_mode", "max_batch_size"):
            result.setting("builder." + name, getattr(builder, name))
        if plan.precision == "tf32":
            result.cannot_express("precision tf32: this version knows no TF32")
        if plan.tactic_sources != "default":
            result.cannot_express("tactic_sources {}: no tactic sources".format(plan.tactic_sources))
        if plan.timing_cache == "on":
            result.cannot_express("timing_cache on: this version cannot keep one")
        if plan.options["optimization_level"] is not None:
            result.cannot_express("optimization_level: this version has none")
        return None

    def build(self, builder: Any, network: Any, config: Any) -> Optional[Any]:
        """Return the live engine, None when the builder refused."""
        return builder.build_cuda_engine(network)

    def serialize(self, engine: Any) -> Any:
        """Return the serialized form of what :meth:`build` returned, with the buffer protocol."""
        return engine.serialize()

    def load(self, runtime: Any, built: Any, plan_bytes: Any) -> Any:
        """Return an engine from its serialized form, as every version could have got it from a file."""
        return runtime.deserialize_cuda_engine(plan_bytes)

    def names(self, engine: Any) -> List[str]:
        """Return inputs and outputs in the order of :meth:`execute`'s addresses."""
        return [str(engine.get_binding_name(index)) for index in range(engine.num_bindings)]

    def tensors(self, engine: Any, context: Any) -> List[Tensor]:
        """Return inputs and outputs in the order of :meth:`names`."""
        found = []
        for index, name in enumerate(self.names(engine)):
            shape = self._with_batch(engine.get_binding_shape(index))
            kind = self.kind(engine.get_binding_dtype(index))
            layout = "LINEAR"
            if self.features.binding_format:
                layout = format_name(self.trt, engine.get_binding_format(index))
            found.append(Tensor(name, engine.binding_is_input(index), shape, kind, layout))
        return found

    def _with_batch(self, shape: Any) -> List[int]:
        sizes = [int(size) for size in shape]
        return [self.plan.batch] + sizes if self.plan.implicit else sizes

    def kind(self, data_type: Any) -> str:
        """Return ``fp32``, ``fp16`` or ``int8`` for a data type of TensorRT.

        :raises FailedError: another type
        """
        for name in ("float32", "float16", "int8"):
            if data_type == getattr(self.trt, name):
                return {"float32": "fp32", "float16": "fp16", "int8": "int8"}[name]
        raise FailedError("engine: an input or output of type {} is not understood".format(data_type))

    def bind(self, context: Any, names: Sequence[str], addresses: Sequence[int]) -> None:
        """Tell *context* where its tensors lie, where that is not part of each call."""

    def enqueuer(self, context: Any, addresses: Sequence[int], stream: int) -> Any:
        """Return a function of no arguments that enqueues one inference on *stream*.

        It returns what the context does: False for a refusal, which raises nothing by itself.
        """
        batch, bindings, call = self.plan.batch, list(addresses), context.execute_async

        def enqueue() -> Any:
            return call(batch, bindings, stream)

        return enqueue

    def executor(self, context: Any, addresses: Sequence[int]) -> Any:
        """Return a function of no arguments that runs one inference and waits, as profilers need it."""
        batch, bindings, call = self.plan.batch, list(addresses), context.execute

        def execute() -> Any:
            return call(batch, bindings)

        return execute


def format_name(trt: Any, value: Any) -> str:
    """Return the name of a member of ``TensorFormat``."""
    text = str(value)
    return text.split(".")[-1] if "." in text else text


def timed(call: Any, *arguments: Any) -> "tuple":  # type: ignore[type-arg]
    """Return what *call* returns, and the seconds it took."""
    start = time.perf_counter()
    answer = call(*arguments)
    return answer, time.perf_counter() - start
