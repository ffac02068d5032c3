"""Reading stored runs back: from files alone, with no GPU, container or runtime."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from harness.errors import DamagedBundleError, NothingChosenError, PluginError, SameBuildError
from harness.matrix.cell import Cell
from harness.networks.base import NetworkFamily
from harness.networks.graph import Graph
from harness.observations.graphs import Graphs
from harness.observations.identity import UNKNOWN, identity_of
from harness.observations.records import BuildObservation, CellObservation, OutputCheck, RunObservation
from harness.observations.slices import samples_of, slices_of, unthrottled, waited
from harness.runtimes.base import Runtime
from harness.store.archive import folder_of
from harness.store.bundle import BuildRecord, Bundle, CellRecord
from harness.store.documents.base import as_json, read_document
from harness.store.documents.build import Outputs
from harness.store.documents.result import Result
from harness.store.documents.samples import samples_in
from harness.store.files import WRONG_FORM
from harness.store.status import UNREACHED, cell_status, worst_of
from harness.written import number_of


@dataclass(frozen=True)
class _Reader:
    """What reads the builds of a cell.

    :param runtime: None where its plugin is not here; :param searches: see :func:`observe`
    """

    runtime: Runtime | None
    graph: Graph | None
    searches: bool


@dataclass(frozen=True)
class _Readers:
    runtimes: Mapping[str, Runtime]
    graphs: Graphs
    searches: bool

    def of(self, bundle: Bundle, record: CellRecord) -> _Reader:
        runtime = self.runtimes.get(record.cell.runtime)
        return _Reader(runtime, self.graphs.of(bundle, record), self.searches)


def observe(
    runs: Iterable[Path],
    runtimes: Mapping[str, Runtime],
    networks: Mapping[str, NetworkFamily],
    *,
    searches: bool = True,
) -> RunObservation:
    """Read the bundles in *runs*, folders or archives of them, as one observation.

    Builds of one cell from several runs stand side by side; which of them may be pooled their identity says.
    A version in two environments is two cells. The order of cells is that of the first run that holds them.

    :param runtimes, networks: the registered ones, by name
    :param searches: whether what builders tried is read too, which may take longer than all else
    :raises InputError: a folder is no bundle, a file of it is torn, or the same builds are there twice: they
        would count as independent
    :raises NothingChosenError: no run
    """
    named = [Path(run) for run in runs]
    bundles = [Bundle.open(folder_of(run)) for run in named]
    if not bundles:
        raise NothingChosenError("name at least one run: the folder of a bundle")
    made: dict[tuple[object, ...], BuildRecord] = {}
    readers = _Readers(runtimes, Graphs(networks), searches)
    cells: dict[Cell, CellObservation] = {}
    names: set[str] = set()
    for bundle in bundles:
        run = _own_name(bundle, names)
        for record in bundle.cells():
            seen = _cell(bundle, record, run, readers.of(bundle, record), made)
            known = cells.get(record.cell)
            cells[record.cell] = seen if known is None else _joined(known, seen)
    unread = tuple(_without_plugin(cells.values(), runtimes))
    return RunObservation(tuple(named), bundles[0].manifest, tuple(cells.values()), unread)


def _without_plugin(cells: Iterable[CellObservation], runtimes: Mapping[str, Runtime]) -> Iterator[str]:
    """Yield a line for each runtime that is not registered here and has builds in *cells*."""
    counts = Counter(
        seen.cell.runtime for seen in cells if any(build.status == "ok" for build in seen.builds)
    )
    for name, count in counts.items():
        if name not in runtimes:
            whose = number_of(count, "cell")
            said = f"of {whose} only latencies are read; install its plugin"
            yield f"no runtime is called '{name}' here: {said}"


def _own_name(bundle: Bundle, names: set[str]) -> str:
    """Return the run of those builds of *bundle* that state none, and add it to *names*.

    Before builds stated their run, imported and collected runs were called after their folder, of which
    there may be two of one name.
    """
    name = bundle.manifest.run
    if name in names or name == UNKNOWN:
        name = f"{name} in {bundle.root}"
    names.add(name)
    return name


def _joined(first: CellObservation, second: CellObservation) -> CellObservation:
    said = first if first.builds or not second.builds else second
    digest = second.digest if first.digest == UNKNOWN else first.digest
    return replace(
        first, status=said.status, reason=said.reason, builds=first.builds + second.builds, digest=digest
    )


def _cell(
    bundle: Bundle,
    record: CellRecord,
    run: str,
    reader: _Reader,
    made: dict[tuple[object, ...], BuildRecord],
) -> CellObservation:
    records = list(bundle.builds(record.cell.id))
    if record.status == "measured" and not records:
        where = bundle.root / "builds" / record.cell.id
        raise DamagedBundleError(where, "the cell was measured, and none of its builds is there")
    for build in records:
        _refuse_twice(build, made)
    builds = tuple(_checked(build, record, run, reader) for build in records)
    status, reason = _settled(record, records)
    if (
        broken := next((b for b, r in zip(builds, records, strict=True) if b.status != r.status), None)
    ) is not None:
        # It was measured, and its evidence cannot be read here.
        status, reason = broken.status, broken.reason
    return CellObservation(record.cell, status, reason, builds, record.digest)


def _settled(record: CellRecord, builds: Sequence[BuildRecord]) -> tuple[str, str]:
    """Return a cell's status and reason; of one whose run was killed, or still runs, what its builds say."""
    if record.status != "pending":
        return record.status, record.reason
    return cell_status(worst_of(builds)) if builds else ("interrupted", UNREACHED)


def _refuse_twice(record: BuildRecord, made: dict[tuple[object, ...], BuildRecord]) -> None:
    """Refuse a build that is there already, in a copy of its run or under another number."""
    document = record.document
    if document.started is None:
        return
    key = (record.cell_id, document.host.name, document.started, document.round)
    if (known := made.setdefault(key, record)) is not record:
        raise SameBuildError(record.folder, f"the same build as {known.folder}; name each run once")


def _checked(record: BuildRecord, cell: CellRecord, run: str, reader: _Reader) -> BuildObservation:
    """Return :func:`_build`, a file of the wrong form as an error that names its folder."""
    try:
        result = _result(record)
        made = _build(record, result, reader)
        facts = made.facts if made.facts else result.facts
        return replace(made, identity=identity_of(record.document, cell, run, facts))
    except WRONG_FORM as error:
        problem = f"not as a worker leaves it: {type(error).__name__}: {error}"
        raise DamagedBundleError(record.folder, " ".join(problem.split())) from error


def _build(record: BuildRecord, result: Result, reader: _Reader) -> BuildObservation:
    document = record.document
    plain = BuildObservation(
        build=record.build,
        status=record.status,
        host=document.host.name,
        reason=record.reason,
        outputs=_outputs(document.outputs),
        folder=record.folder,
        round=document.round,
        block=document.block,
    )
    if record.status != "ok":
        return plain
    whole = samples_in(record.folder, result.slices)
    stored = whole.slices
    kept = [unthrottled(one) for one in stored]
    throttled = sum(len(one.latency_ms) for one in stored) - sum(len(one.latency_ms) for one in kept)
    passes, enqueue = samples_of(kept)
    slices = slices_of(kept) if document.block else {}
    timed = replace(
        plain,
        passes=passes,
        slices=slices,
        alone=slices_of(map(unthrottled, whole.alone)),
        enqueue_ms=enqueue,
        waited=waited(stored),
        throttled=throttled,
    )
    if reader.runtime is None:
        # Its plugin is not here: what it took is known, and not where the time went.
        return replace(timed, facts=_facts(record, result, {}))
    try:
        return _with_evidence(timed, record, result, reader.runtime, reader)
    except PluginError as error:
        return replace(plain, status="failed", reason=str(error))


def _with_evidence(
    timed: BuildObservation, record: BuildRecord, result: Result, runtime: Runtime, reader: _Reader
) -> BuildObservation:
    evidence = (runtime.read if reader.searches else runtime.read_engine)(record.folder)
    engine = runtime.attribute(reader.graph, evidence)
    if not reader.searches:
        evidence = replace(evidence, tactics=(), skipped_runners=(), combinations=())
    return replace(
        timed,
        evidence=evidence,
        engine=engine,
        facts=_facts(record, result, evidence.facts),
        trials=tuple(runtime.format_trials(record.folder, reader.graph)),
    )


def _facts(record: BuildRecord, said: Result, facts: Mapping[str, object]) -> dict[str, object]:
    """Return the worker's facts with the settings it took and could not take."""
    return {
        **facts,
        **said.facts,
        "settings": [as_json(setting) for setting in said.settings],
        "not_expressible": said.not_expressible,
        "environment": dict(record.document.environment),
        **({"kept_engine": record.document.kept_engine} if record.document.kept_engine else {}),
        "wall_seconds": record.document.outcome.seconds if record.document.outcome else None,
    }


def _result(record: BuildRecord) -> Result:
    """Return what the worker of a build said; one that died may have said nothing."""
    path = record.folder / "result.json"
    return read_document(path, Result) if path.exists() else Result()


def _outputs(checked: Outputs | None) -> OutputCheck | None:
    if checked is None:
        return None
    error = float("inf") if checked.error is None else checked.error
    return OutputCheck(checked.valid, error, checked.bound, checked.top1, checked.reason)
