"""``trtmatrix bisect``: between which two neighbouring versions did something change?"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.errors import (
    EXIT_OK,
    BadOptionError,
    NoSuchVersionError,
    NothingCanRunError,
    NothingToCompareError,
    OptionsContradictError,
    TooFewBuildsError,
    UnknownNameError,
    did_you_mean,
)
from harness.written import number_of

if TYPE_CHECKING:
    from harness.analysis.bisect import ChangeLocation
    from harness.execution.plan import Choices, Plan
    from harness.matrix.cell import Cell
    from harness.observations.records import CellObservation


def add_parser(commands: Any) -> None:
    """Add the command."""
    parser = commands.add_parser(
        "bisect", help="find the two neighbouring versions between which a verdict or the latency changed"
    )
    parser.add_argument(
        "sources",
        nargs="*",
        type=Path,
        metavar="RUN|MATRIX",
        help="stored runs, or one matrix file (.toml) whose cells are measured as they are needed",
    )
    parser.add_argument(
        "--history", type=Path, metavar="DIR", help="in place of runs: between which nights of this history"
    )
    parser.add_argument("--bottleneck", default="latency", metavar="NAME", help="default: latency")
    parser.add_argument("--network", metavar="NAME", help="needed where the sources hold several")
    parser.add_argument("--treatment", metavar="LABEL", help="as in cell ids: fp32-b1-clip")
    parser.add_argument("--runtime", metavar="NAME", help="needed where the sources hold several")
    parser.add_argument("--versions", metavar="LIST", help="only these, in this order, separated by commas")
    parser.add_argument("--json", action="store_true", help="print the answer as JSON")
    stored = parser.add_argument_group("stored runs")
    stored.add_argument("--host", metavar="NAME", help="needed where they were on several")
    live = parser.add_argument_group("a matrix file")
    live.add_argument("--out", type=Path, metavar="DIR", help="folder of the bundle")
    live.add_argument("--builds", type=int, metavar="N", help="builds of each cell, at least 2")
    live.add_argument("--executor", metavar="NAME", help="what is given the builds (default: local)")
    live.add_argument("--resume", action="store_true", help="go on with the run in --out")
    live.add_argument(
        "--retry-failed", action="store_true", help="with --resume, measure failed builds again"
    )
    live.add_argument("--no-build", action="store_true", help="use container images as they are")
    parser.set_defaults(func=run)


_STORED, _LIVE = ("host",), ("out", "builds", "executor", "resume", "retry_failed", "no_build")


def run(arguments: argparse.Namespace) -> int:
    """Search and print."""
    from harness.analysis.bisect_answer import location_as_json, location_message
    from harness.execution.plan import is_matrix
    from harness.plugins import registry

    rules = registry.bottlenecks()
    if arguments.bottleneck != "latency" and arguments.bottleneck not in rules:
        known = [*rules, "latency"]
        near = did_you_mean(arguments.bottleneck, known)
        raise UnknownNameError(
            f"--bottleneck: '{arguments.bottleneck}' is unknown{near}; known are {', '.join(known)}"
        )
    if arguments.history is not None:
        return _of_history(arguments)
    if not arguments.sources:
        raise BadOptionError("name stored runs or a matrix file, or a history with --history")
    matrices = [path for path in arguments.sources if is_matrix(path)]
    if matrices and len(arguments.sources) > 1:
        raise OptionsContradictError(f"{matrices[0]}: name one matrix file, or stored runs, not both")
    for option in _STORED if matrices else _LIVE:
        if getattr(arguments, option) is not None and getattr(arguments, option) is not False:
            kind = "stored runs" if matrices else "a matrix file"
            raise OptionsContradictError(f"--{option.replace('_', '-')} is for {kind}")
    location = _live(arguments) if matrices else _stored(arguments)
    if arguments.json:
        json.dump(location_as_json(location), sys.stdout, indent=1, allow_nan=False)
        sys.stdout.write("\n")
    else:
        print(location_message(location))
    return EXIT_OK


def _of_history(arguments: argparse.Namespace) -> int:
    from harness.cli.bisect_history import print_changes

    if arguments.sources:
        raise OptionsContradictError(f"--history and {arguments.sources[0]}: name one of them")
    for option in _LIVE:
        if getattr(arguments, option) is not None and getattr(arguments, option) is not False:
            raise OptionsContradictError(f"--{option.replace('_', '-')} is for a matrix file")
    print_changes(arguments)
    return EXIT_OK


def _rules(bottleneck: str) -> dict[str, Any]:
    """Return the one rule that is asked for, none for the latency."""
    from harness.plugins import registry

    return {name: rule for name, rule in registry.bottlenecks().items() if name == bottleneck}


# stored runs


def _stored(arguments: argparse.Namespace) -> ChangeLocation:
    """Search among the versions of stored runs that were measured."""
    from harness.analysis.bisect import bisect
    from harness.plugins.reading import observe

    cells = observe(arguments.sources).cells
    hosts = sorted({build.host for x in cells for build in x.builds})
    if arguments.host is not None and arguments.host not in hosts:
        raise UnknownNameError(
            f"--host: '{arguments.host}' is not there; known are {', '.join(hosts) or 'none'}"
        )
    seen = {x.cell: x if arguments.host is None else _on_host(x, arguments.host) for x in cells}
    chosen = _choose(
        arguments, [cell for cell, of_cell in seen.items() if of_cell.builds and not cell.repeat]
    )

    def look_up(versions: Sequence[str]) -> list[CellObservation]:
        return [seen[chosen[version]] for version in versions]

    rules = _rules(arguments.bottleneck)
    return bisect(list(chosen), look_up, arguments.bottleneck, rules=rules, stored=True)


# a matrix


def _live(arguments: argparse.Namespace) -> ChangeLocation:
    """Measure the ends, then what the search asks for; everything goes into one bundle."""
    from harness.analysis.bisect import bisect, check_versions, most_evaluations
    from harness.cli.bisect_live import Measured
    from harness.execution.measuring import open_or_create

    choices = _choices(arguments)
    plan = _planned(choices)
    chosen = _choose(arguments, [cell for cell in plan.cells if not cell.repeat])
    check_versions(list(chosen))
    left_out = _left_out(chosen)
    here = {version: cell for version, cell in chosen.items() if version not in left_out}
    if len(here) < 2:
        reasons = "; ".join(f"{version}: {why}" for version, why in left_out.items())
        raise NothingCanRunError(f"fewer than two of these versions can run here: {reasons}")
    if arguments.no_build:
        from harness.environments.docker.settings import NO_BUILD

        os.environ[NO_BUILD] = "1"
    bundle = open_or_create(plan, choices)
    _say(
        f"run {bundle.manifest.run}: {number_of(len(here), 'version')}, "
        f"at most {most_evaluations(len(here))} of them measured, "
        f"{number_of(plan.rounds(choices), 'build')} each"
    )
    for version, why in left_out.items():
        _say(f"{version} is left out: {why}")
    measured = Measured(bundle, plan, choices, here, _say)
    rules = _rules(arguments.bottleneck)
    try:
        location = bisect(list(here), measured, arguments.bottleneck, rules=rules, say=_say)
    except KeyboardInterrupt:
        _say(f"what was measured is in {bundle.root}; go on with --out {bundle.root} --resume")
        raise
    _say(f"bundle in {bundle.root}")
    return replace(location, cannot_run={**left_out, **location.cannot_run})


def _say(line: str) -> None:
    # On standard error: with --json the answer alone is on standard output.
    print(line, file=sys.stderr, flush=True)


def _choices(arguments: argparse.Namespace) -> Choices:
    from harness.analysis.table import MINIMUM_BUILDS
    from harness.execution.plan import Choices
    from harness.matrix.file import MOST_BUILDS
    from harness.store.bundle import Bundle

    builds = arguments.builds
    if builds is not None and builds > MOST_BUILDS:
        raise BadOptionError(f"--builds: expected a whole number from {MINIMUM_BUILDS} to {MOST_BUILDS}")
    if builds is not None and builds < MINIMUM_BUILDS:
        raise TooFewBuildsError(
            f"--builds: expected {MINIMUM_BUILDS} or more, found {builds}; fewer show no change of any size"
        )
    if builds is None and arguments.resume and arguments.out is not None:
        # Versions are compared with as many builds as those that are there, whatever the matrix says.
        builds = Bundle.open(arguments.out).manifest.rounds
    return Choices(
        matrix=arguments.sources[0],
        out=arguments.out,
        builds=builds,
        resume=arguments.resume,
        retry_failed=arguments.retry_failed,
        executor=arguments.executor,
    )


def _planned(choices: Choices) -> Plan:
    from harness.analysis.table import MINIMUM_BUILDS
    from harness.execution.plan import make_plan
    from harness.plugins import registry

    plan = make_plan(choices, registry.parts())
    if plan.rounds(choices) < MINIMUM_BUILDS:
        raise TooFewBuildsError(
            f"{plan.matrix.path}: one build of each cell shows no change of any size; "
            f"say --builds {MINIMUM_BUILDS} or more"
        )
    return plan


def _left_out(chosen: Mapping[str, Cell]) -> dict[str, str]:
    """Return version to reason of those that preflight refuses, so that no evaluation is spent on them."""
    from harness.execution.preflight import preflight
    from harness.plugins import registry

    reasons = {}
    for item in preflight(chosen.values(), registry.parts()):
        if item.state != "ok":
            reasons[item.cell.version] = "; ".join(part for part in (item.reason, item.remedy) if part)
    return reasons


def _on_host(seen: CellObservation, host: str) -> CellObservation:
    return replace(seen, builds=tuple(build for build in seen.builds if build.host == host))


# which cells


def _choose(arguments: argparse.Namespace, cells: Sequence[Cell]) -> dict[str, Cell]:
    """Return version to cell, oldest first, of the one subject and runtime that the options leave."""
    from harness.versions import version_key

    for option in ("network", "treatment", "runtime"):
        values = {cell: _value(cell, option) for cell in cells}
        asked = getattr(arguments, option)
        known = sorted(set(values.values()))
        if asked is None and len(known) > 1:
            raise NothingToCompareError(f"--{option}: name one of {', '.join(known)}")
        if asked is not None and asked not in known:
            raise UnknownNameError(
                f"--{option}: '{asked}' is not there; known are {', '.join(known) or 'none'}"
            )
        cells = [cell for cell in cells if asked is None or values[cell] == asked]
    by_version = {cell.version: cell for cell in sorted(cells, key=lambda cell: version_key(cell.version))}
    if arguments.versions is None:
        return by_version
    names = [name.strip() for name in arguments.versions.split(",") if name.strip()]
    if unknown := [name for name in names if name not in by_version]:
        near = did_you_mean(unknown[0], by_version)
        raise NoSuchVersionError(
            f"--versions: '{unknown[0]}' is not there{near}; known are {', '.join(by_version) or 'none'}"
        )
    if twice := [name for name in names if names.count(name) > 1]:
        raise BadOptionError(f"--versions: '{twice[0]}' is named twice")
    return {name: by_version[name] for name in names}


def _value(cell: Cell, option: str) -> str:
    return cell.treatment.label if option == "treatment" else str(getattr(cell, option))
