"""TensorFlow's API of sessions and graphs, which 1.x and 2.x have under different names."""

import os
from typing import Any  # noqa: F401

# What TensorFlow says at its start is of no use to a log, errors are.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "1")

import tensorflow

tf1 = tensorflow.compat.v1 if hasattr(tensorflow.compat, "v1") else tensorflow  # type: Any
"""The API of 1.x: under ``compat.v1`` from 1.13 on, TensorFlow itself before."""

VERSION = str(tensorflow.__version__)


def allow_tf32(allowed: bool) -> bool:
    """Say whether products on the GPU may be of TF32; return False where this version cannot be told.

    The graph's rewriting asks for it, too: images are turned to NCHW only where it is off.
    """
    experimental = getattr(getattr(tensorflow, "config", None), "experimental", None)
    switch = getattr(experimental, "enable_tensor_float_32_execution", None)
    if switch is None:
        return False
    switch(allowed)
    return True
