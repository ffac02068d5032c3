"""Memory and streams through NVIDIA's cuda-python."""

import ctypes
from typing import Any, Tuple

import numpy

from harness.worker.errors import FailedError


class CudaPython(object):
    """The runtime interface of cuda-python: ``cuda.bindings.runtime`` (12.6 on) or ``cuda.cudart``.

    :raises ImportError: it is not installed
    """

    name = "cuda_python"

    def __init__(self) -> None:
        try:
            from cuda.bindings import runtime as cudart
        except ImportError:
            from cuda import cudart
        self._cuda = cudart
        version = int(self._call("cudaRuntimeGetVersion")[0])
        self.library = "cuda-python (CUDA {}.{})".format(version // 1000, version % 1000 // 10)
        self._call("cudaSetDevice", 0)

    def _call(self, name: str, *arguments: Any) -> Tuple[Any, ...]:
        answer = getattr(self._cuda, name)(*arguments)
        if int(answer[0]):
            raise FailedError("cuda: {}: {}".format(name, answer[0]))
        return tuple(answer[1:])

    def allocate(self, size: int) -> int:
        """Return the address of *size* bytes of device memory."""
        return int(self._call("cudaMalloc", size)[0])

    def pinned(self, size: int) -> Any:
        """Return *size* bytes of page-locked host memory as an array of uint8."""
        address = int(self._call("cudaMallocHost", size)[0])
        return numpy.ctypeslib.as_array((ctypes.c_ubyte * size).from_address(address))

    def upload(self, address: int, array: Any, stream: int) -> None:
        """Enqueue a copy of a contiguous *array* to the device."""
        kind = self._cuda.cudaMemcpyKind.cudaMemcpyHostToDevice
        self._call("cudaMemcpyAsync", address, array.ctypes.data, array.nbytes, kind, stream)

    def download(self, array: Any, address: int, stream: int) -> None:
        """Enqueue a copy from the device into a contiguous *array*."""
        kind = self._cuda.cudaMemcpyKind.cudaMemcpyDeviceToHost
        self._call("cudaMemcpyAsync", array.ctypes.data, address, array.nbytes, kind, stream)

    def fill(self, address: int, size: int, stream: int) -> None:
        """Enqueue the writing of zeros over *size* bytes."""
        self._call("cudaMemsetAsync", address, 0, size, stream)

    def stream(self) -> int:
        """Return the handle of a new stream that does not wait for the default one."""
        return int(self._call("cudaStreamCreateWithFlags", 1)[0])

    def synchronize(self, stream: int) -> None:
        """Wait until *stream* is idle."""
        self._call("cudaStreamSynchronize", stream)

    def event(self) -> Any:
        """Return a new event with timing."""
        return self._call("cudaEventCreate")[0]

    def record(self, event: Any, stream: int) -> None:
        """Enqueue *event* on *stream*."""
        self._call("cudaEventRecord", event, stream)

    def wait(self, event: Any) -> None:
        """Wait until *event* has happened."""
        self._call("cudaEventSynchronize", event)

    def elapsed_ms(self, first: Any, second: Any) -> float:
        """Return the milliseconds between two events."""
        return float(self._call("cudaEventElapsedTime", first, second)[0])
