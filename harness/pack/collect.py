"""Bringing the results of a pack into a bundle: visits are merged, the host stays a level."""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from msgspec import structs

from harness.distribution import __version__
from harness.environments.base import Outcome
from harness.errors import OtherRunError, PackResultsError, UnknownNameError
from harness.execution.inputs import InputStore
from harness.execution.job import describe
from harness.execution.settle import settle
from harness.matrix.cell import Cell
from harness.networks.base import NetworkFamily
from harness.pack.results import BroughtBuild, BroughtPlan, Results, gather, latest
from harness.plugins import registry
from harness.store.bundle import BuildRecord, Bundle
from harness.store.documents.base import UNKNOWN
from harness.store.documents.build import Build
from harness.store.documents.machine import Gpu, Machine
from harness.store.documents.manifest import Harness, Manifest
from harness.store.documents.origin import CPU, Host
from harness.store.documents.visit import Visit, VisitBuild


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
    hosts = Counter(build.document.host.name for build in builds)
    return Summary(added, known, len(builds), hosts, incomplete)


def _add(
    bundle: Bundle, results: Results, families: Mapping[str, NetworkFamily], scratch: Path
) -> tuple[int, int]:
    plan = results.plan
    inputs = InputStore(scratch / "inputs", families, plan.document.seed)
    known = {(build.document.visit, build.cell_id, build.document.round) for build in bundle.builds()}
    added = 0
    for build in results.builds:
        if build.identity in known:
            continue
        cell = plan.cells.get(build.outcome.cell)
        if cell is None:
            raise PackResultsError(
                plan.path.name, f"'{build.outcome.cell}' was measured and is no cell of this plan"
            )
        if cell.network not in families:
            raise UnknownNameError(
                f"network '{cell.network}' is not known here, so its outputs cannot be checked; "
                "name the matrix file it stands in with --matrix"
            )
        number = _free_number(bundle, cell.id, build.outcome.round)
        document = _document(build, number, cell, plan, inputs)
        bundle.keep_network(cell, inputs.get(cell).network)
        bundle.put_build(build.folder, document)
        added += 1
    return added, len(results.builds) - added


def _document(build: BroughtBuild, number: int, cell: Cell, plan: BroughtPlan, inputs: InputStore) -> Build:
    """Return ``build.json``: what a build measured here would say, and the visit it came from."""
    outcome, job = build.outcome, plan.document.jobs[cell.id]
    runtime = registry.runtimes()[cell.runtime]
    made = inputs.get(cell)
    if made.graph.digest != job.digest:
        raise PackResultsError(
            plan.path.name,
            f"{cell.network} has another digest here ({made.graph.digest[:12]}) than in the pack "
            f"({job.digest[:12]}); collect with the release that made the pack",
        )
    facts = {"python": plan.document.python.version, "pack": plan.document.id}
    ended = Outcome(
        # A result that says 'failed' came from a worker that ended well: the files say the rest.
        status="ok" if (build.folder / "result.json").exists() and outcome.exit_code == 0 else outcome.status,
        reason=outcome.reason,
        exit_code=outcome.exit_code,
        seconds=outcome.seconds,
        peak_memory_bytes=outcome.peak_memory_bytes,
        log_tail=outcome.log_tail,
        facts={
            "gpu_before": list(outcome.gpu_before),
            "gpu_after": list(outcome.gpu_after),
            "worker": outcome.worker,
            "seed": outcome.seed,
        },
    )
    held = _Packed({**facts, **plan.document.sites[job.site].facts})
    started = datetime.fromtimestamp(outcome.started, UTC)
    host, run = Host.named(outcome.host), _run(outcome, plan.document.id)
    return structs.replace(
        describe(cell, number, made, runtime, held, ended, build.folder),
        run=run,
        pool=run,
        round=outcome.round,
        block=outcome.block,
        lost_processes=list(outcome.lost_processes),
        host=host if host.device != UNKNOWN else structs.replace(host, device=CPU),
        visit=outcome.visit,
        started=started,
        ended=started + timedelta(seconds=outcome.seconds),
    )


def _run(outcome: VisitBuild, pack: str) -> str:
    """Return the run of a build; before visits stated theirs it was whatever one pack measured."""
    return f"pack-{pack}" if outcome.run == UNKNOWN else outcome.run


def _free_number(bundle: Bundle, cell_id: str, wanted: int) -> int:
    """Return the build's number: its round, or the next one that no other visit's build has."""
    number = wanted
    while bundle.has_build(cell_id, number):
        number += 1
    return number


def _bundle(out: Path, results: Results) -> Bundle:
    """Open the bundle, or make it with the cells of the plan."""
    plan = results.plan.document
    if (out / "manifest.json").exists():
        bundle = Bundle.open(out)
        if bundle.manifest.pack != plan.id:
            raise OtherRunError(
                out, f"holds results of another pack ({bundle.manifest.pack}); name a new run"
            )
        return bundle
    manifest = Manifest(
        # Of the first build: parts of a run carry its id, whichever bundle they are collected into.
        run=_run(results.builds[0].outcome, plan.id) if results.builds else f"pack-{plan.id}",
        state="running",
        harness=Harness(version=__version__),
        seed=plan.seed,
        rounds=plan.builds,
        matrix=plan.matrix,
        pack=plan.id,
    )
    bundle = Bundle.create(out, manifest)
    for cell in results.plan.cells.values():
        bundle.set_cell(cell, "pending")
    return bundle


def _finish(bundle: Bundle, results: Results, *, complete: bool) -> None:
    """Write what the manifest says of visits, hosts and times."""
    visits = latest([*bundle.manifest.visits, *results.visits.values()])
    ordered = [visits[name] for name in sorted(visits)]
    started = sorted(b.document.started for b in bundle.builds() if b.document.started is not None)
    bundle.update(
        visits=tuple(ordered),
        machine=_machine(ordered[-1]) if ordered else Machine(),
        machines=tuple(map(_machine, ordered)),
        started=started[0] if started else None,
        finished=started[-1] if started else None,
        state="complete" if complete else "interrupted",
    )
    bundle.save()


def _machine(visit: Visit) -> Machine:
    """Return a visit's host in the words of :func:`harness.store.machine.machine_facts`."""
    return Machine(
        host=visit.host,
        system=visit.system,
        kernel=visit.kernel,
        architecture=visit.architecture,
        cpu=visit.cpu,
        cpus=visit.cpus,
        gpus=tuple(
            Gpu(
                name=gpu.get("name"),
                uuid=gpu.get("uuid"),
                compute_capability=gpu.get("compute_cap"),
                memory_bytes=_mebibytes(gpu.get("memory.total", "")),
                driver=gpu.get("driver_version"),
            )
            for gpu in visit.gpus
        ),
    )


def _mebibytes(text: str) -> int | None:
    """Return bytes from nvidia-smi's ``143771 MiB``, None where it says something else."""
    number, _, unit = text.partition(" ")
    return int(number) << 20 if number.isdigit() and unit == "MiB" else None


def _all_rounds(plan: BroughtPlan, builds: Sequence[BuildRecord]) -> bool:
    counts = Counter(build.cell_id for build in builds)
    return all(counts[cell] >= plan.document.builds for cell in plan.cells)


def _incomplete(plan: BroughtPlan, documents: Sequence[Build]) -> list[str]:
    """Return blocks (host, subject, round) that lack a version that the subject has."""
    versions: dict[str, set[str]] = {}
    for name, cell in plan.cells.items():
        versions.setdefault(cell.subject, set()).add(name)
    found: dict[tuple[str, str, int], set[str]] = {}
    for document in documents:
        cell = plan.cells[document.cell]
        found.setdefault((document.host.name, cell.subject, document.round), set()).add(cell.id)
    return [
        f"{subject} round {number} on {host} lacks {', '.join(sorted(versions[subject] - cells))}"
        for (host, subject, number), cells in sorted(found.items())
        if cells < versions[subject]
    ]
