"""Memory and streams through ctypes on the CUDA runtime library."""

import ctypes
import glob
import os
import sys
from typing import Any, Iterator

import numpy

from harness.worker.errors import FailedError

_NAMES = ["libcudart.so"] + [
    "libcudart.so." + version for version in ("13", "12", "11.0", "10.2", "10.1", "10.0")
]
HOST_TO_DEVICE, DEVICE_TO_HOST = 1, 2


def _candidates() -> Iterator[str]:
    for name in _NAMES:
        yield name
    for folder in sys.path:  # as the wheel nvidia-cuda-runtime-* has it
        for path in sorted(glob.glob(os.path.join(folder, "nvidia", "*", "lib", "libcudart.so*"))):
            yield path
    for path in sorted(glob.glob("/usr/local/cuda*/lib64/libcudart.so*")):
        yield path


class Runtime(object):
    """The CUDA runtime library that is found first.

    :raises OSError: none is found
    """

    name = "ctypes"

    def __init__(self) -> None:
        for path in _candidates():
            try:
                self._cuda = ctypes.CDLL(path)
            except OSError:
                continue
            break
        else:
            raise OSError("no libcudart found; put its folder into LD_LIBRARY_PATH")
        version = ctypes.c_int(0)
        self._check(self._cuda.cudaRuntimeGetVersion(ctypes.byref(version)), "cudaRuntimeGetVersion")
        self.library = "{} (CUDA {}.{})".format(
            os.path.basename(path), version.value // 1000, version.value % 1000 // 10
        )
        self._check(self._cuda.cudaSetDevice(0), "cudaSetDevice")
        self._elapsed = ctypes.c_float(0.0)

    def _check(self, status: int, call: str) -> None:
        if status:
            self._cuda.cudaGetErrorString.restype = ctypes.c_char_p
            text = self._cuda.cudaGetErrorString(status)
            raise FailedError(
                "cuda: {}: {}".format(call, text.decode("utf-8", "replace") if text else status)
            )

    def allocate(self, size: int) -> int:
        """Return the address of *size* bytes of device memory."""
        address = ctypes.c_void_p()
        self._check(self._cuda.cudaMalloc(ctypes.byref(address), ctypes.c_size_t(size)), "cudaMalloc")
        return int(address.value or 0)

    def pinned(self, size: int) -> Any:
        """Return *size* bytes of page-locked host memory as an array of uint8."""
        address = ctypes.c_void_p()
        status = self._cuda.cudaHostAlloc(ctypes.byref(address), ctypes.c_size_t(size), ctypes.c_uint(0))
        self._check(status, "cudaHostAlloc")
        return numpy.ctypeslib.as_array((ctypes.c_ubyte * size).from_address(int(address.value or 0)))

    def _copy(self, target: int, source: int, size: int, kind: int, stream: int) -> None:
        status = self._cuda.cudaMemcpyAsync(
            ctypes.c_void_p(target),
            ctypes.c_void_p(source),
            ctypes.c_size_t(size),
            kind,
            ctypes.c_void_p(stream),
        )
        self._check(status, "cudaMemcpyAsync")

    def upload(self, address: int, array: Any, stream: int) -> None:
        """Enqueue a copy of a contiguous *array* to the device."""
        self._copy(address, array.ctypes.data, array.nbytes, HOST_TO_DEVICE, stream)

    def download(self, array: Any, address: int, stream: int) -> None:
        """Enqueue a copy from the device into a contiguous *array*."""
        self._copy(array.ctypes.data, address, array.nbytes, DEVICE_TO_HOST, stream)

    def fill(self, address: int, size: int, stream: int) -> None:
        """Enqueue the writing of zeros over *size* bytes."""
        status = self._cuda.cudaMemsetAsync(
            ctypes.c_void_p(address), 0, ctypes.c_size_t(size), ctypes.c_void_p(stream)
        )
        self._check(status, "cudaMemsetAsync")

    def stream(self) -> int:
        """Return the handle of a new stream that does not wait for the default one."""
        handle = ctypes.c_void_p()
        non_blocking = ctypes.c_uint(1)
        status = self._cuda.cudaStreamCreateWithFlags(ctypes.byref(handle), non_blocking)
        self._check(status, "cudaStreamCreateWithFlags")
        return int(handle.value or 0)

    def synchronize(self, stream: int) -> None:
        """Wait until *stream* is idle."""
        self._check(self._cuda.cudaStreamSynchronize(ctypes.c_void_p(stream)), "cudaStreamSynchronize")

    def event(self) -> Any:
        """Return a new event with timing."""
        handle = ctypes.c_void_p()
        self._check(self._cuda.cudaEventCreate(ctypes.byref(handle)), "cudaEventCreate")
        return handle

    def record(self, event: Any, stream: int) -> None:
        """Enqueue *event* on *stream*."""
        self._check(self._cuda.cudaEventRecord(event, ctypes.c_void_p(stream)), "cudaEventRecord")

    def wait(self, event: Any) -> None:
        """Wait until *event* has happened."""
        self._check(self._cuda.cudaEventSynchronize(event), "cudaEventSynchronize")

    def elapsed_ms(self, first: Any, second: Any) -> float:
        """Return the milliseconds between two events."""
        status = self._cuda.cudaEventElapsedTime(ctypes.byref(self._elapsed), first, second)
        self._check(status, "cudaEventElapsedTime")
        return float(self._elapsed.value)
