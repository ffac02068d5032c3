"""Clocks, temperature, power and throttle reasons by time stamp, through ctypes on the NVML library."""

import ctypes
import time
from typing import Any, Dict, List, Optional

from harness.worker.measure import now_ns

SM, MEMORY = 1, 2  # nvmlClockType_t
_LIBRARIES = ("libnvidia-ml.so.1", "libnvidia-ml.so")


class Nvml(object):
    """Samples of one GPU; nothing is sampled, and ``problem`` says why, where NVML is missing.

    :param uuid: of the GPU, as CUDA states it
    :param interval: least seconds between two samples of :meth:`tick`
    """

    def __init__(self, uuid: str, interval: float = 0.1) -> None:
        self.samples = []  # type: List[Dict[str, Any]]
        self._measured = []  # type: List[Dict[str, Any]]
        self.problem = ""
        self._interval, self._next = interval, 0.0
        self._library = None  # type: Optional[Any]
        self._device = ctypes.c_void_p()
        try:
            self._open(uuid)
        except OSError as error:
            self.problem = str(error)
            self._library = None

    def _open(self, uuid: str) -> None:
        for name in _LIBRARIES:
            try:
                self._library = ctypes.CDLL(name)
            except OSError:
                continue
            break
        if self._library is None:
            raise OSError("no NVML library")
        if self._library.nvmlInit_v2():
            raise OSError("NVML cannot be initialised")
        status = self._library.nvmlDeviceGetHandleByUUID(uuid.encode("ascii"), ctypes.byref(self._device))
        if status:
            raise OSError("NVML does not know {} (error {})".format(uuid, status))

    def driver_version(self) -> Optional[str]:
        """Return the driver's version (``580.159.04``), None where NVML is missing."""
        if self._library is None:
            return None
        text = ctypes.create_string_buffer(96)
        if self._library.nvmlSystemGetDriverVersion(text, 96):
            return None
        return text.value.decode("ascii", "replace")

    def tick(self) -> None:
        """Take a sample if the last one is :attr:`interval` seconds old; call it outside timed regions."""
        if time.perf_counter() >= self._next:
            before = len(self.samples)
            self.sample()
            self._measured += self.samples[before:]

    def sample(self) -> None:
        """Take one sample; what the GPU does not tell is None."""
        if self._library is None:
            return
        self._next = time.perf_counter() + self._interval
        power = self._number("nvmlDeviceGetPowerUsage", ctypes.c_uint)
        reasons = self._number("nvmlDeviceGetCurrentClocksThrottleReasons", ctypes.c_ulonglong)
        self.samples.append(
            {
                "time_ns": now_ns(),
                "sm_mhz": self._number("nvmlDeviceGetClockInfo", ctypes.c_uint, SM),
                "memory_mhz": self._number("nvmlDeviceGetClockInfo", ctypes.c_uint, MEMORY),
                "temperature_c": self._number("nvmlDeviceGetTemperature", ctypes.c_uint, 0),
                "power_w": None if power is None else power / 1000.0,
                "throttle_reasons": reasons,
                "power_state": self._number("nvmlDeviceGetPerformanceState", ctypes.c_uint),
            }
        )

    def measured(self) -> Dict[str, List[int]]:
        """Return facts of the time between samples of a pass: ends of the clock, power states; those told."""
        clocks = [one["sm_mhz"] for one in self._measured if one["sm_mhz"] is not None]
        states = {one["power_state"] for one in self._measured if one["power_state"] is not None}
        found = {}  # type: Dict[str, List[int]]
        if clocks:
            found["gpu_sm_mhz_measured"] = [min(clocks), max(clocks)]
        if states:
            found["gpu_power_states"] = sorted(states)
        return found

    def maximum_mhz(self) -> Dict[str, Optional[int]]:
        """Return the highest clocks of the GPU, MHz, by name."""
        return {
            "sm": self._number("nvmlDeviceGetMaxClockInfo", ctypes.c_uint, SM),
            "memory": self._number("nvmlDeviceGetMaxClockInfo", ctypes.c_uint, MEMORY),
        }

    def _number(self, call: str, kind: Any, *arguments: int) -> Optional[int]:
        function = getattr(self._library, call, None)
        value = kind(0)
        if function is None or function(self._device, *(list(arguments) + [ctypes.byref(value)])):
            return None
        return int(value.value)
