"""Importing of TensorRT: the ordinary package, or one of the names of TensorRT-RTX."""

import importlib
from typing import Any

from harness.worker.errors import FailedError

MODULES = {
    "tensorrt": ("tensorrt",),
    # The two halves of the wheel come without the empty package `tensorrt_rtx` that joins them.
    "tensorrt_rtx": ("tensorrt_rtx", "tensorrt_rtx_bindings"),
}


def load(runtime: str) -> Any:
    """Return the Python module of *runtime* (``tensorrt`` or ``tensorrt_rtx``).

    :raises FailedError: it cannot be imported here; the message is that of the last name tried
    """
    names = MODULES.get(runtime)
    if names is None:
        raise FailedError("cell: runtime '{}' is none of {}".format(runtime, ", ".join(sorted(MODULES))))
    problem = ""
    for name in names:
        try:
            return importlib.import_module(name)
        except (ImportError, OSError) as error:
            problem = problem or "cannot import {}: {}".format(name, error)
    raise FailedError(problem)


def is_rtx(trt: Any) -> bool:
    """Say whether *trt* is TensorRT-RTX (only it chooses the compute capabilities of an engine)."""
    return hasattr(trt, "ComputeCapability")
