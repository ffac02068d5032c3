"""A worker module for tests only: uses every part of the frame, with NumPy alone."""

import time

import numpy

from harness.worker.cpu import cpu_facts, measure_latency
from harness.worker.package import read_arrays, read_network


def run(job, result):
    """Read the network package and the inputs, measure a sleep, leave a result of every kind."""
    network = read_network(job.network, job.weights)
    inputs = read_arrays(job.inputs)
    measure_latency(job, result, lambda: time.sleep(0.001))
    result.outputs({"sum": numpy.array([array.sum() for array in inputs.values()])})
    result.setting("threads", job.threads)
    result.cannot_express("precision: there is nothing to set")
    result.write_json("ops.json", [[op.name, op.kind, op.op_class] for op in network.ops])
    result.fact("bias", network.weight(network.ops[0], "bias"))
    cpu_facts(job, result)
