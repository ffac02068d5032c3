"""The first layers of a TensorRT profile, held against a gate that leaves the GPU nothing to wait for.

    trtmatrix-pack/start.sh --only 'mobilenet_v2-fp32-b1-clip-core-tensorrt-8.6.0' \\
        --script first_layer.py --out first.json

Runs inside an environment with TensorRT 8.2 or later and a GPU, as a pack's start.sh gives it; needs
same_engine.py beside it. Builds one engine of the job, and profiles it in sessions of their own, in turn:

- `product`: as the worker does (`behind an enqueue`)
- `gate`: the stream is held by cuStreamWaitValue32 until everything is enqueued; nothing else lies before it
- `one at a time`: by the synchronous call, as before TensorRT 8.2

Prints a table and, as JSON, the median of each layer by each way. Exit status 1 where the first executed
layer of the product's profile is off by more than --within of the gate's, or all others together by more than
--others.
"""

import argparse
import ctypes
import json
import os
import sys
import tempfile
from pathlib import Path

ROUNDS = 6


class Way:
    """A session of its own over one engine, profiled in one way.

    :param gated: hold the stream until an inference is enqueued
    :param on_demand: have an enqueued inference reported, where the way is not gated
    """

    def __init__(self, bench, built, arrays, gated, on_demand):
        from harness.runtimes.tensorrt.worker.measuring import open_session
        from harness.runtimes.tensorrt.worker.profile import LayerProfile
        from harness.worker.result import Result

        self.session, self._runtime = open_session(bench.tools, bench.dialect, bench.device, built)
        self.session.fill(arrays)
        self.profile = LayerProfile(bench.tools.trt, on_demand, self.session, Result(tempfile.mkdtemp()))
        if gated:
            gate = Gate(bench.device.driver, self.session)
            self.profile._behind = gate.around(self.session)

    def take(self, iterations):
        """Profile one round."""
        self.profile.take(iterations)

    def medians(self):
        """Return (name, median in ms) of each layer."""
        from harness.runtimes.tensorrt.worker.passes import median

        runs = self.profile.runs
        return [(name, median([run[i][1] for run in runs])) for i, (name, _) in enumerate(runs[0])]


class Gate:
    """A word of page-locked memory that a stream waits for."""

    def __init__(self, driver, session):
        self._wait = getattr(driver, "cuStreamWaitValue32_v2", None) or driver.cuStreamWaitValue32
        self._stream = ctypes.c_void_p(session.stream)
        self._word = session.memory.pinned(64)
        self._word[:] = 0
        self._count = 0

    def around(self, session):
        """Return a function that enqueues an inference behind the gate, opens it, and has it reported."""
        context, memory = session.context, session.memory

        def run():
            self._count += 1
            address = ctypes.c_ulonglong(self._word.ctypes.data)
            status = self._wait(self._stream, address, ctypes.c_uint(self._count), ctypes.c_uint(0))
            if status:
                sys.exit(f"cuStreamWaitValue32 gave error {status}: this GPU or driver has no such gate")
            session.enqueue()
            self._word[:4].view("uint32")[0] = self._count
            memory.synchronize(session.stream)
            context.report_to_profiler()
            return 0.0

        return run


def judged(ways, within, others):
    """Return the document: layers by each way, and how far the product's lie from the gate's."""
    product, gate = ways["product"], ways["gate"]
    first = next(index for index, (_, ms) in enumerate(gate) if ms > 0)
    rest = [sum(ms for index, (_, ms) in enumerate(way) if index != first) for way in (product, gate)]
    ratio, other = product[first][1] / gate[first][1], rest[0] / rest[1]
    return {
        "schema": "trtmatrix.first_layer/1",
        "first": gate[first][0],
        "first_us": {name: round(1e3 * way[first][1], 3) for name, way in ways.items()},
        "sum_us": {name: round(1e3 * sum(ms for _, ms in way), 3) for name, way in ways.items()},
        "first_ratio": round(ratio, 4),
        "others_ratio": round(other, 4),
        "holds": abs(ratio - 1) <= within and abs(other - 1) <= others,
        "layers": {name: [[layer, round(1e3 * ms, 3)] for layer, ms in way] for name, way in ways.items()},
    }


def main():
    """Build, profile in turn, print."""
    sys.path.insert(0, str(Path(__file__).resolve().parent))
    from same_engine import Bench

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("job", metavar="JOB.json")
    parser.add_argument("--iterations", type=int, default=10, help=f"of each of {ROUNDS} rounds and each way")
    parser.add_argument("--within", type=float, default=0.05)
    parser.add_argument("--others", type=float, default=0.02)
    parser.add_argument("--out", type=Path, metavar="FILE")
    asked = parser.parse_args()
    from harness.runtimes.tensorrt.worker.build import Built
    from harness.worker.package import read_arrays

    bench = Bench(asked.job)
    data = bench.build()
    built, arrays = Built(data, data, 0.0, []), read_arrays(bench.job.inputs)
    on_demand = bench.tools.features.report_to_profiler
    if not on_demand:
        sys.exit("this version reports no inference on demand: there is nothing to compare")
    ways = {
        "product": Way(bench, built, arrays, False, True),
        "gate": Way(bench, built, arrays, True, True),
        "one at a time": Way(bench, built, arrays, False, False),
    }
    for _ in range(ROUNDS):
        for way in ways.values():
            way.take(asked.iterations)
    document = judged({name: way.medians() for name, way in ways.items()}, asked.within, asked.others)
    text = json.dumps(document, indent=1)
    if asked.out:
        asked.out.write_text(text, encoding="utf-8")
    for name, value in document["first_us"].items():
        whole = document["sum_us"][name]
        print(f"{name:15} first executed layer {value:8.2f} us, all layers {whole:9.2f} us")
    print("first executed layer {first_ratio:.3f} times the gate's".format(**document))
    said = "as asked" if document["holds"] else "not as asked"
    print("all others {others_ratio:.3f} times: {said}".format(said=said, **document))
    sys.stdout.flush()
    os._exit(0 if document["holds"] else 1)  # before TensorRT can crash while it is torn down


if __name__ == "__main__":
    main()
