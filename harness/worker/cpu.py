"""What the CPU runtimes share: checks of the treatment, facts about the processor, measured peaks."""

import os
import time
from typing import Any, Callable, Dict, Mapping, Sequence

import numpy

from harness.worker.errors import UnsupportedError
from harness.worker.job import Job
from harness.worker.measure import Pass
from harness.worker.processor import CORE, computed_flops_per_s, cpu_info, cpu_model
from harness.worker.result import Result

_GEMM_SIZES = (96, 192, 384)
"""Products that fit into the caches; the small ones are over before a neighbour is given the core."""

_SEVERAL = 768
"""A further one that several threads are worth starting for."""

_COPY_BYTES = (64 << 10, 256 << 10, 1 << 20, 4 << 20)
"""Copies from and to caches: layers of a small network never leave them."""

_SECONDS = 0.03
"""Of each size."""


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
    """Return the latency pass: wall time around one call of *infer*, and the CPU time of the process in it.

    What the first is above the second was spent waiting: for other threads, or because another program had
    the core.
    """
    clock, used = time.perf_counter, time.process_time

    def sample() -> Dict[str, float]:
        before = used()
        begin = clock()
        infer()
        end = clock()
        return {"latency_ms": (end - begin) * 1e3, "cpu_ms": (used() - before) * 1e3}

    return Pass("latency", sample)


def cpu_facts(job: Job, result: Result) -> None:
    """State the processor, NumPy's version and, where the job asks for them, the measured peaks."""
    result.fact("cpu", cpu_model(cpu_info()))
    result.fact("numpy", numpy.__version__)
    result.fact("threads", job.threads)
    if job.peaks:
        result.fact("peaks", peaks(job.threads))


def peaks(threads: int) -> Dict[str, Any]:
    """Return the most that this processor gives: ``flops_per_s``, ``bytes_per_s`` and ``how``.

    The best of float32 matrix products and of copies of several sizes (read and written bytes counted, of
    one thread, times their number: each core has caches of its own). An upper line to hold layers against.
    Where the BLAS stays under half of what the vector units allow at the clock that is stated, it does not
    use them, and what they allow is taken, ``computed``.
    """
    sizes = _GEMM_SIZES + ((_SEVERAL,) if threads > 1 else ())
    measured = max(_gemm(size) for size in sizes)
    core = os.environ.get(CORE)
    computed = computed_flops_per_s(cpu_info(), core, threads)
    how = "best of float32 matrix products of {} by NumPy".format(_listed("{0}x{0}", sizes))
    if core:
        how += " with {} kernels".format(core)
    flops = measured
    if computed is not None and measured < computed / 2:
        flops = computed
        how = "computed from vector units ({}) and clock, since the {} gave {:.3g}".format(
            core, how, measured
        )
    return {
        "flops_per_s": flops,
        "bytes_per_s": threads * max(_copy(size) for size in _COPY_BYTES),
        "how": "{}; best of copies of {}; {} thread(s)".format(
            how, _listed("{} KiB", [size >> 10 for size in _COPY_BYTES]), threads
        ),
    }


def _gemm(size: int) -> float:
    matrix = numpy.ones((size, size), dtype=numpy.float32)
    product = numpy.empty_like(matrix)
    return 2.0 * size**3 / _best(lambda: numpy.dot(matrix, matrix, out=product))


def _copy(size: int) -> float:
    source = numpy.ones(size // 4, dtype=numpy.float32)
    target = numpy.zeros_like(source)
    return 2.0 * size / _best(lambda: numpy.copyto(target, source))


def _listed(text: str, sizes: Sequence[int]) -> str:
    return ", ".join(text.format(size) for size in sizes)


def _best(work: Callable[[], Any]) -> float:
    """Return the shortest time of *work*, seconds."""
    work()  # its pages must be there before the clock runs
    best = float("inf")
    end = time.perf_counter() + _SECONDS
    while True:
        begin = time.perf_counter()
        work()
        now = time.perf_counter()
        best = min(best, now - begin)
        if now > end:
            return best
