"""Recorded files into a bundle: a version that nobody runs any more stands beside measured ones.

Nothing is made up. What neither the user, nor ``meta.json``, nor the files state is ``unknown``; the cell's
status is ``recorded``, its environment too, its network's digest stays ``unknown``.
"""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

import harness
from harness.attribution.attribute import attribute, is_unattributed
from harness.attribution.engine import AttributedEngine
from harness.attribution.findings import ConvolutionBlock, block_findings
from harness.attribution.matching import OpMatcher
from harness.errors import SameBuildError, UnreadableFileError
from harness.evidence.reader import read_file
from harness.evidence.record import Record
from harness.execution.measuring import run_id
from harness.matrix.cell import UNKNOWN, Cell, Treatment
from harness.networks.graph import Graph, OpKind
from harness.observations.identity import Host, software_of
from harness.observations.tables import write_tables
from harness.plugins import registry
from harness.runtimes.recorded import gpu_times, merge
from harness.store.bundle import Bundle
from harness.store.documents.base import write_document
from harness.store.documents.build import Build
from harness.store.documents.manifest import Harness, Manifest, Matrix
from harness.store.documents.result import Result, Setting
from harness.store.documents.samples import Samples, Slice

ENVIRONMENT = "recorded"
STATUS = "recorded"


def unknown_treatment() -> Treatment:
    """Return a treatment of which nothing is known."""
    unknown = {name: UNKNOWN for name in Treatment().as_json() if name != "batch"}
    return Treatment.from_json({**unknown, "batch": None})


@dataclass(frozen=True)
class Recording:
    """Files of one build and what is stated about it.

    :param files: path to role (:data:`harness.runtimes.recorded.ROLES`, or empty)
    :param treatment: what is known; the rest ``unknown``
    :param facts: what else is stated: GPU, driver, engine size, host ...
    :param aliases: foreign layer names to source ops
    """

    files: Mapping[Path, str]
    version: str = UNKNOWN
    network: str = UNKNOWN
    treatment: Treatment = field(default_factory=unknown_treatment)
    build: int = 0
    facts: Mapping[str, object] = field(default_factory=dict)
    aliases: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Imported:
    """What became of a recording.

    :param findings: reformats and activations around convolutions
    :param warnings: what the readers could not use
    """

    cell: Cell
    build: int
    engine: AttributedEngine
    findings: tuple[ConvolutionBlock, ...]
    warnings: tuple[str, ...]


def import_recording(recording: Recording, out: Path) -> Imported:
    """Put *recording* into the bundle *out*, which is made where it is missing.

    :raises InputError: a file is torn or in no format that is known, or *out* is no bundle
    :raises UsageError: the build is there already, from other files; an alias is no regular expression
    """
    records = [(role, read_file(path)) for path, role in recording.files.items()]
    evidence = merge(records)
    graph = network_graph(recording.network, recording.treatment)
    if graph is not None:
        OpMatcher(graph, recording.aliases)  # says now what is wrong with an alias
    version = (
        recording.version if recording.version != UNKNOWN else str(evidence.facts.get("tensorrt", UNKNOWN))
    )
    batch = UNKNOWN if recording.treatment.batch is None else recording.treatment.batch
    facts = {**evidence.facts, **recording.facts, "tensorrt": version, "batch": batch}
    engine = attribute(graph, evidence, recording.aliases)
    partial = evidence.partial or lacks_convolutions(engine, whole=bool(evidence.layers))
    if partial != evidence.partial:
        engine = attribute(graph, replace(evidence, partial=partial), recording.aliases)
    cell = Cell(recording.network, recording.treatment, "tensorrt", version, ENVIRONMENT)
    bundle = _bundle(out)
    cell = _free_cell(bundle, cell)
    document = {**facts, "recorded": True, "partial": partial, "aliases": dict(recording.aliases)}
    _put(bundle, cell, recording, records, document)
    warnings = tuple(
        f"{Path(record.file).name}{'' if w.line is None else f':{w.line}'}: {w.text}"
        for _, record in records
        for w in record.warnings
    )
    return Imported(cell, recording.build, engine, block_findings(engine), warnings)


def network_graph(name: str, treatment: Treatment) -> Graph | None:
    """Return the graph of a registered network in the form that *treatment* states, None where unknown."""
    family = registry.networks().get(name)
    if family is None:
        return None
    relu6 = "clip" if treatment.relu6 == UNKNOWN else treatment.relu6
    return family.graph(batch=treatment.batch or 1, relu6=relu6)


def lacks_convolutions(engine: AttributedEngine, *, whole: bool) -> bool:
    """Say whether a profile without engine layers leaves out convolutions of the network.

    Only where every layer that computes was attributed: otherwise the names may merely be foreign.

    :param whole: the engine's own layers are known, so that nothing can be missing
    """
    if whole or engine.graph is None or not engine.layers:
        return False
    if any(is_unattributed(layer) for layer in engine.layers):
        return False
    carried = {op for layer in engine.layers for op in layer.source_ops}
    return any(op.kind is OpKind.CONV and op.name not in carried for op in engine.graph.ops)


def _bundle(out: Path) -> Bundle:
    if (out / "manifest.json").exists():
        return Bundle.open(out)
    return Bundle.create(
        out,
        Manifest(
            run=run_id(),
            state="complete",
            started=datetime.now(UTC).replace(microsecond=0),
            harness=Harness(version=harness.__version__),
            rounds=1,
            matrix=Matrix(file="recorded", description="imported recordings"),
        ),
    )


def _free_cell(bundle: Bundle, cell: Cell) -> Cell:
    """Return *cell*; as an arm of its own where the run measured the same cell itself."""
    for record in bundle.cells():
        if record.cell.id == cell.id and record.cell.environment != ENVIRONMENT:
            return replace(cell, repeat=ENVIRONMENT)
    return cell


def _put(
    bundle: Bundle,
    cell: Cell,
    recording: Recording,
    records: Sequence[tuple[str, Record]],
    facts: dict[str, object],
) -> None:
    names = _names(recording.files)
    digests = {names[path]: _sha256(path) for path in recording.files}
    _refuse_another(bundle, cell, recording.build, digests)
    now = datetime.now(UTC)
    facts = {**facts, "files": {names[path]: role for path, role in recording.files.items()}}
    with tempfile.TemporaryDirectory(dir=bundle.root, prefix=".import-") as scratch:
        files = Path(scratch) / "build"
        (files / "evidence").mkdir(parents=True)
        for path, name in names.items():
            shutil.copyfile(path, files / "evidence" / name)
        write_document(files / "result.json", _result(recording.treatment, facts))
        if columns := gpu_times(records):
            taken = Slice(pass_name="latency", clock="gpu", **columns)  # type: ignore[arg-type]
            write_document(files / "samples.json", Samples(slices=[taken]))
        bundle.put_build(files, _document(bundle, cell, recording.build, facts, digests, now))
    bundle.set_cell(cell, STATUS, "imported from files")
    bundle.update(finished=now, rounds=max(bundle.manifest.rounds or 1, recording.build + 1))
    write_tables(bundle, registry.runtimes())
    bundle.save()


def _document(
    bundle: Bundle,
    cell: Cell,
    build: int,
    facts: Mapping[str, object],
    digests: Mapping[str, str],
    now: datetime,
) -> Build:
    """Return ``build.json``: nothing was run here, so there is no outcome and no comparison of outputs."""
    return Build(
        cell=cell.id,
        build=build,
        status="ok",
        run=bundle.manifest.run,
        pool=bundle.manifest.run,
        round=build,
        host=Host.named(str(facts.get("host", UNKNOWN))),
        software=software_of(cell, {}, facts),
        recorded=now,
        files=dict(digests),
        environment={"kind": ENVIRONMENT},
    )


def _result(treatment: Treatment, facts: Mapping[str, object]) -> Result:
    stated = [(name, value) for name, value in treatment.as_json().items() if value != UNKNOWN]
    settings = [Setting(name=name, value=value) for name, value in stated]
    return Result(status="ok", facts=dict(facts), settings=settings)


def _names(files: Mapping[Path, str]) -> dict[Path, str]:
    """Return path to a name of its own in ``evidence/``: the file's, with its role before it if need be."""
    names: dict[Path, str] = {}
    for path, role in files.items():
        name = path.name if path.name not in names.values() else f"{role or len(names)}-{path.name}"
        names[path] = name
    return names


def _refuse_another(bundle: Bundle, cell: Cell, build: int, digests: Mapping[str, str]) -> None:
    if not bundle.has_build(cell.id, build):
        return
    known = bundle.build(cell.id, build).document.files
    if known != digests:
        raise SameBuildError(
            bundle.root,
            f"build {build} of {cell.id} is there already, from other files; "
            "give this one another number with --build",
        )


def _sha256(path: Path) -> str:
    try:
        return "sha256:" + hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError as error:
        raise UnreadableFileError(path, f"cannot be read: {(error.strerror or str(error)).lower()}") from None
