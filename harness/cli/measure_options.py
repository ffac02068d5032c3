"""Options of the commands that measure, and what is looked at before they begin."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from harness.errors import BadOptionError, OptionsContradictError

if TYPE_CHECKING:
    from harness.execution.plan import Plan


def add_measuring(
    parser: argparse.ArgumentParser, *, builds: str, minutes: str, resume: str, of_a_file: str
) -> None:
    """Add what says where to, for how long and of which inputs is measured.

    :param builds, minutes, resume: help of these options
    :param of_a_file: which file ``--shape`` speaks of
    """
    parser.add_argument("--out", type=Path, metavar="DIR", help="folder of the bundle")
    parser.add_argument("--builds", type=int, metavar="N", help=builds)
    parser.add_argument("--minutes", metavar="N", help=minutes)
    add_shape(parser, of_a_file)
    parser.add_argument("--resume", action="store_true", help=resume)
    parser.add_argument("--report", type=Path, metavar="FILE", help="then write the HTML report there")


def add_shape(parser: argparse.ArgumentParser, of_a_file: str) -> None:
    """Add ``--shape``; *of_a_file*: which file it speaks of."""
    parser.add_argument(
        "--shape",
        action="append",
        default=[],
        metavar="NAME=1x3x224x224",
        help=f"sizes of an input of {of_a_file} whose axes are open; the first is the batch",
    )


def check_builds(builds: int, least: int = 1) -> None:
    """Refuse a number of builds a cell that is too small or a mistake.

    :raises BadOptionError: it is
    """
    from harness.matrix.file import MOST_BUILDS

    if not least <= builds <= MOST_BUILDS:
        raise BadOptionError(f"--builds: expected a whole number from {least} to {MOST_BUILDS}")


def folder_to_measure_into(arguments: argparse.Namespace, plan: Plan) -> Path:
    """Return the folder of the bundle: a new one, or that of a run which can be gone on with.

    :raises UsageError: the folder, or the place of the report, cannot be written; it holds another run
    """
    from harness.cli.outputs import check_file, check_new_folder
    from harness.execution.measuring import open_to_resume, run_id

    if arguments.resume and arguments.out is None:
        raise OptionsContradictError("--resume needs --out: the folder of the run to go on with")
    out: Path = arguments.out or Path("trtmatrix-runs") / run_id()
    if arguments.resume:
        open_to_resume(out, plan)
    else:
        check_new_folder(out, "--out")
    if arguments.report is not None:
        check_file(arguments.report, "--report")
    return out
