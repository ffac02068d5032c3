"""A verdict made into a folder for a bug report: cut, measured where that can be, made small, written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from harness.analysis.grid import Grid
from harness.analysis.groups import BuildGroup
from harness.analysis.verdict import Verdict
from harness.errors import NothingToReproduceError, OtherRunError
from harness.networks.graph import Graph
from harness.plugins import registry
from harness.reproduce.carriers import Carrier, carriers_of, change_of, sides_of
from harness.reproduce.measuring import PIECE, PieceMeasurer, Say, Versions, piece_name, versions_of
from harness.reproduce.network import network_of
from harness.reproduce.search import Measured, Search
from harness.reproduce.sides import format_at, side_of
from harness.reproduce.text import Told, bug_report, commands
from harness.reproduce.whole import Nodes, Whole
from harness.runtimes.outside import Asked, Outside
from harness.store.documents.base import read_document, write_document
from harness.store.documents.reproduction import CarrierRecord, PieceRecord, Reproduction
from harness.store.files import write_text

DOCUMENT = "reproduction.json"
TEXT = "bug-report.md"
MEASURED = "measured"

NOT_ASKED = "it was not asked for"


@dataclass(frozen=True)
class Wish:
    """What the user asks for.

    :param out: folder to write; :param layer: to begin with, None for the largest
    :param network: file of a network that is not registered; :param shapes: as ``--shape`` takes them
    :param minutes: for all pieces, one that is begun is finished; 0 to cut and write only
    :param builds: of each version
    """

    out: Path
    layer: str | None = None
    network: Path | None = None
    shapes: tuple[str, ...] = ()
    minutes: float = 10.0
    builds: int = 3
    environment: str | None = None


@dataclass
class Reproducing:
    """One verdict on its way into a folder."""

    grid: Grid
    verdict: Verdict
    wish: Wish
    say: Say
    old: BuildGroup = field(init=False)
    new: BuildGroup = field(init=False)
    carriers: Sequence[Carrier] = field(init=False)
    change: float = field(init=False)
    graph: Graph = field(init=False)
    whole: Whole = field(init=False)
    versions: Versions = field(init=False)

    def __post_init__(self) -> None:
        self.old, self.new = sides_of(self.grid, self.verdict)
        self.carriers = carriers_of(self.verdict, self.old, self.new, self.wish.layer)
        change = change_of(self.verdict, self.carriers)
        if change is None or change == 1:
            raise NothingToReproduceError(
                f"{self.verdict.name}: no layer times say by how much its layers changed"
            )
        self.change = change
        families = registry.networks()
        self.graph = network_of(self.new, families, self.wish.network, self.wish.shapes)
        runtime = registry.runtimes()[self.verdict.runtime]
        opsets = (runtime.onnx_opset(group.cell.version) for group in (self.old, self.new))
        self.whole = Whole.of(self.graph, min(opsets))
        self.versions = versions_of(self.old, self.new, self.wish.environment)

    def run(self) -> Reproduction:
        """Cut, measure and write; return what was found."""
        out = self.wish.out
        found = self._begun()
        write_document(out / DOCUMENT, found)
        nodes = [self.whole.places(one.ops) for one in self.carriers]
        first = self.whole.connected(next((one for one in nodes if one), frozenset()))
        if not first:
            raise NothingToReproduceError(f"{self.verdict.name}: its layers come from no node of the network")
        _write_piece(self.whole, first, out / PIECE)
        measurer = PieceMeasurer(
            self.whole,
            self.versions,
            out / MEASURED,
            self.change,
            self.wish.builds,
            60 * self.wish.minutes,
            self.say,
        )
        problem = measurer.problem(out / PIECE) if self.wish.minutes else NOT_ASKED
        search = Search(self.whole, measurer, self.change)
        shown = None if problem else search.find(nodes)
        again = measurer.again(shown) if shown else None
        piece = shown or first
        _write_piece(self.whole, piece, out / PIECE)
        found = msgspec.structs.replace(
            found,
            **self._ended(search, problem, shown, again),
            ops=list(self.whole.names(piece)),
            neighbours=list(self.whole.names(piece - search.began)) if shown else [],
            inputs=_shapes(self.whole, self.whole.inputs(piece)),
            outputs=_shapes(self.whole, self.whole.outputs(piece)),
            compare=self._compare_line(),
        )
        alone = measurer.builds_of(piece) if piece in search.measured else ()
        return self._written(found, piece, alone)

    def _ended(
        self, search: Search, problem: str, shown: Nodes | None, again: Measured | None
    ) -> dict[str, Any]:
        """Return how the search ended: state, reason, and the pieces that were measured.

        :param problem: why nothing could be measured; :param again: of *shown*, in new builds
        """
        if not problem and not search.measured:
            problem = "there was no time"
        state, reason = "shown" if shown else "not shown", problem
        if problem:
            state = "not measured"
        elif again is not None and not again.confirms(self.change):
            state, reason = "not shown", "new builds of the piece did not show it"
        elif search.stopped:
            reason = "the time was over before the search was"
        pieces = [
            self._record(one, said, again if one == shown else None) for one, said in search.measured.items()
        ]
        return {"state": state, "reason": reason, "pieces": pieces}

    def _begun(self) -> Reproduction:
        """Return the document with what is known before anything is measured."""
        verdict = self.verdict
        return Reproduction(
            state="running",
            verdict=verdict.name,
            run=self.grid.run.manifest.run,
            runtime=verdict.runtime,
            old=self.old.cell.version,
            new=self.new.cell.version,
            network=verdict.network,
            treatment=verdict.treatment,
            host=verdict.host,
            change=self.change,
            carriers=[
                CarrierRecord(
                    name=one.name,
                    ops=list(one.ops),
                    old_ms=one.old_ms,
                    new_ms=one.new_ms,
                    changed=one.changed,
                )
                for one in self.carriers
            ],
        )

    def _record(self, nodes: Nodes, said: Measured, again: Measured | None) -> PieceRecord:
        return PieceRecord(
            folder=f"{MEASURED}/{piece_name(self.whole.cut(nodes))}",
            ops=list(self.whole.names(nodes)),
            effect=said.effect,
            interval=said.interval,
            builds=said.builds,
            old_ms=said.old_ms,
            new_ms=said.new_ms,
            shows=said.shows(self.change),
            again=None if again is None else again.interval,
            reason=said.reason,
        )

    def _compare_line(self) -> str:
        own = self.versions
        said = {**own.treatment, **({"batch": str(own.batch)} if own.batch != 1 else {})}
        options = "".join(f" --{name.replace('_', '-')} {value}" for name, value in said.items())
        return f"trtmatrix compare {own.runtime}=={own.old} {own.runtime}=={own.new} {PIECE}{options}"

    def _written(self, found: Reproduction, piece: Nodes, alone: Sequence[BuildGroup]) -> Reproduction:
        """Write text, scripts and document of *piece*, of which *alone* are the builds."""
        ops = [op for op, place in self.whole.ops.items() if place in piece]
        lines = self._outside("old", self.old, piece), self._outside("new", self.new, piece)
        found = msgspec.structs.replace(
            found, commands=commands(dict(zip(("old", "new"), lines, strict=True)))
        )
        sides = side_of(self.old, ops), side_of(self.new, ops)
        apart = tuple(side_of(group, found.ops) for group in alone)
        for line in lines:
            for name, text in line.files.items() if line is not None else ():
                write_text(self.wish.out / name, text)
        report = bug_report(Told(self.verdict, found, self.old, self.new, sides, apart, lines))
        write_text(self.wish.out / TEXT, report)
        write_document(self.wish.out / DOCUMENT, found)
        return found

    def _outside(self, side: str, group: BuildGroup, piece: Nodes) -> Outside | None:
        """Return how *piece* is measured without trtmatrix in the version of *group*."""
        runtime = registry.runtimes()[group.cell.runtime]
        environment = next((build.facts.get("environment") for build in group.good), None)
        python = environment.get("python", "") if isinstance(environment, Mapping) else ""
        return runtime.outside(
            Asked(
                side=side,
                version=group.cell.version,
                treatment=group.cell.treatment,
                file=PIECE,
                inputs=self._formats(group, piece, self.whole.inputs(piece), read=True),
                outputs=self._formats(group, piece, self.whole.outputs(piece), read=False),
                python=str(python),
            )
        )

    def _formats(
        self, group: BuildGroup, piece: Nodes, tensors: Sequence[str], *, read: bool
    ) -> tuple[str, ...]:
        """Return the format that each of *tensors* had in the middle build of *group*."""
        shapes = _shapes(self.whole, tensors)
        own = {op: self.graph.op(op) for op, place in self.whole.ops.items() if place in piece}
        return tuple(
            format_at(
                group.typical_build,
                [name for name, op in own.items() if tensor in (op.inputs if read else (op.output,))],
                shapes.get(tensor, ()),
                read=read,
            )
            for tensor in tensors
        )


def check_same(out: Path, grid: Grid, verdict: Verdict) -> None:
    """Refuse to go on in a folder that belongs to another verdict.

    :raises OtherRunError: it does
    """
    path = out / DOCUMENT
    if path.exists():
        known = read_document(path, Reproduction)
        if (known.run, known.verdict) != (grid.run.manifest.run, verdict.name):
            raise OtherRunError(out, f"holds {known.verdict} of run {known.run}; name another folder")


def reproduce(grid: Grid, verdict: Verdict, wish: Wish, say: Say) -> Reproduction:
    """Cut what carries *verdict* out of its network, measure it where that can be, and write the folder.

    :param grid: of the run that the verdict is on
    :raises NothingToReproduceError: no op of the network carries it
    :raises NetworkNeededError: the network's weights are not at hand
    """
    made = Reproducing(grid, verdict, wish, say)
    wish.out.mkdir(parents=True, exist_ok=True)
    return made.run()


def _write_piece(whole: Whole, nodes: Nodes, path: Path) -> None:
    path.write_bytes(whole.cut(nodes).SerializeToString(deterministic=True))


def _shapes(whole: Whole, tensors: Sequence[str]) -> dict[str, tuple[int, ...]]:
    """Return the shapes of *tensors*, those that are known."""
    return {name: whole.shapes[name] for name in tensors if name in whole.shapes}
