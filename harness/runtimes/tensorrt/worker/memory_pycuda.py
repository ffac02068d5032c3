"""Memory and streams through PyCUDA, on the context that TensorRT's own CUDA runtime uses."""

from typing import Any, Dict, List  # noqa: F401

import numpy

from harness.worker.errors import FailedError


class PyCuda(object):
    """PyCUDA on the primary context of the first visible device.

    :raises ImportError: PyCUDA is not installed, or not for this CUDA
    :raises FailedError: the driver refuses a context
    """

    name = "pycuda"

    def __init__(self) -> None:
        import pycuda
        import pycuda.driver as cuda

        self._cuda = cuda
        try:
            cuda.init()
            device = cuda.Device(0)
            # A context of its own (older PyCUDA has nothing else) works too: TensorRT takes the current one.
            primary = hasattr(device, "retain_primary_context")
            self._context = device.retain_primary_context() if primary else device.make_context()
            if primary:
                self._context.push()
        except cuda.Error as error:
            raise FailedError("pycuda: {}".format(error))
        self.library = "PyCUDA {} (CUDA {})".format(
            pycuda.VERSION_TEXT, ".".join(str(part) for part in cuda.get_version()[:2])
        )
        self._allocated = []  # type: List[Any]
        self._streams = {}  # type: Dict[int, Any]

    def allocate(self, size: int) -> int:
        """Return the address of *size* bytes of device memory."""
        block = self._cuda.mem_alloc(size)
        self._allocated.append(block)
        return int(block)

    def pinned(self, size: int) -> Any:
        """Return *size* bytes of page-locked host memory as an array of uint8."""
        return self._cuda.pagelocked_empty(size, numpy.uint8)

    def upload(self, address: int, array: Any, stream: int) -> None:
        """Enqueue a copy of a contiguous *array* to the device; waits where it is not page-locked."""
        if _page_locked(array):
            self._cuda.memcpy_htod_async(address, array, self._streams[stream])
        else:
            self._cuda.memcpy_htod(address, array)

    def download(self, array: Any, address: int, stream: int) -> None:
        """Enqueue a copy from the device; after everything on *stream* where the array is not page-locked."""
        if _page_locked(array):
            self._cuda.memcpy_dtoh_async(array, address, self._streams[stream])
        else:
            self._streams[stream].synchronize()
            self._cuda.memcpy_dtoh(array, address)

    def fill(self, address: int, size: int, stream: int) -> None:
        """Enqueue the writing of zeros over *size* bytes (a multiple of 4)."""
        self._cuda.memset_d32_async(address, 0, size // 4, self._streams[stream])

    def stream(self) -> int:
        """Return the handle of a new stream that does not wait for the default one."""
        made = self._cuda.Stream(1)
        self._streams[int(made.handle)] = made
        return int(made.handle)

    def synchronize(self, stream: int) -> None:
        """Wait until *stream* is idle."""
        self._streams[stream].synchronize()

    def event(self) -> Any:
        """Return a new event with timing."""
        return self._cuda.Event()

    def record(self, event: Any, stream: int) -> None:
        """Enqueue *event* on *stream*."""
        event.record(self._streams[stream])

    def wait(self, event: Any) -> None:
        """Wait until *event* has happened."""
        event.synchronize()

    def elapsed_ms(self, first: Any, second: Any) -> float:
        """Return the milliseconds between two events."""
        return float(second.time_since(first))


def _page_locked(array: Any) -> bool:
    # A view into page-locked memory keeps the allocation as the last of its bases.
    base = array
    while isinstance(base, numpy.ndarray):
        base = base.base
    return type(base).__name__ == "PagelockedHostAllocation"
