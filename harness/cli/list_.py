"""``trtmatrix list versions|networks|runtimes|environments|treatments|executors|runs``."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import Any

Rows = list[dict[str, object]]


def add_parser(commands: Any) -> None:
    """Add the command."""
    parser = commands.add_parser("list", help="what is known here: versions, networks, runtimes ...")
    parser.add_argument("what", choices=sorted(_LISTS))
    parser.add_argument("--json", action="store_true", help="print a JSON array")
    parser.add_argument(
        "--folder", type=Path, default=Path("trtmatrix-runs"), help="where 'list runs' looks (%(default)s)"
    )
    parser.set_defaults(func=run)


def run(arguments: argparse.Namespace) -> int:
    """Print the listing."""
    from harness.cli.listing import print_rows

    print_rows(list(_LISTS[arguments.what](arguments)), as_json=arguments.json)
    return 0


def _versions(_arguments: argparse.Namespace) -> Iterator[dict[str, object]]:
    from harness.plugins import registry

    for runtime in registry.runtimes().values():
        for version in runtime.known_versions():
            bounds = runtime.pythons(version)
            needs = f"Python {_span(bounds)}" if bounds else ""
            place = next((e for e in runtime.environments if e != "docker"), runtime.environments[0])
            yield {
                "runtime": runtime.name,
                "version": version,
                "environment": place,
                "where": "wheel" if place == "venv" else place,
                "needs": needs,
                "here": _here(place, runtime.name, version),
            }
    for environment in registry.environments().values():
        for row in environment.version_rows():
            yield {
                "runtime": row.runtime,
                "version": row.version,
                "environment": environment.name,
                "where": row.where,
                "needs": row.needs,
                "here": _here(environment.name, row.runtime, row.version),
            }


def _here(environment: str, runtime: str, version: str) -> str:
    """Return whether a version can run here, as ``check`` says it: its state, and why it is not ok."""
    from harness.errors import PluginError
    from harness.plugins import registry

    place, needs = registry.environments().get(environment), registry.runtimes().get(runtime)
    if place is None or needs is None:
        return f"unsupported: nothing registered is called '{environment if place is None else runtime}'"
    try:
        found = place.availability(needs, version)
    except PluginError as error:
        return f"failed: {error}"
    return f"{found.state}: {found.reason}" if found.reason else found.state


def _span(bounds: tuple[tuple[int, int], tuple[int, int]]) -> str:
    low, high = (f"{major}.{minor}" for major, minor in bounds)
    return low if low == high else f"{low} to {high}"


def _networks(_arguments: argparse.Namespace) -> Iterator[dict[str, object]]:
    from harness.plugins import registry

    for family in registry.networks().values():
        yield {"network": family.name, "description": family.description}


def _runtimes(_arguments: argparse.Namespace) -> Iterator[dict[str, object]]:
    from harness.plugins import registry

    for runtime in registry.runtimes().values():
        yield {
            "runtime": runtime.name,
            "device": runtime.device,
            "environments": list(runtime.environments),
            "versions": len(runtime.known_versions()),
        }


def _environments(_arguments: argparse.Namespace) -> Iterator[dict[str, object]]:
    from harness.plugins import registry

    for environment in registry.environments().values():
        yield {
            "environment": environment.name,
            "holds": [r.name for r in registry.runtimes().values() if environment.name in r.environments],
        }


def _treatments(_arguments: argparse.Namespace) -> Iterator[dict[str, object]]:
    from harness.plugins import registry

    table = registry.parts().treatments
    for item in table.fields:
        yield {
            "treatment": item.name,
            "values": item.allowed,
            "default": item.default,
            "label": item.text("VALUE"),
            "meaning": item.meaning,
            "runtimes": list(table.runtimes(item)),
        }


def _executors(_arguments: argparse.Namespace) -> Iterator[dict[str, object]]:
    from harness.plugins import registry

    for name in registry.executors():
        yield {"executor": name}


def _runs(arguments: argparse.Namespace) -> Iterator[dict[str, object]]:
    from harness.errors import InputError, NoSuchFileError
    from harness.store.bundle import find_runs

    if arguments.folder.exists() and not arguments.folder.is_dir():
        raise NoSuchFileError(arguments.folder, "expected a folder of runs")
    for root in find_runs(arguments.folder):
        try:
            said = _run(root)
        except InputError as error:
            # One torn run among others hides none of them.
            said = {"started": None, "state": f"unreadable: {error}", "cells": None, "matrix": None}
        yield {"run": str(root), **said}


def _run(root: Path) -> dict[str, object]:
    from harness.store.bundle import Bundle

    bundle = Bundle.open(root)
    return {
        "started": None if bundle.manifest.started is None else bundle.manifest.began,
        "state": bundle.manifest.state,
        "cells": len(bundle.cells()),
        "matrix": bundle.manifest.matrix.file,
    }


_LISTS = {
    "versions": _versions,
    "networks": _networks,
    "runtimes": _runtimes,
    "environments": _environments,
    "treatments": _treatments,
    "executors": _executors,
    "runs": _runs,
}
