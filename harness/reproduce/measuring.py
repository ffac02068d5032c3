"""A piece measured in lockstep on two versions, as ``compare`` measures a user's ONNX file."""

from __future__ import annotations

import hashlib
import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import onnx

from harness.analysis.grid import grid_of
from harness.analysis.groups import BuildGroup
from harness.analysis.judge import judge
from harness.analysis.verdict import LATENCY
from harness.errors import NetworkTreatmentError, TrtmatrixError
from harness.execution.measuring import measure
from harness.execution.plan import Choices, Plan, plan_of
from harness.execution.preflight import preflight
from harness.matrix.compose import Question, compose
from harness.matrix.treatment import UNKNOWN
from harness.networks.user_onnx import onnx_family
from harness.plugins import registry
from harness.plugins.reading import observe
from harness.reproduce.search import Measured
from harness.reproduce.whole import Nodes, Whole
from harness.written import change, interval

PIECE = "piece.onnx"
RUN, AGAIN = "run", "again"
FINISHED = ".finished"
"""Behind the name of a run, what lies beside one that was not interrupted."""

LEAST_SECONDS = 1.0
"""That a piece is measured for, its first builds apart; with less left the search is over."""

SHARE = 0.25
"""Of the time that is left, for one piece."""

Say = Callable[[str], None]


@dataclass(frozen=True)
class Versions:
    """What a piece is measured on.

    :param environment: None for the runtime's preferred one
    :param treatment: fields that are not default, as text
    """

    runtime: str
    old: str
    new: str
    environment: str | None
    batch: int
    treatment: Mapping[str, str]


@dataclass
class PieceMeasurer:
    """Measures pieces of *whole*, each once: what lies in *folder* already is read.

    :param change: new / old of the whole, from which follows how well a piece has to be known
    :param builds: of each version; :param seconds: for all pieces, None for what is there already only
    """

    whole: Whole
    versions: Versions
    folder: Path
    change: float
    builds: int
    seconds: float | None
    say: Say
    ended: float = field(init=False)

    def __post_init__(self) -> None:
        self.ended = time.monotonic() + (self.seconds or 0.0)

    def __call__(self, nodes: Nodes) -> Measured | None:
        """Return what *nodes* take, None where there is no time left to find out."""
        return self._found(nodes, RUN)

    def again(self, nodes: Nodes) -> Measured | None:
        """Return what *nodes* take in builds that did not choose them, None where there is no time left."""
        return self._found(nodes, AGAIN)

    def _found(self, nodes: Nodes, run: str) -> Measured | None:
        model = self.whole.cut(nodes)
        place = self.folder / piece_name(model)
        left = self.ended - time.monotonic()
        finished = (place / f"{run}{FINISHED}").is_file()
        if not finished and left < LEAST_SECONDS:
            return None
        place.mkdir(parents=True, exist_ok=True)
        path = place / PIECE
        path.write_bytes(model.SerializeToString(deterministic=True))
        told = self._told(nodes) + (", again" if run == AGAIN else "")
        try:
            if not finished:
                self._measure(place, run, max(LEAST_SECONDS, SHARE * left))
            found = self._read(place / run)
        except NetworkTreatmentError as error:
            found = Measured(reason=str(error))
        self.say(f"{told}: {in_words(found)}{', shows it' if found.shows(self.change) else ''}")
        return found

    def _told(self, nodes: Nodes) -> str:
        names = self.whole.names(nodes)
        if len(names) == 1:
            return f"1 op, {names[0]}"
        return f"{len(names)} ops, {names[0]} to {names[-1]}"

    def _measure(self, place: Path, run: str, seconds: float) -> None:
        out = place / run
        choices = Choices(
            out=out, networks=(place / PIECE,), resume=(out / "manifest.json").is_file(), minutes=seconds / 60
        )
        plan = self.plan(place / PIECE)
        measure(plan, choices, plan.cells, registry.parts())
        (place / f"{run}{FINISHED}").touch()

    def plan(self, path: Path) -> Plan:
        """Return the plan that measures the piece in *path*."""
        own = self.versions
        treatment = {**own.treatment, "batch": str(own.batch), "relu6": _relu6(path, own.batch)}
        question = Question(
            runtime=own.runtime,
            versions=(own.old, own.new),
            network=path.stem,
            treatment=treatment,
            environment=own.environment,
            builds=self.builds,
            minutes=1.0,
            precision=min(0.05, max(0.005, abs(math.log(self.change)) / 5)),
        )
        parts = registry.parts()
        return plan_of(compose(question, parts.treatments), Choices(networks=(path,)), parts)

    def problem(self, path: Path) -> str:
        """Say why the piece in *path* cannot be measured here, nothing where it can."""
        try:
            found = preflight(self.plan(path).cells, registry.parts())
        except TrtmatrixError as error:
            return str(error)
        return next((f"{one.cell.release}: {one.reason}" for one in found if one.state != "ok"), "")

    def builds_of(self, nodes: Nodes) -> tuple[BuildGroup, ...]:
        """Return the builds of a piece that was measured, by version."""
        place = self.folder / piece_name(self.whole.cut(nodes))
        return grid_of(observe([place / RUN])).built if (place / f"{RUN}{FINISHED}").is_file() else ()

    def _read(self, run: Path) -> Measured:
        grid = grid_of(observe([run]))
        told = [v for v in judge(grid, self.versions.old, rules={}) if v.bottleneck == LATENCY and v.against]
        if not told:
            reasons = (group.reason or group.status for group in grid.groups)
            return Measured(reason="; ".join(dict.fromkeys(reasons)) or "nothing was measured")
        (verdict,) = told[:1]
        sides = {group.cell.version: group.latency.middle for group in grid.groups}
        found = Measured(
            verdict.effect,
            verdict.interval,
            verdict.builds,
            sides.get(self.versions.old),
            sides.get(self.versions.new),
        )
        return found if verdict.interval is not None else replace(found, reason=verdict.reason)


def versions_of(old: BuildGroup, new: BuildGroup, environment: str | None) -> Versions:
    """Return what a piece is measured on: the versions, and the treatment as far as it is not default."""
    parts = registry.parts()
    cell = new.cell
    values = cell.treatment.as_json()
    known = parts.runtimes[cell.runtime].treatment_fields
    said = {
        item.name: str(values[item.name])
        for item in parts.treatments.fields
        if item.name not in ("batch", "relu6") and values.get(item.name) not in (None, UNKNOWN, item.default)
    }
    if not parts.runtimes[cell.runtime].reads_onnx and any(item.name == "source" for item in known):
        said["source"] = "onnx"  # a piece is a file, as it will be for who gets the report
    where = environment or (cell.environment if cell.environment in parts.environments else None)
    return Versions(cell.runtime, old.cell.version, cell.version, where, cell.treatment.batch or 1, said)


def piece_name(model: onnx.ModelProto) -> str:
    """Return the name of the folder that a piece is measured in: the same piece has the same."""
    digest = hashlib.sha256(model.SerializeToString(deterministic=True)).hexdigest()
    return f"{len(model.graph.node)}-ops-{digest[:10]}"


def in_words(found: Measured) -> str:
    """Return ``0.120 to 0.140 ms, +16.7 % (+14.0 % to +19.0 %)``, or why there is nothing of that."""
    if found.effect is None or found.interval is None:
        return f"not measured: {found.reason}"
    return f"{change(found.effect)} ({interval(found.interval)})"


def _relu6(path: Path, batch: int) -> str:
    """Return the ReLU6 form of the piece in *path*."""
    family = onnx_family(path.stem, path)
    try:
        return family.graph(batch, "clip").relu6
    except NetworkTreatmentError:
        return family.graph(batch, "relu_sub").relu6
