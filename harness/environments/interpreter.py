"""Workers run by a Python interpreter on this machine: the common part of ``venv`` and ``current``."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from harness.environments.base import Limits, NeverStarted, WorkerConversation
from harness.environments.needs import WorkerSource
from harness.environments.process import start_process
from harness.environments.staging import staged_worker, worker_variables
from harness.errors import BrokenPythonError

# Runs in any Python from 3.6 on. Package metadata is read from files: nothing is imported.
_ASK = """
import json, platform, sys
try:
    from importlib import metadata
    packages = {d.metadata["Name"]: d.version for d in metadata.distributions() if d.metadata["Name"]}
except ImportError:
    try:
        import pkg_resources
        packages = {d.project_name: d.version for d in pkg_resources.working_set}
    except ImportError:  # neither is there in a bare environment before Python 3.8
        packages = {}
print(json.dumps({"python": platform.python_version(), "implementation": platform.python_implementation(),
                  "packages": packages}))
"""


def interpreter_facts(python: Path) -> dict[str, object]:
    """Return ``python``, ``implementation`` and ``packages`` (name to version) of an interpreter.

    :raises UnavailableError: it does not run
    """
    try:
        answer = subprocess.run(
            [str(python), "-W", "ignore", "-s", "-c", _ASK], capture_output=True, text=True, timeout=60
        )
        facts: dict[str, object] = json.loads(answer.stdout)
    except (OSError, subprocess.TimeoutExpired, json.JSONDecodeError) as error:
        raise BrokenPythonError(f"the Python at {python} does not run: {error}") from error
    return facts


@dataclass(frozen=True)
class PreparedInterpreter:
    """A Python on this machine that holds one version of a runtime.

    :param variables: what the runtime wants in the environment of its process
    :param worker: what the runtime brings of its own
    """

    python: Path
    worker: WorkerSource
    variables: Mapping[str, str] = field(default_factory=dict)
    facts: Mapping[str, object] = field(default_factory=dict)

    def start(self, job: Path, inputs: Sequence[Path], result: Path, limits: Limits) -> WorkerConversation:
        """Start a worker for *job* (see :class:`harness.environments.base.Prepared`)."""
        missing = [path.name for path in inputs if not (job.parent / path.name).exists()]
        if missing:
            return NeverStarted("failed", f"the job's folder lacks {', '.join(missing)}")
        return start_process(
            [str(self.python), "-m", "harness.worker", str(job.absolute()), str(result.absolute())],
            result=result.absolute(),
            limits=limits,
            variables=worker_variables(staged_worker(self.worker), self.variables),
        )
