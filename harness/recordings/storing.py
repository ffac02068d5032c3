"""One recorded build into a bundle: its files as they came, and what is stated of it."""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from harness.distribution import __version__
from harness.errors import BadOptionError, SameBuildError, UnreadableFileError
from harness.execution.measuring import run_id
from harness.matrix.cell import UNKNOWN, Cell, Treatment
from harness.networks.graph import Graph
from harness.networks.package import as_json, read_structure
from harness.observations.identity import Host, software_of
from harness.observations.tables import write_tables
from harness.plugins import registry
from harness.recordings.recording import ENVIRONMENT, STATUS, Recording
from harness.store.bundle import Bundle
from harness.store.documents.base import write_document
from harness.store.documents.build import Build
from harness.store.documents.manifest import Harness, Manifest, Matrix
from harness.store.documents.result import Result, Setting
from harness.store.documents.samples import Samples, Slice


def open_or_create(out: Path) -> Bundle:
    """Return the bundle *out*, which is made where it is missing."""
    if (out / "manifest.json").exists():
        return Bundle.open(out)
    return Bundle.create(
        out,
        Manifest(
            run=run_id(),
            state="complete",
            started=datetime.now(UTC).replace(microsecond=0),
            harness=Harness(version=__version__),
            rounds=1,
            matrix=Matrix(file="recorded", description="imported recordings"),
        ),
    )


def free_cell(bundle: Bundle, cell: Cell) -> Cell:
    """Return *cell*; as an arm of its own where the run measured the same cell itself."""
    for record in bundle.cells():
        if record.cell.id == cell.id and record.cell.environment != ENVIRONMENT:
            return replace(cell, repeat="-".join(filter(None, (cell.repeat, ENVIRONMENT))))
    return cell


def put_recording(
    bundle: Bundle,
    cell: Cell,
    recording: Recording,
    columns: Mapping[str, list[float | None]],
    facts: dict[str, object],
    network: Graph | None,
) -> None:
    """Put one build of *recording* into *bundle*, and save it.

    :param columns: of its samples, empty where there are none; :param facts: what is known of the build
    :param network: to be kept with it, where nobody else has it
    :raises SameBuildError: the build is there already, from other files
    :raises BadOptionError: the bundle has another network of that name
    """
    names = _names(recording.files)
    digests = {names[path]: _sha256(path) for path in recording.files}
    _refuse_another(bundle, cell, recording.build, digests)
    if network is not None:
        _keep(bundle, cell, network)
    now = datetime.now(UTC)
    facts = {**facts, "files": {names[path]: role for path, role in recording.files.items()}}
    with tempfile.TemporaryDirectory(dir=bundle.root, prefix=".import-") as scratch:
        files = Path(scratch) / "build"
        (files / "evidence").mkdir(parents=True)
        for path, name in names.items():
            shutil.copyfile(path, files / "evidence" / name)
        write_document(files / "result.json", _result(recording.treatment, facts))
        if columns:
            taken = Slice(pass_name="latency", clock="gpu", **columns)  # type: ignore[arg-type]
            write_document(files / "samples.json", Samples(slices=[taken]))
        bundle.put_build(files, _document(bundle, cell, recording.build, facts, digests, now))
    said = facts.get("latency_from")
    reason = "imported from files" if said is None else f"imported from files; latency from the {said}"
    bundle.set_cell(cell, STATUS, reason)
    bundle.update(finished=now, rounds=max(bundle.manifest.rounds or 1, recording.build + 1))
    write_tables(bundle, registry.runtimes())
    bundle.save()


def _keep(bundle: Bundle, cell: Cell, network: Graph) -> None:
    """Keep the structure of a network that is a file: no other command has the file at hand."""
    path = bundle.network_path(cell)
    known = path.exists() and read_structure(path).digest == network.digest
    used = any(bundle.network_path(record.cell) == path for record in bundle.cells())
    if (path.exists() or used) and not known:
        raise BadOptionError(
            f"--network: {bundle.root} has another network called '{cell.network}'; rename the file"
        )
    with tempfile.TemporaryDirectory(dir=bundle.root, prefix=".import-") as scratch:
        structure = Path(scratch) / "network.json"
        structure.write_text(json.dumps(as_json(network)), encoding="utf-8")
        bundle.keep_network(cell, structure)


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
