"""Options of the commands that hold runs against a policy, and tell somebody."""

from __future__ import annotations

import argparse
from pathlib import Path


def add_accepted(parser: argparse.ArgumentParser) -> None:
    """Add ``--accepted``."""
    parser.add_argument(
        "--accepted",
        type=Path,
        metavar="FILE",
        help="TOML file of accepted changes (default: trtmatrix-accepted.toml, where it lies here)",
    )


def add_messages(parser: argparse.ArgumentParser) -> None:
    """Add ``--notify`` and ``--notify-command``."""
    parser.add_argument(
        "--notify", action="append", default=[], metavar="URL", help="send a message of what fails there"
    )
    parser.add_argument(
        "--notify-command", metavar="COMMAND", help="give the message to this command, as JSON"
    )
