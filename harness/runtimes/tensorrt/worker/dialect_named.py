"""Dialect D, TensorRT 8.5 to 10.16: tensors by name, `execute_async_v3`, types in flags."""

from typing import Any, List, Sequence

from .dialect_legacy import Tensor, format_name
from .dialect_serialized import Serialized


class Named(Serialized):
    """As dialect C, with tensors by name instead of bindings by index."""

    letter = "D"

    def names(self, engine: Any) -> List[str]:
        """Return inputs and outputs in the order of :meth:`executor`'s addresses."""
        return [str(engine.get_tensor_name(index)) for index in range(engine.num_io_tensors)]

    def tensors(self, engine: Any, context: Any) -> List[Tensor]:
        """Return inputs and outputs in the order of :meth:`names`."""
        found = []
        for name in self.names(engine):
            is_input = engine.get_tensor_mode(name) == self.trt.TensorIOMode.INPUT
            kind = self.kind(engine.get_tensor_dtype(name))
            layout = format_name(self.trt, engine.get_tensor_format(name))
            found.append(Tensor(name, is_input, engine.get_tensor_shape(name), kind, layout))
        return found

    def bind(self, context: Any, names: Sequence[str], addresses: Sequence[int]) -> None:
        """Tell *context* where its tensors lie.

        :raises RuntimeError: it refuses an address
        """
        for name, address in zip(names, addresses):
            if not context.set_tensor_address(name, address):
                raise RuntimeError("tensor {}: the context refuses its address".format(name))

    def enqueuer(self, context: Any, addresses: Sequence[int], stream: int) -> Any:
        """Return a function of no arguments that enqueues one inference on *stream*."""
        call = context.execute_async_v3

        def enqueue() -> Any:
            return call(stream)

        return enqueue
