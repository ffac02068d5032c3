"""An engine with its buffers on the device: one inference, and its time, in several ways."""

import time
from typing import Any, Callable, Dict, List, Mapping, Optional  # noqa: F401

import numpy

from harness.worker.errors import FailedError

from .dialect_legacy import Legacy, Tensor  # noqa: F401
from .driver import CapturedGraph
from .layouts import byte_size, pack, unpack


def accepted(answer: Any) -> None:
    """Raise when a context answered False: it did nothing, and nothing is quickly done.

    :raises FailedError: the context refused
    """
    if answer is False:
        raise FailedError("engine: the context refused an inference; see the log")


class Session(object):
    """One execution context over one set of buffers, which live as long as it does.

    :param memory: a back end of :mod:`harness.runtimes.tensorrt.worker.memory`
    :param shapes: tensor name to its shape in the network package (an engine may state another rank)
    :param scales: tensor name to the step of its INT8 grid, for tensors of that type
    :raises FailedError: the engine gives no context
    """

    def __init__(
        self,
        dialect: Legacy,
        engine: Any,
        memory: Any,
        shapes: Mapping[str, Any],
        scales: Mapping[str, float],
    ) -> None:
        self.dialect, self.engine, self.memory = dialect, engine, memory
        self.context = engine.create_execution_context()
        if self.context is None:
            raise FailedError("engine: no execution context; see the log")
        self.shapes, self.scales = shapes, scales
        self.stream = memory.stream()
        self.tensors = dialect.tensors(engine, self.context)
        self.sizes = [byte_size(tensor.shape, tensor.layout, tensor.kind) for tensor in self.tensors]
        # A vectorised kernel may read whole vectors past the end; a line of reserve costs nothing.
        self.addresses = [memory.allocate(size + 512) for size in self.sizes]
        self.host = [memory.pinned(size) for size in self.sizes]
        dialect.bind(self.context, [tensor.name for tensor in self.tensors], self.addresses)
        self.enqueue = dialect.enqueuer(self.context, self.addresses, self.stream)
        self.execute = dialect.executor(self.context, self.addresses)

    def fill(self, inputs: Mapping[str, Any]) -> None:
        """Copy *inputs* (float32, batch first) to the device.

        :raises FailedError: an input of the engine is not among them, or of another size
        """
        for index, tensor in enumerate(self.tensors):
            if not tensor.is_input:
                continue
            if tensor.name not in inputs:
                raise FailedError("inputs: the engine reads '{}', which is not there".format(tensor.name))
            packed = pack(
                inputs[tensor.name].reshape(tensor.shape),
                tensor.layout,
                tensor.kind,
                self.scales.get(tensor.name, 1.0),
            )
            self.host[index][:] = packed.reshape(-1).view(numpy.uint8)
        self.upload()
        self.memory.synchronize(self.stream)

    def upload(self) -> None:
        """Enqueue the copies of all inputs."""
        for index, tensor in enumerate(self.tensors):
            if tensor.is_input:
                self.memory.upload(self.addresses[index], self.host[index], self.stream)

    def download(self) -> None:
        """Enqueue the copies of all outputs."""
        for index, tensor in enumerate(self.tensors):
            if not tensor.is_input:
                self.memory.download(self.host[index], self.addresses[index], self.stream)

    def infer(self) -> Dict[str, Any]:
        """Run one inference and return the outputs, float32 in the shapes of the network package."""
        accepted(self.enqueue())
        self.download()
        self.memory.synchronize(self.stream)
        found = {}
        for index, tensor in enumerate(self.tensors):
            if not tensor.is_input:
                values = unpack(
                    self.host[index],
                    tensor.shape,
                    tensor.layout,
                    tensor.kind,
                    self.scales.get(tensor.name, 1.0),
                )
                found[tensor.name] = values.reshape(self.shapes.get(tensor.name, tensor.shape))
        return found

    def capture(self, driver: Any) -> CapturedGraph:
        """Return a CUDA graph of one inference.

        :raises FailedError: it cannot be captured
        """
        accepted(self.enqueue())  # whatever is allocated at the first inference must be, before the capture
        self.memory.synchronize(self.stream)
        return CapturedGraph(driver, self.enqueue, self.stream)

    def sampler(self, enqueue: Callable[[], Any], copies: bool) -> Callable[[], Dict[str, float]]:
        """Return a function that times one inference: GPU, enqueue and host, in milliseconds.

        :param enqueue: puts one inference on the session's stream
        :param copies: host-device copies lie inside the timed region
        """
        record, wait, elapsed = self.memory.record, self.memory.wait, self.memory.elapsed_ms
        start, end, stream = self.memory.event(), self.memory.event(), self.stream
        clock, upload, download = time.perf_counter, self.upload, self.download

        def sample() -> Dict[str, float]:
            begin = clock()
            record(start, stream)
            if copies:
                upload()
            before = clock()
            answer = enqueue()
            after = clock()
            if copies:
                download()
            record(end, stream)
            wait(end)
            finish = clock()
            accepted(answer)
            return {
                "latency_ms": elapsed(start, end),
                "enqueue_ms": (after - before) * 1e3,
                "host_ms": (finish - begin) * 1e3,
            }

        return sample

    def flusher(self, cache_bytes: int) -> Callable[[], None]:
        """Return a function that drives everything out of the L2 cache by writing twice its size."""
        size = max(2 * cache_bytes, 1 << 20) // 4 * 4
        address, memory, stream = self.memory.allocate(size), self.memory, self.stream

        def flush() -> None:
            memory.fill(address, size, stream)
            memory.synchronize(stream)

        return flush
