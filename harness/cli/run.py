"""``trtmatrix run MATRIX``: one pytest session over the suites."""

from __future__ import annotations

import argparse
import contextlib
import sys
from pathlib import Path
from typing import Any

from harness.cli.gate_options import add_accepted, add_messages
from harness.cli.measure_options import add_measuring, check_builds, folder_to_measure_into
from harness.errors import (
    EXIT_ENVIRONMENT,
    EXIT_OK,
    EXIT_TESTS_FAILED,
    EXIT_USAGE,
    BadOptionError,
    NothingCanRunError,
    NothingChosenError,
    OptionsContradictError,
)


def add_parser(commands: Any) -> None:
    """Add the command."""
    parser = commands.add_parser(
        "run",
        help="measure a matrix: one pytest session over the suites",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.further_help = treatments_help
    parser.add_argument("matrix", nargs="?", type=Path, help="matrix file (default: the embedded one)")
    add_measuring(
        parser,
        builds="builds of each cell, one a round",
        minutes="of the run: what the first builds leave is spent where changes are open",
        resume="go on with the run in --out",
        of_a_file="that file",
    )
    parser.add_argument(
        "--quick", action="store_true", help="a small part of the matrix (its quick_builds and quick_exclude)"
    )
    parser.add_argument(
        "-k", dest="expression", metavar="EXPR", help="only the cells whose id matches, as pytest -k"
    )
    parser.add_argument(
        "--network",
        action="append",
        default=[],
        metavar="FILE",
        help="measure this ONNX file, frozen GraphDef (.pb) or SavedModel (a folder) instead",
    )
    parser.add_argument(
        "--output",
        action="append",
        default=[],
        metavar="NODE",
        help="an output of that GraphDef or SavedModel (default: its signature's, or what no node reads)",
    )
    parser.add_argument(
        "--retry-failed", action="store_true", help="with --resume, measure failed builds again"
    )
    parser.add_argument("--executor", metavar="NAME", help="what is given the builds (default: local)")
    parser.add_argument(
        "--address",
        metavar="WHERE",
        help="of a Ray cluster, which measures: auto, HOST:PORT or ray://HOST:PORT",
    )
    parser.add_argument("--no-build", action="store_true", help="use container images as they are")
    parser.add_argument(
        "--history", type=Path, metavar="DIR", help="hold the run against these nights, and add it to them"
    )
    add_accepted(parser)
    add_messages(parser)
    parser.add_argument("--junit", type=Path, metavar="FILE", help="write the tests as JUnit XML there")
    parser.add_argument(
        "pytest_args", nargs="*", metavar="-- PYTEST-ARGS", help="handed to pytest as they are"
    )
    parser.set_defaults(func=run)


def treatments_help() -> str:
    """Return the fields of treatments that a ``[[block]]`` may ask for here, a line each."""
    from harness.plugins import registry

    table = registry.parts().treatments
    width = max(len(item.name) for item in table.fields)
    lines = ["what a [[block]] of the matrix may ask for (the first value is the default):"]
    for item in table.fields:
        known = table.runtimes(item)
        only = f" ({', '.join(known)} only)" if len(known) < len(table.by_runtime) else ""
        values = [str(item.default), *(v for v in item.allowed.split(", ") if v != item.default)]
        lines.append(f"  {item.name:{width}}  {', '.join(values)}; {item.meaning}{only}")
    return "\n".join(lines)


def run(arguments: argparse.Namespace) -> int:
    """Run pytest and translate its exit status."""
    import pytest

    from harness.analysis.accepted import accepted_changes
    from harness.cli.outputs import check_file
    from harness.cli.quiet_end import QuietEnd
    from harness.execution.measuring import affinity
    from harness.execution.plan import Choices, above_zero, make_plan
    from harness.plugins import registry
    from harness.resources import data_folder

    # The file is read here once before pytest starts: a mistake in it, or in a plugin, is one line.
    networks = tuple(Path(p) for p in arguments.network)
    choices = Choices(
        matrix=arguments.matrix,
        networks=networks,
        shapes=tuple(arguments.shape),
        outputs=tuple(arguments.output),
        executor=arguments.executor,
        address=arguments.address,
    )
    plan = make_plan(choices, registry.parts())
    registry.bottlenecks()
    affinity(plan.matrix.cpu)
    if arguments.expression is not None and not arguments.expression.strip():
        raise BadOptionError("-k: the expression is empty")
    if arguments.builds is not None:
        check_builds(arguments.builds)
    above_zero(arguments.minutes, "--minutes")
    if arguments.retry_failed and not arguments.resume:
        raise OptionsContradictError("--retry-failed needs --resume: a new run has no failed builds")
    out = folder_to_measure_into(arguments, plan)
    if arguments.junit is not None:
        check_file(arguments.junit, "--junit")
    accepted = accepted_changes(arguments.accepted)
    command = [
        str(data_folder("suites")),
        "-q",
        "--no-header",
        "-rfE",
        f"--matrix-out={out}",
        *_options(arguments),
    ]
    storage = Path(".benchmarks")
    made_here = not storage.exists()
    status = int(pytest.main([*command, *arguments.pytest_args], plugins=[*_plugins(), QuietEnd()]))
    if made_here:
        # pytest-benchmark makes its folder before it knows whether anything is saved there
        with contextlib.suppress(OSError):
            storage.rmdir()
    if status == pytest.ExitCode.INTERRUPTED and (out / "manifest.json").exists():
        print(
            f"trtmatrix: interrupted; the same command with '--out {out} --resume' goes on", file=sys.stderr
        )
    if status == pytest.ExitCode.NO_TESTS_COLLECTED:
        raise NothingChosenError(
            f"-k {arguments.expression!r} matches no cell; 'trtmatrix check' lists their ids"
        )
    if arguments.report is not None and (out / "manifest.json").exists():
        from harness.cli.report import write_report

        write_report([out], arguments.report, accepted=accepted)
        print(f"report: {arguments.report}")
    if status == pytest.ExitCode.OK and not _anything_ran(out):
        raise NothingCanRunError(
            "nothing here can run any of these cells; 'trtmatrix check --explain' says why"
        )
    return _EXIT.get(status, status)


def _anything_ran(out: Path) -> bool:
    """Say whether the run in *out* has a cell that was at least tried; True where there is no run."""
    from harness.store.bundle import Bundle

    if not (out / "manifest.json").exists():
        return True
    return any(c.status not in ("unsupported", "unavailable") for c in Bundle.open(out).cells())


_EXIT = {0: EXIT_OK, 1: EXIT_TESTS_FAILED, 2: 130, 3: EXIT_ENVIRONMENT, 4: EXIT_USAGE}
"""pytest's exit status to ours; pytest's 2 is an interruption, its 3 also our own 'no environment'."""


def _options(arguments: argparse.Namespace) -> list[str]:
    options = [f"--matrix={arguments.matrix}"] if arguments.matrix else []
    options += [f"--matrix-builds={arguments.builds}"] if arguments.builds is not None else []
    options += [f"--matrix-minutes={arguments.minutes}"] if arguments.minutes is not None else []
    options += ["--matrix-quick"] if arguments.quick else []
    options += ["--matrix-resume"] if arguments.resume else []
    options += ["--matrix-retry-failed"] if arguments.retry_failed else []
    options += ["--matrix-no-build"] if arguments.no_build else []
    options += [f"--matrix-executor={arguments.executor}"] if arguments.executor is not None else []
    options += [f"--matrix-address={arguments.address}"] if arguments.address is not None else []
    options += [f"--matrix-history={arguments.history}"] if arguments.history is not None else []
    options += [f"--matrix-accepted={arguments.accepted}"] if arguments.accepted is not None else []
    options += [f"--matrix-notify={address}" for address in arguments.notify]
    options += [f"--matrix-notify-command={arguments.notify_command}"] if arguments.notify_command else []
    options += [f"--junitxml={arguments.junit}"] if arguments.junit is not None else []
    options += [f"--matrix-network={path}" for path in arguments.network]
    options += [f"--matrix-shape={value}" for value in arguments.shape]
    options += [f"--matrix-output={node}" for node in arguments.output]
    # pytest runs inside this process, which has imported the plugin's package; nothing is lost by that.
    options += ["-W", "ignore:Module already imported:pytest.PytestAssertRewriteWarning"]
    # The table of every build is long, and the report shows it better; whoever asks for it gets it.
    if not any(argument.startswith("--benchmark") for argument in arguments.pytest_args):
        options += ["--benchmark-quiet"]
    options += ["-k", arguments.expression] if arguments.expression is not None else []
    return options


def _plugins() -> list[object]:
    """Return the plugin itself where no entry point has loaded it (run from a source tree)."""
    from importlib.metadata import entry_points

    if any(entry.value == "harness.pytest_plugin" for entry in entry_points(group="pytest11")):
        return []
    import harness.pytest_plugin

    return [harness.pytest_plugin]
