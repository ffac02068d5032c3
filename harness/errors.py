"""The errors a user can see, each one line that says what is wrong, where, and what to do.

::

    TrtmatrixError
    |-- UsageError            bad option, expression or name (exit code 2)
    |-- InputError            a file is not what it should be (exit code 2)
    |-- PluginError           a part of a plugin raised, or cannot be imported or registered (exit code 2)
    `-- UnavailableError      nothing here can run what was asked for (exit code 3)

Everything else that escapes is a defect of the harness and keeps its traceback.
"""

from __future__ import annotations

from pathlib import Path

EXIT_OK = 0
EXIT_TESTS_FAILED = 1
EXIT_USAGE = 2
EXIT_ENVIRONMENT = 3


class TrtmatrixError(Exception):
    """Base of all errors shown to a user as one line without a traceback."""

    exit_code = EXIT_USAGE


class UsageError(TrtmatrixError):
    """An option, an expression or a name that the harness does not understand."""


class InputError(TrtmatrixError):
    """A file that is not what it should be.

    :param path: the file, as the user named it
    :param problem: what is wrong and what was expected, lower case, without full stop
    :param line: 1-based line (or None where the format has no lines)
    :param where: key, table or byte offset inside the file, where there is one
    """

    def __init__(
        self, path: str | Path, problem: str, *, line: int | None = None, where: str | None = None
    ) -> None:
        self.path, self.problem, self.line, self.where = str(path), problem, line, where
        place = self.path + (f":{line}" if line is not None else "") + (f": {where}" if where else "")
        super().__init__(f"{place}: {problem}")


class PluginError(TrtmatrixError):
    """A part of a third party raised what it must not, or cannot be imported or registered.

    The message begins with the part's name and its distribution, or the file it lies in.
    """


class UnavailableError(TrtmatrixError):
    """No environment at hand can run what was asked for."""

    exit_code = EXIT_ENVIRONMENT
