"""The GPU of a job: chosen before TensorFlow loads CUDA, described, and looked at between steps."""

import os
from typing import Any, Optional

from harness.runtimes.tensorrt.worker import driver as cuda
from harness.runtimes.tensorrt.worker.nvml import Nvml
from harness.worker.errors import FailedError, UnsupportedError
from harness.worker.job import Job
from harness.worker.result import Result

from .library import allow_tf32, tf1


class Gpu(object):
    """The GPU that the job names; states itself in *result*.

    :raises UnsupportedError: this machine has none; :raises FailedError: TensorFlow does not take it
    """

    def __init__(self, job: Job, result: Result) -> None:
        self._result = result
        choose(job)
        driver = cuda.open_driver()
        if driver is None:
            raise UnsupportedError("this machine has no GPU")
        for name, value in cuda.describe(driver).items():
            result.fact(name, value)
        self.driver = driver
        self.nvml = Nvml(str(result.facts["uuid"]))
        result.fact("driver", self.nvml.driver_version())
        for name, value in self.nvml.maximum_mhz().items() if not self.nvml.problem else ():
            result.fact("gpu_maximum_{}_mhz".format(name), value)
        devices = [one.name for one in _devices() if one.device_type == "GPU"]
        if not devices:
            raise FailedError("TensorFlow registers no GPU here; its log names the library that it misses")

    def look(self) -> None:
        """Look at clocks and temperature."""
        self.nvml.sample()

    def tick(self) -> None:
        """Look at them if the last look is some time ago."""
        self.nvml.tick()

    def close(self) -> None:
        """Leave what was seen."""
        said = {"problem": self.nvml.problem, "samples": self.nvml.samples}
        self._result.write_json("nvml.json", said)
        for name, value in self.nvml.measured().items():
            self._result.fact(name, value)


def choose(job: Job) -> None:
    """Set what CUDA and its libraries read when they are loaded; state whether TF32 is allowed."""
    if job.device:
        os.environ["CUDA_VISIBLE_DEVICES"] = job.device
    tf32 = job.treatment.get("precision") == "tf32"
    if not tf32:
        os.environ["NVIDIA_TF32_OVERRIDE"] = "0"
    # The kernels of older wheels are compiled for a newer GPU at their first use: 17 s, kept for the next.
    os.environ.setdefault("CUDA_CACHE_MAXSIZE", str(4 << 30))
    os.environ.setdefault("CUDA_MODULE_LOADING", "LAZY")
    allow_tf32(tf32)


def config_of(job: Job, inter_op_threads: Optional[int]) -> Any:
    """Return the session's configuration: memory of the GPU as it is needed, threads as asked."""
    config = tf1.ConfigProto(intra_op_parallelism_threads=0 if job.device else job.threads)
    config.gpu_options.allow_growth = True
    config.allow_soft_placement = bool(job.device)  # an op without a kernel on the GPU runs on the CPU
    if inter_op_threads is None:
        inter_op_threads = 0 if job.device else 1
    config.inter_op_parallelism_threads = int(inter_op_threads)
    return config


def _devices() -> Any:
    # Makes the devices, with memory as it is needed: the first one made decides for the process.
    with tf1.Session(graph=tf1.Graph(), config=_growing()) as session:
        return session.list_devices()


def _growing() -> Any:
    config = tf1.ConfigProto()
    config.gpu_options.allow_growth = True
    return config
