"""Whether the package index that this machine is configured with has a version, asked of uv in a few seconds.

Nothing is installed, fetched or built: uv resolves the one requirement among wheels. An index that does not
answer in time is not asked again in this process.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Sequence
from functools import cache
from pathlib import Path

from harness.environments.base import Check
from harness.environments.indexes import uv_variables
from harness.environments.installer import last_words
from harness.environments.pythons import Interpreter, uv_binary

NAME = "package index"
NOT_ASKED = "not asked"
SECONDS = 3.0
"""How long an answer is waited for."""

_LACKS = re.compile(r"there is no version of|was not found in the")


class PackageIndex:
    """The index of this machine. :param seconds: how long an answer is waited for"""

    def __init__(self, seconds: float = SECONDS) -> None:
        self._seconds = seconds
        self._silent = ""

    def check(self, requirement: str, interpreter: Interpreter) -> Check:
        """Return whether the index has *requirement* (``onnxruntime==1.18.1``) for *interpreter*.

        :return: ``ok``, ``unavailable``, or ``not asked`` with why
        """
        uv = uv_binary()
        if uv is None:
            return Check(NAME, NOT_ASKED, "uv is not here to ask it")
        if self._silent:
            return Check(NAME, NOT_ASKED, self._silent)
        command = [uv, "pip", "compile", "-q", "--no-deps", "--no-header", "--only-binary", ":all:"]
        try:
            answer = subprocess.run(
                [*command, "--python", str(interpreter.path), "-"],
                input=f"{requirement}\n",
                capture_output=True,
                text=True,
                timeout=self._seconds,
                env={**os.environ, "UV_HTTP_RETRIES": "0", **uv_variables()},
                cwd=Path(sys.prefix).anchor,  # a project in the working directory has settings of its own
            )
        except (OSError, subprocess.TimeoutExpired):
            self._silent = f"it does not answer within {self._seconds:g} s"
            return Check(NAME, NOT_ASKED, self._silent)
        if answer.returncode == 0:
            return Check(NAME, "ok", f"it has {requirement}")
        if _LACKS.search(answer.stderr):
            return Check(
                NAME, "unavailable", f"the package index has no {requirement}", "name another version"
            )
        return Check(NAME, NOT_ASKED, last_words(answer.stderr))


@cache
def package_index() -> PackageIndex:
    """Return the index of this process."""
    return PackageIndex()


def of_distribution(requirements: Sequence[str], distribution: str) -> str | None:
    """Return the one of *requirements* that pins *distribution*, None where none does."""
    pinned = re.compile(rf"{re.escape(distribution)}\s*==", re.IGNORECASE)
    return next((one for one in requirements if pinned.match(one)), None)
