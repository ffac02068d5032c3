"""A worker module for tests only: uses every part of the frame, with NumPy alone."""

# ruff: noqa: ARG002

import time

import numpy

from harness.worker import base
from harness.worker.cpu import cpu_facts, latency_pass
from harness.worker.package import read_arrays, read_network


class Worker(base.Worker):
    """Reads the network package and the inputs, measures a sleep, leaves a result of every kind."""

    def build(self):
        """Read the package."""
        self.network = read_network(self.job.network, self.job.weights)
        self.result.setting("threads", self.job.threads)
        self.result.cannot_express("precision: there is nothing to set")

    def load(self):
        """Leave sums of the inputs as outputs."""
        inputs = read_arrays(self.job.inputs)
        self.result.outputs({"sum": numpy.array([array.sum() for array in inputs.values()])})
        return [latency_pass(lambda: time.sleep(0.001))]

    def profile(self, iterations):
        """Leave the ops."""
        ops = [[op.name, op.kind, op.op_class] for op in self.network.ops]
        self.result.write_json("ops.json", ops)
        self.result.fact("bias", self.network.weight(self.network.ops[0], "bias"))

    def close(self, complete):
        """State the processor."""
        cpu_facts(self.job, self.result)
