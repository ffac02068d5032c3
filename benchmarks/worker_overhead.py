"""Does the worker measure what the GPU does? Its latency pass beside a bare loop over the same engine.

    python worker_overhead.py JOB.json [--rounds 10] [--samples 500]

Runs inside an environment with TensorRT and a GPU: standard library and NumPy only, as the worker itself.
The worker's packages are on PYTHONPATH, as in a pack. One engine is built, one set of buffers used. In each
round the worker's pass and the bare loop take their samples one after the other, the first one first
in even rounds. The bare loop is what a person would write: record, enqueue, record, wait, with ctypes on the
CUDA runtime and nothing else. Printed as JSON: the median of each round, the median of all, their ratio, and
whether it is within 1 %.
"""

import argparse
import ctypes
import json
import os
import sys
import tempfile

TOLERANCE = 0.01


def bare_loop(cudart, session, samples):
    """Return GPU milliseconds of *samples* inferences, the simplest way there is."""
    start, end, elapsed = ctypes.c_void_p(), ctypes.c_void_p(), ctypes.c_float()
    assert cudart.cudaEventCreate(ctypes.byref(start)) == 0
    assert cudart.cudaEventCreate(ctypes.byref(end)) == 0
    stream, handle = ctypes.c_void_p(session.stream), session.stream
    context, times = session.context, []
    for _ in range(samples):
        cudart.cudaEventRecord(start, stream)
        context.execute_async_v3(handle)
        cudart.cudaEventRecord(end, stream)
        cudart.cudaEventSynchronize(end)
        cudart.cudaEventElapsedTime(ctypes.byref(elapsed), start, end)
        times.append(elapsed.value)
    return times


def harness_loop(session, samples, before):
    """Return GPU milliseconds of *samples* inferences through the worker's own pass."""
    from harness.worker.job import Measure
    from harness.worker.measure import Pass
    from harness.worker.stopping import measure_pass

    settings = Measure(
        {
            "warmup_seconds": 0.0,
            "minimum_samples": samples,
            "maximum_samples": samples,
            "maximum_seconds": 60.0,
            "relative_half_width": 0.0,
            "windows": 5,
            "profile_iterations": 0,
            "passes": [],
        }
    )
    one = Pass("latency", session.sampler(session.enqueue, False), "gpu", before)
    measure_pass(one.take, settings)
    return one.values("latency_ms")


def open_engine(path):
    """Build the job's engine and return a session over it, and what must stay alive."""
    from harness.runtimes.tensorrt.worker import driver as cuda
    from harness.runtimes.tensorrt.worker.build import Toolbox, build
    from harness.runtimes.tensorrt.worker.dialects import choose
    from harness.runtimes.tensorrt.worker.features import Features
    from harness.runtimes.tensorrt.worker.library import load
    from harness.runtimes.tensorrt.worker.logger import Log, make_logger
    from harness.runtimes.tensorrt.worker.measuring import Device, open_session
    from harness.runtimes.tensorrt.worker.plan import OPTIONS, Plan
    from harness.worker.job import read_job
    from harness.worker.package import read_arrays, read_network
    from harness.worker.result import Result

    job, result, log = read_job(path), Result(tempfile.mkdtemp()), Log()
    trt, driver = load("tensorrt"), cuda.open_driver()
    for name, value in cuda.describe(driver).items():
        result.fact(name, value)
    options = dict(job.options(OPTIONS), memory="ctypes", gpu_present=True)
    features = Features(trt)
    plan = Plan(job.treatment, options, features)
    package = read_network(job.network, job.weights)
    tools = Toolbox(trt, features, make_logger(trt, log), log, job, package, result)
    dialect = choose(trt, features, plan)(trt, features, plan, result)
    built = build(tools, plan, dialect, True)
    device = Device(driver, plan, result)
    session, runtime = open_session(tools, dialect, device, built)
    session.fill(read_arrays(job.inputs))
    return session, (runtime, built, device, tools), result.facts


def median(values):
    """Return the middle of *values*."""
    return sorted(values)[len(values) // 2]


def main():
    """Measure and print; exit status 1 when the two differ by more than 1 %."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("job")
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--samples", type=int, default=500)
    asked = parser.parse_args()
    session, kept, facts = open_engine(asked.job)
    tick = kept[2].nvml.tick  # clocks are looked at between samples, as in a job
    cudart = session.memory._cuda
    ways = {
        "bare": lambda n: bare_loop(cudart, session, n),
        "worker": lambda n: harness_loop(session, n, tick),
    }
    times = {"bare": [], "worker": []}
    for loop in ways.values():
        loop(asked.samples)
    for number in range(asked.rounds):
        for name in sorted(ways, reverse=bool(number % 2)):
            times[name].append(ways[name](asked.samples))
    rounds = {name: [round(median(row), 6) for row in rows] for name, rows in times.items()}
    whole = {name: median([value for row in rows for value in row]) for name, rows in times.items()}
    ratio = whole["worker"] / whole["bare"]
    report = {
        "gpu": facts["gpu"],
        "samples_a_round": asked.samples,
        "round_medians_ms": rounds,
        "median_ms": whole,
        "worker_over_bare": round(ratio, 5),
        "within_1_percent": abs(ratio - 1.0) <= TOLERANCE,
    }
    print(json.dumps(report, indent=1, sort_keys=True))
    sys.stdout.flush()
    os._exit(0 if report["within_1_percent"] else 1)


if __name__ == "__main__":
    main()
