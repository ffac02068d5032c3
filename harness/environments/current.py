"""``current``: the interpreter that runs the harness, where it holds the asked version of the runtime."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from harness.distribution import hookimpl
from harness.environments.base import Availability, Environment, Prepared, Progress
from harness.environments.gpus import without_gpu
from harness.environments.interpreter import PreparedInterpreter, interpreter_facts
from harness.environments.needs import RuntimeNeeds
from harness.errors import NotInstalledError
from harness.versions import same_release


class CurrentInterpreter(Environment):
    """Nothing is made here: a version is there or it is not."""

    name = "current"
    own_processes = True

    def availability(self, runtime: RuntimeNeeds, version: str) -> Availability:
        """Compare the version asked for with the installed distribution's, and look for a GPU it needs."""
        package = runtime.distribution(version)
        installed = runtime.installed_version(version)
        if installed is None:
            return Availability(
                "unavailable",
                f"{package} is not installed in the Python that runs the harness",
                f"pip install {package}=={version}, or environment = 'venv'",
            )
        if not same_release(installed, version):
            return Availability(
                "unavailable",
                f"the Python that runs the harness holds {package} {installed}, not {version}",
                "environment = 'venv'",
            )
        return without_gpu(runtime, version) or Availability("ok")

    def prepare(self, runtime: RuntimeNeeds, version: str, progress: Progress) -> Prepared:
        """Return the running interpreter.

        :raises UnavailableError: it does not hold *version*
        """
        found = self.availability(runtime, version)
        if found.state != "ok":
            raise NotInstalledError(found.reason)
        progress(f"using the installed {runtime.name} {version}")
        python = Path(sys.executable)
        return PreparedInterpreter(
            python, runtime.worker, dict(runtime.environment_variables), interpreter_facts(python)
        )


@hookimpl
def trtmatrix_environments() -> Sequence[Environment]:
    """Register the running interpreter."""
    return [CurrentInterpreter()]
