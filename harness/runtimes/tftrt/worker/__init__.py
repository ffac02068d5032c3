"""TF-TRT, inside an environment: TensorFlow graphs whose segments TensorRT runs."""

import os

# Read once, when TensorFlow logs for the first time: the converter says there which nodes it takes, and
# TensorRT's builder which kernels.
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "0"
os.environ["TF_CPP_VMODULE"] = ",".join(
    name + "=2"
    for name in ("convert_graph", "convert_nodes", "segment", "trt_optimization_pass", "trt_logger")
)
# Without it a segment whose engine cannot be built is run by TensorFlow, with a warning only.
os.environ["TF_TRT_ALLOW_ENGINE_NATIVE_SEGMENT_EXECUTION"] = "0"

from .steps import Worker

__all__ = ["Worker"]
