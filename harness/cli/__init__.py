"""The command ``trtmatrix``: one file a command; exits 0 done, 1 tests failed, 2 bad input, 3 environment."""

from __future__ import annotations

import argparse
import importlib
import os
import sys
from collections.abc import Sequence

import harness
from harness.errors import EXIT_USAGE, TrtmatrixError

COMMANDS = (
    "list",
    "check",
    "run",
    "report",
    "show",
    "judge",
    "bisect",
    "parse",
    "import",
    "images",
    "pack",
    "collect",
)
"""In the order of the help; each is a module of this package (``import_`` and ``list_`` shun keywords)."""

_MODULES = {"import": "import_", "list": "list_"}
INTERRUPTED = 130
LONG = ("run", "bisect", "pack", "collect")
"""Commands whose work is not done when nobody reads what they print."""


class _Parser(argparse.ArgumentParser):
    """Says what is wrong in one line, and where help is."""

    def error(self, message: str) -> None:  # type: ignore[override]
        """Exit with status 2."""
        self.exit(EXIT_USAGE, f"trtmatrix: {message}; see '{self.prog} --help'\n")


def build_parser() -> argparse.ArgumentParser:
    """Return the parser with all commands."""
    parser = _Parser(prog="trtmatrix", description="Where the time of a MobileNet goes, on every version.")
    parser.add_argument("--version", action="version", version=f"trtmatrix {harness.__version__}")
    commands = parser.add_subparsers(title="commands", dest="command", metavar="COMMAND", required=True)
    for name in COMMANDS:
        module = importlib.import_module(f"harness.cli.{_MODULES.get(name, name)}")
        module.add_parser(commands)
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status; a user's error is one line on standard error."""
    arguments = argparse.Namespace(command="")
    try:
        build_parser().parse_args(argv, arguments)
        status = int(arguments.func(arguments))
        sys.stdout.flush()  # A reader that has gone shows here at the latest, not when Python ends.
        return status
    except TrtmatrixError as error:
        print(f"trtmatrix: {error}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        print("trtmatrix: interrupted", file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:
        # The reader (`| head`) has gone; Python would complain once more when it flushes at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if arguments.command not in LONG:
            return 0
        print("trtmatrix: interrupted: nobody reads its output any more", file=sys.stderr)
        return INTERRUPTED
