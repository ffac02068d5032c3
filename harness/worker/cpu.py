"""What the CPU runtimes share: checks of the treatment, facts about the processor, measured peaks."""

import platform
import time
from typing import Any, Callable, Dict, Mapping

import numpy

from harness.worker.errors import UnsupportedError
from harness.worker.job import Job
from harness.worker.measure import Pass
from harness.worker.result import Result

_GEMM_SIZE = 512
_COPY_BYTES = 64 << 20


def require(job: Job, allowed: Mapping[str, Any]) -> None:
    """Refuse a treatment that a CPU runtime cannot honour.

    :param allowed: field of the treatment to the values that can be honoured
    :raises UnsupportedError: the first field with another value
    """
    for name, values in sorted(allowed.items()):
        value = job.treatment.get(name, values[0])
        if value not in values:
            raise UnsupportedError("{} '{}' is not for this runtime".format(name, value))


def latency_pass(infer: Callable[[], Any]) -> Pass:
    """Return the latency pass: wall time around one call of *infer*."""
    clock = time.perf_counter

    def sample() -> Dict[str, float]:
        begin = clock()
        infer()
        return {"latency_ms": (clock() - begin) * 1e3}

    return Pass("latency", sample)


def cpu_facts(job: Job, result: Result) -> None:
    """State the processor, NumPy's version and the measured peaks."""
    result.fact("cpu", _cpu_model())
    result.fact("numpy", numpy.__version__)
    result.fact("threads", job.threads)
    result.fact("peaks", peaks(job.threads))


def peaks(threads: int) -> Dict[str, Any]:
    """Measure what this processor gives NumPy: ``flops_per_s``, ``bytes_per_s`` and ``how``.

    The best of several runs of a float32 matrix product and of a copy (read and written bytes counted).
    An upper line to hold layers against, not a data-sheet figure: BLAS reaches most of the peak.
    """
    matrix = numpy.ones((_GEMM_SIZE, _GEMM_SIZE), dtype=numpy.float32)
    product = numpy.empty_like(matrix)
    source = numpy.ones(_COPY_BYTES // 4, dtype=numpy.float32)
    target = numpy.zeros_like(source)  # zeros written: its pages must be there before the clock runs
    target.fill(0)
    gemm = _best(lambda: numpy.dot(matrix, matrix, out=product), 12)
    copy = _best(lambda: numpy.copyto(target, source), 4)
    how = "best of 12 float32 matrix products of {0}x{0} and of 4 copies of {1} MiB by NumPy, {2} thread(s)"
    return {
        "flops_per_s": 2.0 * _GEMM_SIZE**3 / gemm,
        "bytes_per_s": 2.0 * _COPY_BYTES / copy,
        "how": how.format(_GEMM_SIZE, _COPY_BYTES >> 20, threads),
    }


def _best(work: Callable[[], Any], times: int) -> float:
    work()
    best = float("inf")
    for _ in range(times):
        begin = time.perf_counter()
        work()
        best = min(best, time.perf_counter() - begin)
    return best


def _cpu_model() -> str:
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as stream:
            for line in stream:
                if line.startswith("model name"):
                    return line.split(":", 1)[1].strip()
    except OSError:  # not Linux
        pass
    return platform.processor() or platform.machine()
