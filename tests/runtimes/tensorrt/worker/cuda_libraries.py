"""The CUDA runtime, the driver and NVML over host memory, compiled for tests."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.worker.worker_jobs import DATA


def compile_libraries(folder: Path) -> None:
    """Write the three into *folder*; skips the test where there is no C compiler."""
    if shutil.which("cc") is None:
        pytest.skip("no C compiler on this machine")
    for name in ("libcudart.so", "libcuda.so.1", "libnvidia-ml.so.1"):
        command = ["cc", "-shared", "-fPIC", "-Wall", "-o", str(folder / name), str(DATA / "cuda" / "cuda.c")]
        subprocess.run(command, check=True)
