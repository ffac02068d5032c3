"""Bringing the results of a pack into a bundle: visits are merged, the host stays a level."""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import harness
from harness.environments.base import Outcome
from harness.errors import InputError, UsageError
from harness.execution.inputs import InputStore
from harness.execution.job import describe
from harness.execution.schedule import settle
from harness.matrix.cell import Cell
from harness.networks.base import NetworkFamily
from harness.pack.results import BroughtBuild, PackPlan, Results, gather, latest
from harness.plugins import registry
from harness.store.bundle import Bundle


@dataclass(frozen=True)
class Summary:
    """What :func:`collect` did.

    :param hosts: host to builds of the whole bundle
    :param incomplete: blocks of which a version is missing on the host that began them, a line each
    """

    added: int
    known: int
    total: int
    hosts: Mapping[str, int]
    incomplete: Sequence[str]


@dataclass(frozen=True)
class _Packed:
    """What the environment of a packed version held."""

    facts: Mapping[str, object]


def collect(paths: Sequence[Path], out: Path, families: Mapping[str, NetworkFamily] | None = None) -> Summary:
    """Add the results in *paths* to the bundle *out*, which is made where it is missing.

    Outputs are compared with the reference here, since the host has neither reference nor bounds.

    :param families: networks by name, those that are registered by default
    :raises InputError: the archives are not results of one pack, or of another pack than the bundle's
    """
    out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=out.absolute().parent, prefix=".collect-") as scratch:
        results = gather(paths, Path(scratch) / "brought")
        bundle = _bundle(out, results)
        networks = registry.networks() if families is None else families
        added, known = _add(bundle, results, networks, Path(scratch))
        cells = list(results.plan.cells.values())
        settle(bundle, cells, registry.runtimes())
        builds = list(bundle.builds())
        incomplete = _incomplete(results.plan, [build.document for build in builds])
        _finish(bundle, results, complete=not incomplete and _all_rounds(results.plan, builds))
    hosts = Counter(str(build.document.get("host")) for build in builds)
    return Summary(added, known, len(builds), hosts, incomplete)


def _add(
    bundle: Bundle, results: Results, families: Mapping[str, NetworkFamily], scratch: Path
) -> tuple[int, int]:
    plan = results.plan
    inputs = InputStore(scratch / "inputs", families, int(plan.document["seed"]))
    known = {
        (build.document.get("visit"), build.cell_id, build.document.get("round")) for build in bundle.builds()
    }
    added = 0
    for build in results.builds:
        if build.identity in known:
            continue
        cell = plan.cells.get(str(build.outcome["cell"]))
        if cell is None:
            raise InputError(
                plan.path.name, f"'{build.outcome['cell']}' was measured and is no cell of this plan"
            )
        if cell.network not in families:
            raise UsageError(
                f"network '{cell.network}' is not known here, so its outputs cannot be checked; "
                "name the matrix file it stands in with --matrix"
            )
        document = _document(build, cell, plan, inputs)
        bundle.keep_network(cell, inputs.get(cell).network)
        bundle.put_build(
            cell.id, _free_number(bundle, cell.id, int(build.outcome["round"])), build.folder, document
        )
        added += 1
    return added, len(results.builds) - added


def _document(build: BroughtBuild, cell: Cell, plan: PackPlan, inputs: InputStore) -> dict[str, Any]:
    """Return ``build.json``: what a build measured here would say, and the visit it came from."""
    outcome, job = build.outcome, plan.document["jobs"][cell.id]
    runtime = registry.runtimes()[cell.runtime]
    made = inputs.get(cell)
    if made.graph.digest != job["digest"]:
        raise InputError(
            plan.path.name,
            f"{cell.network} has another digest here ({made.graph.digest[:12]}) than in the pack "
            f"({job['digest'][:12]}); collect with the release that made the pack",
        )
    facts = {"python": plan.document["python"]["version"], "pack": plan.document["id"]}
    said = plan.document["sites"][job["site"]]["facts"]
    ended = Outcome(
        # A result that says 'failed' came from a worker that ended well: the files say the rest.
        status="ok"
        if (build.folder / "result.json").exists() and outcome["exit_code"] == 0
        else outcome["status"],
        reason=str(outcome.get("reason", "")),
        exit_code=outcome.get("exit_code"),
        seconds=float(outcome["seconds"]),
        peak_memory_bytes=outcome.get("peak_memory_bytes"),
        log_tail=str(outcome.get("log_tail", "")),
        facts={key: outcome.get(key) for key in ("gpu_before", "gpu_after", "worker", "seed")},
    )
    document = describe(cell, made, runtime, _Packed({**facts, **said}), ended, build.folder)
    started = datetime.fromtimestamp(float(outcome["started"]), UTC).isoformat(timespec="milliseconds")
    return {
        **document,
        "round": int(outcome["round"]),
        "host": str(outcome["host"]),
        "visit": str(outcome["visit"]),
        "started": started,
    }


def _free_number(bundle: Bundle, cell_id: str, wanted: int) -> int:
    """Return the build's number: its round, or the next one that no other visit's build has."""
    number = wanted
    while bundle.has_build(cell_id, number):
        number += 1
    return number


def _bundle(out: Path, results: Results) -> Bundle:
    """Open the bundle, or make it with the cells of the plan."""
    plan = results.plan
    if (out / "manifest.json").exists():
        bundle = Bundle.open(out)
        if bundle.manifest.get("pack") != plan.document["id"]:
            raise InputError(
                out, f"holds results of another pack ({bundle.manifest.get('pack')}); name a new run"
            )
        return bundle
    bundle = Bundle.create(
        out,
        {
            "run": out.name,
            "state": "running",
            "started": None,
            "finished": None,
            "harness": {"version": harness.__version__},
            "machine": {},
            "seed": plan.document["seed"],
            "rounds": plan.document["builds"],
            "matrix": plan.document["matrix"],
            "pack": plan.document["id"],
            "visits": [],
            "cells": [],
        },
    )
    for cell in plan.cells.values():
        bundle.set_cell(cell, "pending")
    return bundle


def _finish(bundle: Bundle, results: Results, *, complete: bool) -> None:
    """Write what the manifest says of visits, hosts and times."""
    visits = latest([*bundle.manifest.get("visits", []), *results.visits.values()])
    ordered = [visits[name] for name in sorted(visits)]
    started = sorted(str(build.document.get("started", "")) for build in bundle.builds())
    bundle.manifest.update(
        visits=ordered,
        machine=_machine(ordered[-1]) if ordered else {},
        machines=[_machine(visit) for visit in ordered],
        started=started[0] if started else None,
        finished=started[-1] if started else None,
        state="complete" if complete else "interrupted",
    )
    bundle.save()


def _machine(visit: Mapping[str, Any]) -> dict[str, Any]:
    """Return a visit's host in the words of :func:`harness.store.machine.machine_facts`."""
    said = ("host", "system", "kernel", "architecture", "cpu", "cpus")
    gpus = [
        {
            "name": gpu.get("name"),
            "uuid": gpu.get("uuid"),
            "compute_capability": gpu.get("compute_cap"),
            "memory_bytes": _mebibytes(str(gpu.get("memory.total", ""))),
            "driver": gpu.get("driver_version"),
        }
        for gpu in visit.get("gpus", [])
    ]
    return {**{key: visit.get(key) for key in said}, "gpus": gpus}


def _mebibytes(text: str) -> int | None:
    """Return bytes from nvidia-smi's ``143771 MiB``, None where it says something else."""
    number, _, unit = text.partition(" ")
    return int(number) << 20 if number.isdigit() and unit == "MiB" else None


def _all_rounds(plan: PackPlan, builds: Sequence[Any]) -> bool:
    counts = Counter(build.cell_id for build in builds)
    return all(counts[cell] >= int(plan.document["builds"]) for cell in plan.cells)


def _incomplete(plan: PackPlan, documents: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return blocks (host, subject, round) that lack a version that the subject has."""
    versions: dict[str, set[str]] = {}
    for name, cell in plan.cells.items():
        versions.setdefault(cell.subject, set()).add(name)
    found: dict[tuple[str, str, int], set[str]] = {}
    for document in documents:
        cell = plan.cells[str(document["cell"])]
        key = (str(document.get("host")), cell.subject, int(document.get("round", 0)))
        found.setdefault(key, set()).add(cell.id)
    return [
        f"{subject} round {number} on {host} lacks {', '.join(sorted(versions[subject] - cells))}"
        for (host, subject, number), cells in sorted(found.items())
        if cells < versions[subject]
    ]
