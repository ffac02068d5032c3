"""Measuring a plan into a bundle."""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from harness.distribution import __version__
from harness.environments.base import Limits
from harness.errors import CpuNotAllowedError, OptionsContradictError, OtherRunError
from harness.execution.anchors import Anchors
from harness.execution.elsewhere import FleetSchedule
from harness.execution.fleet import Fleet, FleetExecutor
from harness.execution.job import JobSettings
from harness.execution.neighbours import Watch
from harness.execution.parts import Parts
from harness.execution.plan import Choices, Plan
from harness.execution.schedule import SCRATCH, Schedule
from harness.matrix.cell import Cell
from harness.store.bundle import Bundle
from harness.store.conditions import of_machine, of_neighbours
from harness.store.documents.manifest import Harness, Manifest, Matrix
from harness.store.engines import engines_folder
from harness.store.machine import chosen_gpu, machine_facts
from harness.written import number_of

MOST_AT_ONCE = 8
"""Builds that are made at the same time, however many CPUs there are: their memory is not known before."""


def run_id() -> str:
    """Return a name for a new run that sorts by time: ``20260131-093000-1f3a``."""
    return f"{datetime.now(UTC):%Y%m%d-%H%M%S}-{secrets.token_hex(2)}"


def settings_for(plan: Plan, seed: int) -> JobSettings:
    """Return what all jobs of a run of *plan* have in common."""
    limits = plan.matrix.limits
    return JobSettings(
        measure=plan.matrix.measure,
        limits=Limits(
            seconds=limits.get("seconds", Limits.seconds),
            memory_bytes=int(limits.get("memory_gib", Limits.memory_bytes / 2**30) * 2**30),
            result_bytes=int(limits.get("result_mib", Limits.result_bytes / 2**20) * 2**20),
        ),
        seed=seed,
        affinity=affinity(plan.matrix.cpu),
        build_cpus=build_cpus(plan.matrix.cpu),
        device=chosen_gpu(),
        options=plan.matrix.options,
        processes=plan.matrix.processes,
        cpu=plan.matrix.cpu,
    )


def anchors_of(plan: Plan, choices: Choices) -> Anchors | None:
    """Return whose engines are kept over nights, None where the run is held against none."""
    if choices.history is None or not plan.matrix.anchors:
        return None
    return Anchors(plan.matrix.anchors, engines_folder(choices.history), plan.rounds(choices))


def affinity(cpu: int | None) -> tuple[int, ...] | None:
    """Return the CPUs that a worker is bound to, None where the system binds none.

    :param cpu: the one that is asked for
    :raises UsageError: this process may not use it
    """
    if not hasattr(os, "sched_getaffinity"):
        return None
    allowed = sorted(os.sched_getaffinity(0))
    if cpu is not None and cpu not in allowed:
        raise CpuNotAllowedError(f"[run] cpu = {cpu}: this process may use {allowed} only")
    # The last one: systems tend to put interrupts on the first.
    return (cpu if cpu is not None else allowed[-1],)


def build_cpus(cpu: int | None) -> tuple[int, ...]:
    """Return the CPUs on which builds for the CPU are made at the same time, one on each.

    None at all where *cpu* was asked for: the others are somebody else's then.
    """
    if cpu is not None or not hasattr(os, "sched_getaffinity"):
        return ()
    return tuple(sorted(os.sched_getaffinity(0)))[-MOST_AT_ONCE:]


def open_or_create(plan: Plan, choices: Choices) -> Bundle:
    """Return the bundle a run writes to: a new one, or with ``resume`` the one that is there."""
    out = choices.out or Path("trtmatrix-runs") / run_id()
    if choices.resume:
        if choices.out is None:
            raise OptionsContradictError("--resume needs --out: the folder of the run to go on with")
        bundle = open_to_resume(out, plan)
        for left in out.glob(f"{SCRATCH}*"):  # A run that was killed could not take it away.
            shutil.rmtree(left, ignore_errors=True)
        return bundle
    seed = plan.matrix.seed if plan.matrix.seed is not None else secrets.randbelow(2**31)
    return Bundle.create(out, _manifest(plan, choices, seed))


def open_to_resume(out: Path, plan: Plan) -> Bundle:
    """Open the run in *out* to go on with it.

    :raises UsageError: it was made from another matrix file
    """
    bundle = Bundle.open(out)
    bundle.cells()
    if bundle.manifest.matrix.text != plan.matrix.text:
        raise OtherRunError(out, "was made from another matrix file; start a new run instead of resuming")
    return bundle


def _manifest(plan: Plan, choices: Choices, seed: int) -> Manifest:
    return Manifest(
        run=run_id(),
        state="running",
        started=datetime.now(UTC).replace(microsecond=0),
        harness=Harness(version=__version__),
        machine=machine_facts(),
        seed=seed,
        rounds=plan.rounds(choices),
        matrix=matrix_of(plan),
    )


def matrix_of(plan: Plan) -> Matrix:
    """Return what a manifest says of the matrix file that *plan* was made from."""
    return Matrix(
        file=plan.matrix.path.name,
        description=plan.matrix.description,
        text=plan.matrix.text,
        baseline=plan.matrix.baseline,
        fail_on=tuple(plan.matrix.fail_on),
        material=plan.matrix.material,
        open=plan.matrix.open,
        nights=plan.matrix.nights,
        anchors=plan.matrix.anchors,
    )


def measure(
    plan: Plan,
    choices: Choices,
    cells: Sequence[Cell],
    parts: Parts,
    say: Callable[[str], None] = lambda _line: None,
) -> Bundle:
    """Measure *cells* of *plan* and return the bundle."""
    fleet = fleet_of(plan, parts, say)  # asked for before there is a folder: there may be none
    bundle = open_or_create(plan, choices)
    builds = number_of(plan.rounds(choices), "build")
    say(f"run {bundle.manifest.run}: {number_of(len(cells), 'cell')}, {builds} each")
    measure_into(bundle, plan, choices, cells, parts, say, fleet)
    return bundle


def fleet_of(plan: Plan, parts: Parts, say: Callable[[str], None]) -> Fleet | None:
    """Return the fleet that measures *plan*, connected; None where this machine does.

    :raises UnavailableError: it cannot be reached
    """
    executor = parts.executors[plan.executor]
    if not isinstance(executor, FleetExecutor):
        return None
    return executor.fleet(plan.address, say)


def measure_into(
    bundle: Bundle,
    plan: Plan,
    choices: Choices,
    cells: Sequence[Cell],
    parts: Parts,
    say: Callable[[str], None] = lambda _line: None,
    fleet: Fleet | None = None,
    begin: Mapping[Cell, int] | None = None,
) -> None:
    """Measure *cells* of *plan*, interleaved in rounds, beside what *bundle* holds already.

    :param begin: number of the first build of a cell, where it is not 0: more of it are made
    """
    known = {record.cell.id for record in bundle.cells()}
    for cell in cells:
        if cell.id not in known:
            bundle.set_cell(cell, "pending")
    rounds = plan.rounds(choices)
    bundle.update(state="running", rounds=max(rounds, bundle.manifest.rounds or rounds))
    # Saved before anything is measured: builds of a cell that the manifest does not name are never read.
    bundle.save()
    parts = replace(parts, networks=plan.families)
    settings = replace(settings_for(plan, bundle.manifest.seed or 0), anchors=anchors_of(plan, choices))
    if fleet is None:
        fleet = fleet_of(plan, parts, say)
    make = Schedule if fleet is None else partial(FleetSchedule, fleet)
    schedule = make(
        bundle,
        cells,
        parts,
        settings,
        rounds=rounds,
        executor=plan.executor,
        say=say,
        retry_failed=choices.retry_failed,
        budget=plan.budget(choices),
        check=not choices.quick,
        begin=begin,
    )
    for condition in of_machine(bundle.manifest.machine) if fleet is None else ():
        say(condition.line)
    watch = Watch(own=all(parts.environments[cell.environment].own_processes for cell in cells))
    try:
        schedule.run()
    finally:
        if fleet is not None:
            fleet.close()
        seen = watch.seen() if fleet is None else None
        bundle.update(finished=datetime.now(UTC).replace(microsecond=0), neighbours=seen)
        bundle.save()
    for condition in of_neighbours(bundle.manifest.neighbours):
        say(condition.line)
