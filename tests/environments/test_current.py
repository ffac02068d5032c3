"""The running interpreter as an environment: what it holds, it can run."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib import metadata
from pathlib import Path

import pytest

from harness.environments.current import CurrentInterpreter
from harness.environments.interpreter import PreparedInterpreter
from harness.errors import UnavailableError
from harness.runtimes.onnxruntime.runtime import OnnxRuntime


class Numpy(OnnxRuntime):
    """A runtime whose package is certainly installed where the tests run."""

    name = "numpy"

    def requirements(self, version: str, _: tuple[int, int]) -> Sequence[str]:
        """Return NumPy."""
        return (f"numpy=={version}",)


class Nowhere(OnnxRuntime):
    """A runtime whose package is certainly not installed."""

    def requirements(self, version: str, _: tuple[int, int]) -> Sequence[str]:
        """Return a package that there is not."""
        return (f"nowhere-to-be-found=={version}",)


def test_the_installed_version_is_ready() -> None:
    version = metadata.version("numpy")
    assert CurrentInterpreter().availability(Numpy(), version).state == "ok"
    prepared = CurrentInterpreter().prepare(Numpy(), version, lambda _: None)
    assert isinstance(prepared, PreparedInterpreter)
    assert prepared.python == Path(sys.executable)
    packages = prepared.facts["packages"]
    assert isinstance(packages, dict)
    assert packages["numpy"] == version


@pytest.mark.parametrize(
    ("runtime", "reason"),
    [
        (Numpy(), "the Python that runs the harness holds numpy {}, not 0.1"),
        (Nowhere(), "nowhere-to-be-found is not installed in the Python that runs the harness"),
    ],
)
def test_another_version_is_not(runtime: OnnxRuntime, reason: str) -> None:
    found = CurrentInterpreter().availability(runtime, "0.1")
    assert (found.state, found.reason) == ("unavailable", reason.format(metadata.version("numpy")))
    with pytest.raises(UnavailableError):
        CurrentInterpreter().prepare(runtime, "0.1", lambda _: None)
