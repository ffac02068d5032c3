"""The CUDA driver through ctypes: what the device is, and capture of graphs.

Both are the same whichever way memory and streams are reached, and every machine with a GPU has the library.
"""

import ctypes
from typing import Any, Dict, Optional

from harness.worker.errors import FailedError

# CUdevice_attribute of cuda.h; none of them ever changed its number.
ATTRIBUTES = {
    "multiprocessors": 16,
    "clock_khz": 13,
    "memory_clock_khz": 36,
    "memory_bus_bits": 37,
    "l2_bytes": 38,
    "compute_capability_major": 75,
    "compute_capability_minor": 76,
}
RELAXED = 2  # CUstreamCaptureMode: other threads of TensorRT may allocate meanwhile


def open_driver() -> Optional[Any]:
    """Return the driver's library, None where there is none or it finds no device."""
    for name in ("libcuda.so.1", "libcuda.so"):
        try:
            library = ctypes.CDLL(name)
        except OSError:
            continue
        count = ctypes.c_int(0)
        if library.cuInit(0) == 0 and library.cuDeviceGetCount(ctypes.byref(count)) == 0 and count.value:
            return library
    return None


def check(status: int, call: str) -> None:
    """Raise on a status other than CUDA_SUCCESS.

    :raises FailedError: with the driver's number
    """
    if status:
        raise FailedError("cuda: {} gave error {}".format(call, status))


def describe(driver: Any) -> Dict[str, Any]:
    """Return facts about the first visible device: name, UUID, compute capability, sizes, clocks."""
    device = ctypes.c_int(0)
    check(driver.cuDeviceGet(ctypes.byref(device), 0), "cuDeviceGet")
    name = ctypes.create_string_buffer(256)
    check(driver.cuDeviceGetName(name, 256, device), "cuDeviceGetName")
    facts = {"gpu": name.value.decode("utf-8", "replace")}  # type: Dict[str, Any]
    facts["uuid"] = _uuid(driver, device)
    values = {key: _attribute(driver, device, number) for key, number in ATTRIBUTES.items()}
    major, minor = values.pop("compute_capability_major"), values.pop("compute_capability_minor")
    facts["compute_capability"] = "{}.{}".format(major, minor)
    facts.update(("gpu_" + key, value) for key, value in values.items())
    version = ctypes.c_int(0)
    check(driver.cuDriverGetVersion(ctypes.byref(version)), "cuDriverGetVersion")
    facts["cuda_driver"] = "{}.{}".format(version.value // 1000, version.value % 1000 // 10)
    total = ctypes.c_size_t(0)
    if driver.cuDeviceTotalMem_v2(ctypes.byref(total), device) == 0:
        facts["gpu_memory_bytes"] = total.value
    return facts


def _uuid(driver: Any, device: Any) -> str:
    raw = (ctypes.c_ubyte * 16)()
    check(driver.cuDeviceGetUuid(ctypes.byref(raw), device), "cuDeviceGetUuid")
    text = "".join("{:02x}".format(byte) for byte in raw)
    return "GPU-" + "-".join((text[:8], text[8:12], text[12:16], text[16:20], text[20:]))


def _attribute(driver: Any, device: Any, number: int) -> int:
    value = ctypes.c_int(0)
    check(driver.cuDeviceGetAttribute(ctypes.byref(value), number, device), "cuDeviceGetAttribute")
    return value.value


class CapturedGraph(object):
    """A CUDA graph of what *enqueue* puts on *stream*, ready for replay.

    :param stream: handle of a stream that is not the default one
    :raises FailedError: the work cannot be captured, with the call that said so
    """

    def __init__(self, driver: Any, enqueue: Any, stream: int) -> None:
        self._driver, self._stream = driver, ctypes.c_void_p(stream)
        graph = ctypes.c_void_p()
        check(driver.cuStreamBeginCapture_v2(self._stream, RELAXED), "cuStreamBeginCapture")
        answer = None
        try:
            answer = enqueue()
        finally:
            # Always: a stream left in capture would refuse everything that follows.
            status = driver.cuStreamEndCapture(self._stream, ctypes.byref(graph))
        check(status, "cuStreamEndCapture")
        if answer is False:
            raise FailedError("cuda graph: the context refused an inference under capture")
        self._executable = ctypes.c_void_p()
        check(self._instantiate(graph), "cuGraphInstantiate")

    def _instantiate(self, graph: Any) -> int:
        driver, target = self._driver, ctypes.byref(self._executable)
        if hasattr(driver, "cuGraphInstantiateWithFlags"):  # CUDA 11.4
            return int(driver.cuGraphInstantiateWithFlags(target, graph, ctypes.c_ulonglong(0)))
        return int(driver.cuGraphInstantiate(target, graph, None, None, ctypes.c_size_t(0)))

    def launch(self) -> None:
        """Enqueue one replay.

        :raises FailedError: the driver refuses it
        """
        check(self._driver.cuGraphLaunch(self._executable, self._stream), "cuGraphLaunch")
