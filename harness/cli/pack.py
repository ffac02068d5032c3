"""``trtmatrix pack MATRIX -o DIR``, or versions in its place: an archive for a GPU host without network."""

from __future__ import annotations

import argparse
import secrets
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.cli.measure_options import check_builds
from harness.cli.question import add_treatment, asked, check_runtime, treatment_of
from harness.errors import EXIT_OK, BadOptionError, OptionsContradictError, UnknownNameError
from harness.matrix.compose import Question
from harness.written import number_of

if TYPE_CHECKING:
    from harness.environments.docker.carried import Saved
    from harness.execution.parts import Parts
    from harness.execution.plan import Choices, Plan
    from harness.matrix.cell import Cell
    from harness.pack.build import Order, PackOptions


def add_parser(commands: Any) -> None:
    """Add the command."""
    parser = commands.add_parser("pack", help="make an archive for a GPU host without network")
    parser.add_argument(
        "words",
        nargs="+",
        metavar="MATRIX|RUNTIME==VERSION|NETWORK",
        help="matrix file, or a suite's name; or, as compare takes them, two versions or more and a network",
    )
    parser.add_argument("-o", "--out", type=Path, required=True, metavar="DIR", help="folder of the parts")
    parser.add_argument("--part-size", default="60M", metavar="SIZE", help="largest part (60M)")
    parser.add_argument(
        "--python", type=Path, metavar="PROGRAM", help="the Python to pack (one that fits is found)"
    )
    parser.add_argument(
        "--wheels", type=Path, action="append", default=[], metavar="DIR", help="folder of wheels"
    )
    parser.add_argument("--offline", action="store_true", help="take wheels from --wheels alone")
    parser.add_argument(
        "--compute-capability",
        metavar="X.Y",
        help="of the host's GPU: leave out versions that cannot run on it",
    )
    parser.add_argument(
        "--libraries",
        choices=("auto", "real", "placeholder"),
        default="auto",
        help="cuBLAS and cuDNN: real where a cell's tactic sources need them (auto), always, never",
    )
    parser.add_argument(
        "--only", action="append", default=[], metavar="PATTERN", help="cells to pack (again and again)"
    )
    parser.add_argument(
        "--with",
        dest="extra",
        action="append",
        default=[],
        metavar="REQUIREMENT",
        help="a package that every version gets besides (pycuda)",
    )
    parser.add_argument(
        "--without",
        dest="left_out",
        action="append",
        default=[],
        metavar="PATTERN",
        help="files of every version to leave out ('tensorflow/include/*', again and again)",
    )
    parser.add_argument(
        "--containers",
        action="store_true",
        help="bring the images of the cells in containers too, as 'images save' writes them",
    )
    parser.add_argument(
        "--base",
        type=Path,
        metavar="DIR",
        help="a pack that is on the host already: what it holds is left out",
    )
    parser.add_argument(
        "--whole", action="store_true", help="store no version as a difference to the first one"
    )
    parser.add_argument(
        "--level", type=int, default=12, choices=range(1, 20), metavar="1..19", help="compression (12)"
    )
    parser.add_argument(
        "--builds",
        type=int,
        metavar="N",
        help=f"of each cell (as the matrix says; {Question.builds} of versions)",
    )
    add_treatment(parser.add_argument_group("where versions are named"))
    parser.set_defaults(func=run)


def _check_capability(asked: str | None) -> None:
    """Refuse a compute capability that is not known: with it no version would be left out.

    :raises UsageError: not in the table
    """
    from harness.environments.compute_capability import ranges

    if asked is not None and asked not in ranges():
        raise UnknownNameError(
            f"--compute-capability: '{asked}' is not known; known are {', '.join(ranges())}; "
            "of a newer GPU leave it out: then every version is packed"
        )


def run(arguments: argparse.Namespace) -> int:
    """Write the parts and print what to do with them."""
    from harness.pack.build import make_pack
    from harness.pack.parts import ARCHIVE

    options = _options(arguments)
    _check_capability(arguments.compute_capability)
    order, contained = order_of(arguments)
    # First: what an engine or a registry refuses is known before gigabytes of wheels are packed.
    saved = _save_images(contained, arguments.out, options.part_bytes) if contained else None
    parts = make_pack(order, arguments.out, options, _say)
    total = sum(part.stat().st_size for part in parts)
    print(
        f"{number_of(len(parts), 'part')}, {total / 1e6:.1f} MB in all; "
        f"{number_of(len(order.cells), 'cell')}, {number_of(order.builds, 'build')} each"
    )
    if saved is not None:
        print(
            f"images: {len(saved.images)} in {number_of(saved.parts, 'part')}, "
            f"{saved.bytes / 1e6:.1f} MB in all (images.json, layers); cells in containers: {len(contained)}"
        )
    base = "" if arguments.base is None else " --base FOLDER-OF-THE-FIRST"
    print(f"on the host: cat {ARCHIVE}.part* | tar -x && {ARCHIVE}/start.sh --home HOME{base}")
    print("then here: trtmatrix collect HOME/* --out RUN && trtmatrix report RUN -o report.html")
    if saved is not None:
        print("for the cells in containers: trtmatrix images load DIR, then trtmatrix run MATRIX there")
    return EXIT_OK


def _options(arguments: argparse.Namespace) -> PackOptions:
    from harness.pack.build import PackOptions, read_base
    from harness.pack.parts import part_bytes

    return PackOptions(
        part_bytes=part_bytes(arguments.part_size),
        python=arguments.python,
        find_links=tuple(folder.absolute() for folder in arguments.wheels),
        offline=arguments.offline,
        libraries=arguments.libraries,
        differences=not arguments.whole,
        level=arguments.level,
        base=read_base(arguments.base) if arguments.base is not None else None,
        extra=tuple(arguments.extra),
        left_out=tuple(arguments.left_out),
    )


def order_of(arguments: argparse.Namespace) -> tuple[Order, Sequence[Cell]]:
    """Return what is packed as wheels, and the cells whose images travel beside it."""
    from harness.execution.measuring import matrix_of, settings_for
    from harness.execution.plan import Choices
    from harness.pack.build import Order
    from harness.pack.selection import chosen, in_containers, packable, without_images
    from harness.plugins import registry

    choices = Choices(builds=arguments.builds)
    plan = _plan(arguments, choices, registry.parts())
    seed = plan.matrix.seed if plan.matrix.seed is not None else secrets.randbelow(2**31)
    runtimes, capability = registry.runtimes(), arguments.compute_capability
    cells: Sequence[Cell] = chosen(plan.cells, arguments.only)
    contained: Sequence[Cell] = ()
    if arguments.containers:
        contained, cells = in_containers(cells, runtimes, capability=capability, say=_say)
    packed = packable(cells, runtimes, libraries=arguments.libraries, capability=capability, say=_say)
    if said := without_images(cells, packed):
        _say(said)
    order = Order(
        cells=packed,
        families=plan.families,
        runtimes=runtimes,
        settings=settings_for(plan, seed),
        builds=plan.rounds(choices),
        matrix=matrix_of(plan),
        contained=tuple(cell.id for cell in contained),
    )
    return order, contained


def _plan(arguments: argparse.Namespace, choices: Choices, parts: Parts) -> Plan:
    """Return the plan of the matrix file, or of the versions, that are named."""
    from harness.execution.plan import make_plan, plan_of
    from harness.matrix.compose import PACKED_SECONDS, compose

    words, treatment = arguments.words, treatment_of(arguments)
    if arguments.builds is not None:
        check_builds(arguments.builds)
    if not any("==" in word for word in words):
        if len(words) > 1:
            raise BadOptionError(f"'{words[0]}' and '{words[1]}': name one matrix file, or RUNTIME==VERSION")
        if treatment:
            option = f"--{next(iter(treatment)).replace('_', '-')}"
            raise OptionsContradictError(f"{option} goes with RUNTIME==VERSION; a matrix file has its own")
        return make_plan(replace(choices, matrix=Path(words[0])), parts)
    question, file = asked(words, treatment)
    if file is not None:
        raise BadOptionError(
            f"'{file}': name a network of your own in a matrix file ([networks]), and pack that"
        )
    check_runtime(question, parts)
    question = replace(question, environment="venv", seconds=PACKED_SECONDS)
    return plan_of(compose(question, parts.treatments), choices, parts)


def _save_images(cells: Sequence[Cell], out: Path, size: int) -> Saved:
    """Save what *cells* run in into the folder *out*, in parts of *size* bytes."""
    from harness.environments.docker.carried import save_needed
    from harness.environments.docker.engine import connect
    from harness.environments.docker.settings import DockerSettings
    from harness.environments.docker.transfer_parts import Folder
    from harness.plugins import registry

    versions = list(dict.fromkeys((cell.runtime, cell.version) for cell in cells))
    names = ", ".join(f"{runtime} {version}" for runtime, version in versions)
    _say(f"images to save: {names}; cells in containers: {len(cells)}")
    return save_needed(
        connect(),
        DockerSettings.from_environment(),
        [(registry.runtimes()[runtime], version) for runtime, version in versions],
        Folder(out, size),
        _say,
    )


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
