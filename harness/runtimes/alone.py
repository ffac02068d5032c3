"""Time one ONNX file with the runtime that is installed, alone: ``python measure.py RUNTIME FILE [SECONDS]``.

Needs onnxruntime or openvino and NumPy, nothing else. One thread on one processor, random inputs, wall time
and CPU time around each inference. Run two versions in turns, several times: what one run says alone may be
the hour's, and where wall time is far above CPU time other programs had the processor.
"""

import os
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy


def onnxruntime_inference(path: str) -> tuple[str, Callable[[], Any]]:
    """Return the version, and what runs one inference."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    feeds = {one.name: drawn(one.shape) for one in session.get_inputs()}
    return onnxruntime.__version__, lambda: session.run(None, feeds)


def openvino_inference(path: str) -> tuple[str, Callable[[], Any]]:
    """Return the version, and what runs one inference."""
    try:
        from openvino import Core, Tensor, get_version
    except ImportError:  # before 2023.1
        from openvino.runtime import Core, Tensor, get_version
    core = Core()
    wanted = {
        "INFERENCE_PRECISION_HINT": "f32",
        "NUM_STREAMS": "1",
        "INFERENCE_NUM_THREADS": "1",
        "ENABLE_CPU_PINNING": "NO",
    }
    known = {str(name) for name in core.get_property("CPU", "SUPPORTED_PROPERTIES")}
    config = {name: value for name, value in wanted.items() if name in known}
    compiled = core.compile_model(core.read_model(path), "CPU", config)
    request = compiled.create_infer_request()
    for port in compiled.inputs:
        request.set_tensor(port, Tensor(drawn(port.get_shape())))
    return str(get_version()), request.infer


def drawn(shape: Any) -> Any:
    """Return random numbers of *shape*, the same in every run."""
    return numpy.random.RandomState(0).standard_normal(tuple(shape)).astype(numpy.float32)


def main(runtime: str, path: str, seconds: float = 3.0) -> None:
    """Print the times of inferences over *seconds*."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    begun = {"onnxruntime": onnxruntime_inference, "openvino": openvino_inference}
    version, infer = begun[runtime](path)
    end = time.perf_counter() + 0.5
    while time.perf_counter() < end:
        infer()
    times, used = [], []
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        start, before = time.perf_counter(), time.process_time()
        infer()
        times.append(1e3 * (time.perf_counter() - start))
        used.append(1e3 * (time.process_time() - before))
    low, middle, high = numpy.percentile(times, (10, 50, 90))
    print(
        f"{runtime} {version}: median {middle:.4f} ms, CPU time {numpy.median(used):.4f} ms, "
        f"80 % of {len(times)} inferences in {low:.4f} to {high:.4f} ms"
    )


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], *map(float, sys.argv[3:4]))
