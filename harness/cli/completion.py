"""``trtmatrix --print-completion SHELL``: commands, options and files completed by the shell."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from harness.errors import MissingPackageError

SHELLS = ("bash", "zsh", "tcsh")


class PrintCompletion(argparse.Action):
    """Prints the script and ends."""

    def __init__(self, option_strings: Any, dest: str, **rest: Any) -> None:  # noqa: ARG002
        super().__init__(option_strings, argparse.SUPPRESS, choices=SHELLS, metavar="SHELL", **rest)

    def __call__(self, parser: Any, *_unused: Any) -> None:
        """Print.

        :raises MissingPackageError: shtab is not installed
        """
        print(script(parser, _unused[1]))
        parser.exit(0)


def script(parser: argparse.ArgumentParser, shell: str) -> str:
    """Return the completion script of *parser* for *shell*, one of :data:`SHELLS`.

    :raises MissingPackageError: shtab is not installed
    """
    try:
        import shtab
    except ImportError:
        raise MissingPackageError(
            "completion is made by shtab, which is not installed; pip install 'trtmatrix[completion]'"
        ) from None
    for action in _actions(parser):
        if action.type is Path:
            action.complete = shtab.FILE  # type: ignore[attr-defined]  # where shtab looks for it
    return str(shtab.complete(parser, shell))


def _actions(parser: argparse.ArgumentParser) -> Iterator[argparse.Action]:
    """Yield all arguments of *parser* and of its commands. argparse has no public way to them."""
    for action in parser._actions:
        yield action
        if isinstance(action, argparse._SubParsersAction):
            for command in action.choices.values():
                yield from _actions(command)
