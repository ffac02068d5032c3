"""A pack of the onnxruntime installed here, two cells of a small network, for tests that carry one."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass, replace
from importlib.metadata import version as installed
from pathlib import Path

import pytest

from harness.execution.measuring import settings_for
from harness.pack.build import Order, PackOptions
from harness.runtimes.onnxruntime.runtime import OnnxRuntime
from harness.store.documents.manifest import Matrix
from tests.execution.ground import SMALL, Ground
from tests.pack.wheels import wheel_of

FAMILIES = {"small": SMALL}
MARKS = [
    pytest.mark.skipif(
        any(shutil.which(name) is None for name in ("tar", "zstd", "objdump", "ldd")),
        reason="needs tar, zstd and binutils",
    ),
    pytest.mark.timeout(300),
]
"""Of every module that makes such a pack."""


class Installed(OnnxRuntime):
    """onnxruntime with the NumPy that is installed here, of which there are wheels to be made."""

    def requirements(self, version: str, python: tuple[int, int]) -> Sequence[str]:
        """Return both."""
        del python
        return (f"onnxruntime=={version}", f"numpy=={installed('numpy')}")


@dataclass(frozen=True)
class SmallPack:
    """A pack that was made: *parts* is the folder of its parts."""

    order: Order
    options: PackOptions
    parts: Path


def small_order(root: Path) -> Order:
    """Return two cells, an A/A pair, two builds each; *root* is where their ground is."""
    ground = Ground(root)
    return Order(
        cells=tuple(replace(cell, environment="venv") for cell in ground.cells),
        families=FAMILIES,
        runtimes={"onnxruntime": Installed()},
        settings=settings_for(ground.plan, 5),
        builds=2,
        matrix=Matrix(file="matrix.toml"),
    )


def small_options(root: Path) -> PackOptions:
    """Return options that take wheels from *root*/wheels, which is filled with those of this interpreter."""
    wheels = root / "wheels"
    wheels.mkdir(exist_ok=True)
    for name in ("onnxruntime", "numpy", "zstandard"):
        wheel_of(name, wheels)
    return PackOptions(20_000_000, find_links=(wheels,), offline=True, level=3)


def unpack(parts: Path, host: Path) -> Path:
    """Unpack *parts* into the folder *host*, as its user would; return the pack's folder."""
    host.mkdir()
    subprocess.run(f"cat '{parts}'/*.part* | tar -x", shell=True, cwd=host, check=True)
    return host / "trtmatrix-pack"
