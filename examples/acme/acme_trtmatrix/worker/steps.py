"""Inference op by op with NumPy."""

import time

import numpy

from harness.worker import base
from harness.worker.cpu import cpu_facts, latency_pass, require
from harness.worker.errors import UnsupportedError
from harness.worker.package import read_arrays, read_network

REPEATS = {"1.0": 2, "2.0": 1}


class Worker(base.Worker):
    """Computes the network package that it is given."""

    def build(self):
        """Bring the weights into the type that the treatment asks for."""
        require(self.job, {"precision": ["fp32"]})
        kind = {"single": numpy.float32, "double": numpy.float64}[self.job.treatment["acme_precision"]]
        begin = time.perf_counter()
        self.network = read_network(self.job.network, self.job.weights)
        self.arrays = {key: array.astype(kind) for key, array in self.network.weights.items()}
        self.result.fact("build_seconds", time.perf_counter() - begin)
        self.result.fact("acme", self.job.version)
        self.result.setting("type", numpy.dtype(kind).name)
        self.kind = kind

    def load(self):
        """Leave the outputs, and return the latency pass."""
        self.feeds = {name: array.astype(self.kind) for name, array in read_arrays(self.job.inputs).items()}
        found = self.infer()
        self.result.outputs({name: found[name] for name in self.network.outputs})
        return [latency_pass(self.infer)]

    def infer(self, times=None):
        """Run all ops; note the seconds of each in *times*."""
        held = dict(self.feeds)
        for op in self.network.ops:
            begin = time.perf_counter()
            held[op.output] = self.compute(op, [held[name] for name in op.inputs])
            if times is not None:
                times.setdefault(op.name, []).append(time.perf_counter() - begin)
        return held

    def compute(self, op, operands):
        """Run one op."""
        weights = {role: self.arrays[key] for role, key in op.weights.items()}
        if op.kind == "matmul":
            for _ in range(REPEATS[self.job.version]):
                product = numpy.dot(operands[0], weights["matrix"])
            return product
        if op.kind == "add_vector":
            return operands[0] + weights["vector"]
        if op.kind == "clip":
            return numpy.clip(operands[0], op.attributes["minimum"], op.attributes["maximum"])
        if op.kind == "relu":
            return numpy.maximum(operands[0], 0)
        if op.kind == "shift":
            return operands[0] + op.attributes["value"]
        if op.kind == "sub":
            return operands[0] - operands[1]
        raise UnsupportedError(f"acme has no op '{op.kind}'")

    def profile(self, iterations):
        """Leave the median time of each op."""
        times = {}
        for _ in range(iterations):
            self.infer(times)
        rows = [
            {"name": op.name, "kind": op.kind, "median_ms": float(numpy.median(times[op.name])) * 1e3}
            for op in self.network.ops
        ]
        self.result.write_json("ops.json", rows)

    def close(self, complete):
        """State the processor."""
        if complete:
            cpu_facts(self.job, self.result)
