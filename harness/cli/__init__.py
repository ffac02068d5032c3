"""The command ``trtmatrix``: one file a command; exits 0 done, 1 tests failed, 2 bad input, 3 environment.

It may import every room; nothing imports it, and no command does what another room could.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib
import io
import os
import re
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from harness.cli.completion import PrintCompletion
from harness.distribution import __version__
from harness.errors import EXIT_USAGE, BadOptionError, FileSystemError, TrtmatrixError, did_you_mean

COMMANDS = (
    "list",
    "check",
    "run",
    "compare",
    "report",
    "show",
    "judge",
    "accept",
    "bisect",
    "reproduce",
    "history",
    "trends",
    "parse",
    "import",
    "images",
    "pack",
    "collect",
    "publish",
)
"""In the order of the help; each is a module of this package (``import_`` and ``list_`` shun keywords)."""

_MODULES = {"import": "import_", "list": "list_"}
INTERRUPTED = 130
LONG = ("run", "compare", "bisect", "reproduce", "pack", "collect")
"""Commands whose work is not done when nobody reads what they print."""


_CHOICE = re.compile(
    r"argument (?P<what>.+?): invalid choice: '(?P<word>.*?)',? .*\(choose from (?P<known>.*)\)"
)
"""What argparse says of a word that is none of the choices."""


class _Parser(argparse.ArgumentParser):
    """Says what is wrong in one line, and where help is."""

    options: tuple[str, ...] = ()
    """As they are spelled, for who misspells one."""

    further_help: Callable[[], str] | None = None
    """Makes the last part of the help, once it is asked for: what only plugins know."""

    def format_help(self) -> str:
        """Return the help, with what is registered here."""
        if self.further_help is not None:
            self.epilog = self.further_help()
        return super().format_help()

    def add_argument(self, *names: Any, **rest: Any) -> argparse.Action:
        """Add an argument, and note how it is spelled."""
        self.options += tuple(name for name in names if name.startswith("-"))
        return super().add_argument(*names, **rest)

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        """Parse, and say of an option that is not known which one is near.

        Subcommands are parsed by this, too, and otherwise hand what they do not know to the command above.
        """
        found, stray = super().parse_known_args(args, namespace)
        if stray:
            near = did_you_mean(stray[0].partition("=")[0], self.options) if stray[0].startswith("-") else ""
            self.error(f"unrecognized arguments: {' '.join(stray)}{near}")
        return found, stray

    def error(self, message: str) -> None:  # type: ignore[override]
        """Exit with status 2; where something was to be chosen, say what is near."""
        if chosen := _CHOICE.fullmatch(message):
            known = [name.strip().strip("'") for name in chosen["known"].split(",")]
            near = did_you_mean(chosen["word"], known) or f" (choose from {', '.join(known)})"
            message = f"{chosen['what']}: '{chosen['word']}' is unknown{near}"
        self.exit(EXIT_USAGE, f"trtmatrix: {message}; see '{self.prog} --help' [bad-option]\n")


def build_parser() -> argparse.ArgumentParser:
    """Return the parser with all commands."""
    parser = _Parser(prog="trtmatrix", description="Where the time of a MobileNet goes, on every version.")
    parser.add_argument("--version", action="version", version=f"trtmatrix {__version__}")
    parser.add_argument(
        "--print-completion", action=PrintCompletion, help="print completion for bash, zsh or tcsh, and end"
    )
    commands = parser.add_subparsers(title="commands", dest="command", metavar="COMMAND", required=True)
    for name in COMMANDS:
        module = importlib.import_module(f"harness.cli.{_MODULES.get(name, name)}")
        module.add_parser(commands)
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status; a user's error is one line on standard error."""
    arguments = argparse.Namespace(command="")
    _writable_streams()
    words = list(sys.argv[1:] if argv is None else argv)
    try:
        own, rest = _split(words)
        build_parser().parse_args(own, arguments)
        if rest is not None:
            arguments.pytest_args = rest
        elif stray := getattr(arguments, "pytest_args", None):
            raise BadOptionError(f"'{stray[0]}' is not expected here; arguments of pytest stand behind '--'")
        with _ended_like_an_interrupt(arguments.command):
            status = int(arguments.func(arguments))
        sys.stdout.flush()  # A reader that has gone shows here at the latest, not when Python ends.
        return status
    except TrtmatrixError as error:
        print(f"trtmatrix: {error.one_line}", file=sys.stderr)
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
    except OSError as error:
        # A full disk, a folder in place of a file, a name too long: the user's to mend, not ours.
        mine = FileSystemError(f"{error.filename or 'output'}: {error.strerror or error}")
        print(f"trtmatrix: {mine.one_line}", file=sys.stderr)
        with contextlib.suppress(OSError):
            sys.stdout.flush()
            return EXIT_USAGE
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return EXIT_USAGE


def _writable_streams() -> None:
    """See to it that what is printed finds a stream, and characters it cannot hold are written as escapes."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, Path(os.devnull).open("w", encoding="utf-8"))  # noqa: SIM115 (lives on)
        elif isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def _split(words: list[str]) -> tuple[list[str], list[str] | None]:
    """Return our words and those behind ``--``, which are pytest's; None where there is no ``--``."""
    if words[:1] != ["run"] or "--" not in words:
        return words, None
    at = words.index("--")
    return words[:at], words[at + 1 :]


@contextlib.contextmanager
def _ended_like_an_interrupt(command: str) -> Iterator[None]:
    """End long work on SIGTERM and SIGHUP as on Ctrl-C: workers are ended, what is measured is kept."""

    def interrupt(_number: int, _frame: object) -> None:
        raise KeyboardInterrupt

    if command not in LONG or threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.signal(number, interrupt) for number in (signal.SIGTERM, signal.SIGHUP)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
