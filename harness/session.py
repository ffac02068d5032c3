"""A run as one object: the matrix, its cells, the bundle they are measured into, what can be read from it."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import harness
from harness import registry
from harness.environments.base import Limits
from harness.errors import UsageError
from harness.executors.job import JobSettings
from harness.executors.schedule import Parts, Schedule
from harness.matrix.cell import Cell
from harness.matrix.expand import expand
from harness.matrix.file import MatrixFile, read_matrix
from harness.networks.base import NetworkFamily
from harness.networks.user_onnx import onnx_family
from harness.resources import data_folder
from harness.store.bundle import Bundle
from harness.store.machine import gpus, machine_facts


@dataclass(frozen=True)
class Choices:
    """What the user chose on the command line or in the ini file; None: as the matrix file says.

    :param networks: ONNX files named with ``--network``; they replace the matrix's own networks
    """

    matrix: Path | None = None
    out: Path | None = None
    builds: int | None = None
    quick: bool = False
    resume: bool = False
    retry_failed: bool = False
    networks: tuple[Path, ...] = ()


@dataclass(frozen=True)
class Plan:
    """A matrix with every name resolved."""

    matrix: MatrixFile
    cells: tuple[Cell, ...]
    families: Mapping[str, NetworkFamily]

    def rounds(self, choices: Choices) -> int:
        """Return how many builds a cell gets."""
        if choices.builds is not None:
            return choices.builds
        return self.matrix.quick_builds if choices.quick else self.matrix.builds


def default_matrix() -> Path:
    """Return the embedded default matrix file."""
    return data_folder("suites") / "default.toml"


def make_plan(choices: Choices) -> Plan:
    """Read the matrix file and expand it to cells.

    :raises InputError: the file is not a matrix file, or names something unknown
    """
    matrix = read_matrix(choices.matrix or default_matrix())
    families = dict(registry.networks())
    own = {name: onnx_family(name, path) for name, path in matrix.networks.items()}
    named = {network_name(path): onnx_family(network_name(path), path) for path in choices.networks}
    families.update({**own, **named})
    if named:
        blocks = tuple(replace(block, networks=tuple(named)) for block in matrix.blocks)
        matrix = replace(matrix, blocks=blocks)
    environments = registry.environments()

    def resolve(runtime: str, environment: str, said: str) -> Sequence[str]:
        resolver = getattr(environments[environment], "resolve", None)
        found: Sequence[str] = resolver(runtime, said) if resolver is not None else [said]
        return found

    cells = expand(
        matrix,
        networks=families,
        runtimes={name: runtime.environments for name, runtime in registry.runtimes().items()},
        environments=environments,
        resolve=resolve,
    )
    return Plan(matrix, tuple(cells), families)


def stored_plan(root: Path) -> Plan:
    """Return the plan that the run stored in *root* was made from, with the cells that it holds.

    :raises InputError: no bundle
    """
    bundle = Bundle.open(root)
    said = bundle.manifest.get("matrix", {})
    records = bundle.cells()
    builds = [build.build + 1 for build in bundle.builds()]
    matrix = MatrixFile(
        path=Path(said.get("file", "recorded")),
        text=said.get("text", ""),
        description=said.get("description", ""),
        builds=max(builds, default=1),
        baseline=said.get("baseline", "previous"),
        fail_on=tuple(said.get("fail_on", ())),
    )
    return Plan(matrix, tuple(record.cell for record in records), {})


def network_name(path: Path) -> str:
    """Return the name that an ONNX file given with ``--network`` gets: its stem, made fit for an id."""
    return "".join(c if c.isalnum() or c in "_." else "_" for c in path.stem).lstrip("._") or "network"


def run_id() -> str:
    """Return a name for a new run that sorts by time: ``20260131-093000-1f3a``."""
    return f"{datetime.now(UTC):%Y%m%d-%H%M%S}-{secrets.token_hex(2)}"


def settings_for(plan: Plan, seed: int) -> JobSettings:
    """Return what all jobs of a run of *plan* have in common."""
    limits = plan.matrix.limits
    found = gpus()
    return JobSettings(
        measure=plan.matrix.measure,
        limits=Limits(
            seconds=limits.get("seconds", Limits.seconds),
            memory_bytes=int(limits.get("memory_gib", Limits.memory_bytes / 2**30) * 2**30),
            result_bytes=int(limits.get("result_mib", Limits.result_bytes / 2**20) * 2**20),
        ),
        seed=seed,
        affinity=_affinity(plan.matrix.cpu),
        device=str(found[0]["uuid"]) if found else None,
        options=plan.matrix.options,
    )


def _affinity(cpu: int | None) -> tuple[int, ...] | None:
    if not hasattr(os, "sched_getaffinity"):
        return None
    allowed = sorted(os.sched_getaffinity(0))
    if cpu is not None and cpu not in allowed:
        raise UsageError(f"[run] cpu = {cpu}: this process may use {allowed} only")
    # The last one: systems tend to put interrupts on the first.
    return (cpu if cpu is not None else allowed[-1],)


def open_or_create(plan: Plan, choices: Choices, cells: Sequence[Cell]) -> Bundle:
    """Return the bundle a run writes to: a new one, or with ``resume`` the one that is there."""
    out = choices.out or Path("trtmatrix-runs") / run_id()
    if choices.resume:
        if choices.out is None:
            raise UsageError("--resume needs --out: the folder of the run to go on with")
        bundle = Bundle.open(out)
        if bundle.manifest.get("matrix", {}).get("text") != plan.matrix.text:
            raise UsageError(f"{out}: was made from another matrix file; start a new run instead of resuming")
        bundle.manifest["state"] = "running"
        return bundle
    seed = plan.matrix.seed if plan.matrix.seed is not None else secrets.randbelow(2**31)
    bundle = Bundle.create(out, _manifest(plan, choices, seed))
    for cell in cells:
        bundle.set_cell(cell, "pending")
    bundle.save()
    return bundle


def _manifest(plan: Plan, choices: Choices, seed: int) -> dict[str, Any]:
    return {
        "run": run_id(),
        "state": "running",
        "started": datetime.now(UTC).isoformat(timespec="seconds"),
        "finished": None,
        "harness": {"version": harness.__version__},
        "machine": machine_facts(),
        "seed": seed,
        "rounds": plan.rounds(choices),
        "matrix": {
            "file": plan.matrix.path.name,
            "description": plan.matrix.description,
            "text": plan.matrix.text,
            "baseline": plan.matrix.baseline,
            "fail_on": list(plan.matrix.fail_on),
        },
        "cells": [],
    }


def measure(
    plan: Plan, choices: Choices, cells: Sequence[Cell], say: Callable[[str], None] = lambda _line: None
) -> Bundle:
    """Measure *cells* of *plan* and return the bundle."""
    bundle = open_or_create(plan, choices, cells)
    say(f"run {bundle.manifest['run']}: {len(cells)} cells, {plan.rounds(choices)} builds each")
    parts = Parts(registry.runtimes(), registry.environments(), plan.families, registry.executors()["local"])
    settings = settings_for(plan, int(bundle.manifest["seed"]))
    schedule = Schedule(
        bundle,
        cells,
        parts,
        settings,
        rounds=plan.rounds(choices),
        say=say,
        retry_failed=choices.retry_failed,
    )
    try:
        schedule.run()
    finally:
        bundle.manifest["finished"] = datetime.now(UTC).isoformat(timespec="seconds")
        bundle.save()
    return bundle
