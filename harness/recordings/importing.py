"""Recorded files into a bundle: a version that nobody runs any more stands beside measured ones.

Nothing is made up. What neither the user, nor ``meta.json``, nor the files state is ``unknown``; the cell's
status is ``recorded``, its environment too, its network's digest stays ``unknown``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median

from harness.attribution.attribute import attribute, is_unattributed
from harness.attribution.engine import AttributedEngine
from harness.attribution.findings import block_findings
from harness.attribution.matching import OpMatcher
from harness.errors import BadOptionError, NetworkTreatmentError, NotRecognisedError
from harness.evidence.reader import read_file
from harness.evidence.record import Record
from harness.matrix.cell import UNKNOWN, Cell, Treatment
from harness.networks.base import OwnFamily
from harness.networks.graph import Graph, OpKind
from harness.plugins import registry
from harness.recordings.recording import ENVIRONMENT, Imported, Recording
from harness.recordings.storing import free_cell, open_or_create, put_recording
from harness.runtimes.recorded import engines_of, gpu_times, merge, of_engine, summary_latency


def import_recording(recording: Recording, out: Path) -> tuple[Imported, ...]:
    """Put *recording* into the bundle *out*, which is made where it is missing.

    Files of several engines are a build each, in their order: of one cell where the engines have most layers
    in common and their runs' command lines, if printed, are the same; else of cells of their own.

    :raises InputError: a file is torn, or none is in a format that is known, or *out* is no bundle
    :raises UsageError: the build is there already, from other files; an alias is no regular expression
    """
    records, warnings = _read(recording)
    recording = replace(recording, files={Path(record.file): role for role, record in records})
    engines = engines_of(records)
    if recording.engine is not None and recording.engine >= engines:
        raise BadOptionError(f"engine {recording.engine} was asked for; the files describe {engines}, from 0")
    numbers = range(engines) if recording.engine is None else [recording.engine]
    groups: list[_Group] = []
    done: list[Imported] = []
    for number in numbers:
        of_one = of_engine(records, number)
        names, command = _layer_names(of_one), _command(of_one)
        group = next((each for each in groups if each.takes(names, command)), None)
        if group is None:
            group = _Group(names, command, f"engine{number}" if groups else "")
            unsaid = groups and not (names and groups[0].names) and not (command and groups[0].command)
            warnings += (_APART.format(number),) if unsaid else ()
            groups.append(group)
        one = replace(recording, build=recording.build + group.builds, engine=number if engines > 1 else None)
        group.builds += 1
        done.append(_import_one(one, of_one, out, apart=group.apart, warnings=warnings))
        warnings = ()
    return tuple(done)


_APART = (
    "engine {}: neither layers nor a command line say that it is a build of the same network: it is a cell "
    "of its own; --engine takes one"
)


@dataclass
class _Group:
    """Engines of one recording that are builds of one cell.

    :param names: layers of the first, empty where none are printed; :param command: of its run, if printed
    :param apart: what tells their cell from those of other groups; :param builds: how many there are
    """

    names: set[str]
    command: str | None
    apart: str
    builds: int = 0

    def takes(self, names: set[str], command: str | None) -> bool:
        """Say whether another engine is a build of the same cell.

        It was started with the same command, or nothing says how and the two share most layers. Without
        either sign it is not: two summaries alone may be of two networks.
        """
        if self.command is not None and command is not None and self.command != command:
            return False
        if self.names and names:
            return 2 * len(self.names & names) > min(len(self.names), len(names))
        return self.command is not None and self.command == command


def _read(recording: Recording) -> tuple[list[tuple[str, Record]], tuple[str, ...]]:
    """Read the files; what a folder holds besides recordings is left out, and said."""
    records: list[tuple[str, Record]] = []
    problems: list[NotRecognisedError] = []
    for path, role in recording.files.items():
        try:
            records.append((role, read_file(path)))
        except NotRecognisedError as error:
            if role:
                raise
            problems.append(error)
    if not records:
        raise problems[0]
    said = [f"left out: {error}" for error in problems]
    for kind in ("profile", "times"):
        holding = [record for role, record in records if kind in record.facts.kinds]
        named = [record for role, record in records if role == kind and kind in record.facts.kinds]
        if len(holding) > 1 and not named:
            names = ", ".join(Path(record.file).name for record in holding)
            said.append(
                f"{kind} in several files ({names}): that of the first is used; name one with --{kind}"
            )
    said += [
        f"{Path(record.file).name}{'' if w.line is None else f':{w.line}'}: {w.text}"
        for _, record in records
        for w in record.warnings
    ]
    return records, tuple(said)


def _layer_names(records: Sequence[tuple[str, Record]]) -> set[str]:
    """Return the names of the layers that the files of one engine speak of."""
    for key in ("profile", "engine_layers"):
        names = {row.name for _, record in records for row in getattr(record, key)}
        if names:
            return names
    return {row[1] for _, record in records for row in record.tactic_rows}


def _command(records: Sequence[tuple[str, Record]]) -> str | None:
    """Return what the run of one engine was started with, where its files print it."""
    return next((record.facts.commands[0] for _, record in records if 0 in record.facts.commands), None)


def _import_one(
    recording: Recording,
    records: Sequence[tuple[str, Record]],
    out: Path,
    *,
    apart: str,
    warnings: tuple[str, ...],
) -> Imported:
    evidence = merge(records)
    graph = _own_graph(recording.own, recording.treatment) if recording.own is not None else None
    kept = graph
    if graph is None:
        graph = network_graph(recording.network, recording.treatment)
    if graph is not None:
        OpMatcher(graph, recording.aliases)  # says now what is wrong with an alias
    version = (
        recording.version if recording.version != UNKNOWN else str(evidence.facts.get("tensorrt", UNKNOWN))
    )
    batch = UNKNOWN if recording.treatment.batch is None else recording.treatment.batch
    facts = {**evidence.facts, **recording.facts, "tensorrt": version, "batch": batch}
    columns = gpu_times(records)
    printed, what = ([], "") if columns else summary_latency(records)
    if printed:
        columns = {"latency_ms": list(printed)}
        facts["latency_from"] = f"printed summary: {what}, no samples"
    if recording.engine is not None:
        facts["engine"] = recording.engine
    engine = attribute(graph, evidence, recording.aliases)
    partial = evidence.partial or lacks_convolutions(engine, whole=bool(evidence.layers))
    if partial != evidence.partial:
        engine = attribute(graph, replace(evidence, partial=partial), recording.aliases)
    cell = Cell(recording.network, recording.treatment, "tensorrt", version, ENVIRONMENT, repeat=apart)
    bundle = open_or_create(out)
    cell = free_cell(bundle, cell)
    document = {**facts, "recorded": True, "partial": partial, "aliases": dict(recording.aliases)}
    put_recording(bundle, cell, recording, columns, document, kept)
    latency = (median(printed), what) if printed else None
    findings = block_findings(engine)
    return Imported(cell, recording.build, engine, findings, warnings, recording.engine, latency)


def network_graph(name: str, treatment: Treatment) -> Graph | None:
    """Return the graph of a registered network in the form that *treatment* states, None where unknown."""
    family = registry.networks().get(name)
    if family is None:
        return None
    relu6 = "clip" if treatment.relu6 == UNKNOWN else treatment.relu6
    return family.graph(batch=treatment.batch or 1, relu6=relu6)


def _own_graph(own: OwnFamily, treatment: Treatment) -> Graph:
    """Return the graph of a file in the form it has, where *treatment* states none."""
    fixed = next((sizes[0] for sizes in own.inputs.values() if sizes), None)
    batch = treatment.batch or (fixed if isinstance(fixed, int) and fixed > 0 else 1)
    if treatment.relu6 != UNKNOWN:
        return own.graph(batch=batch, relu6=treatment.relu6)
    try:
        return own.graph(batch=batch)
    except NetworkTreatmentError:
        return own.graph(batch=batch, relu6="relu_sub")


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
