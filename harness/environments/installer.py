"""Making of a virtual environment: by uv, by the Python's own venv and pip where uv gets no packages.

The same steps by hand: ``uv venv``, ``uv pip install``; or ``python -m venv``, ``pip install``.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from harness.environments.indexes import uv_variables
from harness.environments.pythons import Interpreter, uv_binary
from harness.errors import InstallFailedError

_TIMEOUT_SECONDS = 900
_CREDENTIALS = re.compile(r"//[^/@\s]+@")


class _InstallError(Exception):
    """One way of installing that did not lead anywhere; the message is the tool's last words."""


@dataclass(frozen=True)
class Plan:
    """A virtual environment to be made.

    :param dependencies: False where *requirements* are complete and nothing else is to be installed
    """

    interpreter: Interpreter
    requirements: tuple[str, ...]
    dependencies: bool = True


def python_of(folder: Path) -> Path:
    """Return the interpreter of the virtual environment in *folder*."""
    return folder / "Scripts" / "python.exe" if os.name == "nt" else folder / "bin" / "python"


def install(plan: Plan, folder: Path) -> str:
    """Make the virtual environment *plan* in *folder* and return what made it (``uv``, ``pip``).

    :raises UnavailableError: nothing could; the message holds the last words of what was tried last
    """
    uv = uv_binary()
    errors = []
    if uv is not None:
        try:
            _by_uv(uv, plan, folder)
            return "uv"
        except _InstallError as error:
            errors.append(f"uv: {error}")
    try:
        shutil.rmtree(folder, ignore_errors=True)
        _by_pip(plan, folder)
    except _InstallError as error:
        errors.append(f"pip: {error}")
        wanted = " ".join(plan.requirements)
        raise InstallFailedError(
            f"cannot install {wanted} for Python {plan.interpreter.full}: {'; '.join(errors)}"
        ) from error
    return "pip"


def _by_uv(uv: str, plan: Plan, folder: Path) -> None:
    # The interpreter is named by its path, so uv never looks for one, nor fetches one.
    _do([uv, "venv", "-q", "--no-project", "--allow-existing", "-p", str(plan.interpreter.path), str(folder)])
    command = [uv, "pip", "install", "-q", "--python", str(python_of(folder))]
    _do([*command, *_no_deps(plan), *plan.requirements], uv_variables(), cwd=folder)


def _by_pip(plan: Plan, folder: Path) -> None:
    _do([str(plan.interpreter.path), "-m", "venv", str(folder)])
    command = [str(python_of(folder)), "-m", "pip", "install", "-q", "--disable-pip-version-check"]
    command += ["--retries", "1"]  # uv has tried before, where it is there
    _do([*command, *_no_deps(plan), *plan.requirements], cwd=folder)


def _no_deps(plan: Plan) -> list[str]:
    return [] if plan.dependencies else ["--no-deps"]


def _do(command: Sequence[str], extra: Mapping[str, str] | None = None, cwd: Path | None = None) -> None:
    variables = {name: value for name, value in os.environ.items() if name != "VIRTUAL_ENV"}
    try:
        answer = subprocess.run(
            list(command),
            env={**variables, **(extra or {})},
            cwd=cwd,
            stdin=subprocess.DEVNULL,  # an index that wants a login must fail, not wait
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=_TIMEOUT_SECONDS,
        )
    except subprocess.TimeoutExpired as error:
        raise _InstallError(f"no end after {_TIMEOUT_SECONDS} s") from error
    except OSError as error:
        raise _InstallError(f"{Path(command[0]).name} did not start: {error.strerror or error}") from error
    if answer.returncode != 0:
        raise _InstallError(last_words(answer.stdout) or f"exit status {answer.returncode}")


def last_words(text: str, limit: int = 300) -> str:
    """Return the end of what a tool printed: one line of at most *limit* characters, no credentials."""
    lines = [line.strip(" \t×╰─▶│├") for line in text.splitlines()]
    # From the last line that says so: pip prints all versions there are before it says that none fits.
    errors = [at for at, line in enumerate(lines) if line.lower().startswith("error")]
    words = " ".join(lines[errors[-1] if errors else 0 :]).split()
    line = _CREDENTIALS.sub("//", " ".join(words))
    return line if len(line) <= limit else "..." + line[-(limit - 3) :]
