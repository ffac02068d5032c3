"""The running interpreter as an environment: what it holds, it can run."""

from __future__ import annotations

import sys
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


class Nowhere(OnnxRuntime):
    """A runtime whose package is certainly not installed."""

    def distribution(self, _: str) -> str:
        """Return a package that there is not."""
        return "nowhere-to-be-found"


class Script(OnnxRuntime):
    """A runtime that is a file and no package: it alone knows its version."""

    name = "script"

    def installed_version(self, _: str) -> str | None:
        """Return the version of the file."""
        return "3"


def test_a_runtime_that_is_no_distribution_is_asked_for_its_version() -> None:
    assert CurrentInterpreter().availability(Script(), "3").state == "ok"
    found = CurrentInterpreter().availability(Script(), "4")
    assert found.reason == "the Python that runs the harness holds script 3, not 4"


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
