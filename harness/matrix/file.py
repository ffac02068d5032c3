"""Matrix files: TOML that says what is measured. ``docs/reference/matrix-file.md`` describes the format."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path

from harness.errors import EmptyMatrixError, MatrixValueError
from harness.matrix.strict import Table, read_toml
from harness.matrix.treatment import COMMON, COMMON_TABLE, Treatment, TreatmentField, TreatmentTable

MATRIX_SCHEMA = "trtmatrix.matrix/1"

PREVIOUS = "previous"
"""The baseline that is, for each version, the one before it."""

MOST_BUILDS = 10_000
"""Of a cell: more are a mistake, and would be planned for minutes before the first one is made."""


@dataclass(frozen=True)
class Measure:
    """How a build is measured; the keys of ``[measure]``, defaults as they stand here.

    :param relative_half_width: a pass stops once the 95 % interval of its windows' mean is this narrow
    :param profile_iterations: runs of the per-layer pass
    """

    warmup_seconds: float = 0.2
    minimum_samples: int = 30
    maximum_samples: int = 1000
    maximum_seconds: float = 1.0
    relative_half_width: float = 0.01
    windows: int = 5
    profile_iterations: int = 20
    passes: tuple[str, ...] = ()


@dataclass(frozen=True)
class VersionBlock:
    """One ``[[versions]]``: releases of a runtime, where they live, which are measured twice."""

    runtime: str
    versions: tuple[str, ...]
    environments: tuple[str, ...] = ()
    repeat: tuple[str, ...] = ()


@dataclass(frozen=True)
class Block:
    """One ``[[block]]``: networks x treatments, for all runtimes or those named."""

    networks: tuple[str, ...]
    treatments: tuple[Treatment, ...]
    runtimes: tuple[str, ...] = ()


@dataclass(frozen=True)
class MatrixFile:
    """A matrix file, read and checked for form; names are resolved when it is expanded.

    :param builds: builds a cell, one a round; :param exclude: patterns of cell ids
    :param quick_exclude: further ones, of what a quick run leaves out
    :param processes: that an engine is measured in, where its runtime keeps engines
    :param minutes: of a run; what its first builds leave of them is spent where comparisons are wide
    :param precision: half of the 95 % interval of a latency's change that is asked for, of 1
    :param networks: name of a user's network to the path of its file
    :param baseline: version or ``previous``; :param fail_on: verdicts that fail the suites
    :param nights: earlier ones that a run is held against by ``--baseline history``
    :param anchors: ``RUNTIME VERSION`` of pinned versions that nights are compared through
    :param material: share of the latency, or of the layer time, from which a change is material
    :param confirm: whether what would fail a run is measured again in it before it counts
    :param open: whether a change that an earlier night confirmed fails a later one: ``fail``, ``pass``
    :param notify_always: whether a message is sent of a run without news too
    :param executor: name of the one that is given the builds
    :param options: runtime name to what its worker is told besides
    """

    path: Path
    text: str
    description: str = ""
    builds: int = 3
    quick_builds: int = 1
    processes: int = 2
    minutes: float | None = None
    precision: float = 0.01
    seed: int | None = None
    cpu: int | None = None
    executor: str = "local"
    measure: Measure = field(default_factory=Measure)
    limits: Mapping[str, float] = field(default_factory=dict)
    blocks: tuple[Block, ...] = ()
    versions: tuple[VersionBlock, ...] = ()
    exclude: tuple[str, ...] = ()
    quick_exclude: tuple[str, ...] = ()
    networks: Mapping[str, Path] = field(default_factory=dict)
    baseline: str = PREVIOUS
    fail_on: tuple[str, ...] = ("regressed", "invalid")
    material: float = 0.01
    nights: int = 14
    anchors: tuple[str, ...] = ()
    confirm: bool = False
    open: str = "fail"
    notify_always: bool = False
    options: Mapping[str, Mapping[str, object]] = field(default_factory=dict)


def read_matrix(path: Path, treatments: TreatmentTable = COMMON_TABLE) -> MatrixFile:
    """Read the matrix file at *path*.

    :param treatments: the fields of treatments that it may ask for
    :raises InputError: names file, table and key
    """
    data = read_toml(path)
    return matrix_of(path, path.read_text(encoding="utf-8"), data, treatments)


def matrix_of(
    path: Path, text: str, data: Mapping[str, object], treatments: TreatmentTable = COMMON_TABLE
) -> MatrixFile:
    """Return the matrix that *text* describes.

    :param path: what errors name; paths in it are relative to its folder
    :param data: *text* as TOML reads it
    :raises InputError: names file, table and key
    """
    top = Table(path, "top level", data)
    schema = top.get("schema", str, required=True)
    if schema != MATRIX_SCHEMA:
        raise top.error("schema", f"expected {MATRIX_SCHEMA!r}, found {schema!r}")
    run = Table(path, "[run]", top.raw("run") or {})
    policy = Table(path, "[policy]", top.raw("policy") or {})
    networks = Table(path, "[networks]", top.raw("networks") or {})
    options = Table(path, "[options]", top.raw("options") or {})
    found = MatrixFile(
        path=path,
        text=text,
        description=top.get("description", str) or "",
        builds=_positive(run, "builds", 3),
        quick_builds=_positive(run, "quick_builds", 1),
        processes=_positive(run, "processes", MatrixFile.processes),
        minutes=_above_zero(run, "minutes"),
        precision=_above_zero(run, "precision") or MatrixFile.precision,
        seed=run.get("seed", int),
        cpu=_cpu(run),
        executor=run.get("executor", str) or "local",
        measure=_measure(path, top.raw("measure") or {}),
        limits=_limits(path, top.raw("limits") or {}),
        blocks=tuple(_block(t, treatments.fields) for t in _tables(path, top.raw("block"), "block")),
        versions=tuple(_versions(t) for t in _tables(path, top.raw("versions"), "versions")),
        exclude=top.names("exclude"),
        quick_exclude=run.names("quick_exclude"),
        networks={
            name: path.parent / str(networks.get(name, str, required=True)) for name in networks.user_names()
        },
        baseline=policy.get("baseline", str) or PREVIOUS,
        fail_on=policy.names("fail_on", ("regressed", "invalid"), allowed=VERDICTS_THAT_CAN_FAIL),
        material=_material(policy),
        nights=_positive(policy, "nights", MatrixFile.nights),
        anchors=policy.names("anchors"),
        confirm=bool(policy.get("confirm", bool, False)),
        open=_open(policy),
        notify_always=policy.names("notify", ("alarm",), allowed=("alarm", "always")) == ("always",),
        options={
            runtime: _options(Table(path, f"[options.{runtime}]", options.raw(runtime)))
            for runtime in options.user_names()
        },
    )
    for table in (run, policy, top):
        table.done()
    if not found.blocks or not found.versions:
        raise EmptyMatrixError(path, "a matrix needs at least one [[block]] and one [[versions]]")
    return found


VERDICTS_THAT_CAN_FAIL = ("present", "regressed", "invalid", "indeterminate", "unsupported")


def _positive(table: Table, key: str, default: int) -> int:
    value = table.get(key, int, default)
    if value is None or not 1 <= value <= MOST_BUILDS:
        raise table.error(key, f"expected a whole number from 1 to {MOST_BUILDS}")
    return value


def _above_zero(table: Table, key: str) -> float | None:
    value = table.get(key, float)
    if value is not None and not 0 < value < math.inf:
        raise table.error(key, "expected a number above 0")
    return value


def _material(table: Table) -> float:
    value = table.get("material", float, 0.01)
    if value is None or not 0 < value < 1:
        raise table.error("material", "expected a share above 0 and below 1, such as 0.01 for 1 %")
    return value


def _open(table: Table) -> str:
    value = table.get("open", str, "fail")
    if value not in ("fail", "pass"):
        raise table.error("open", f"expected 'fail' or 'pass', found {value!r}")
    return value


def _tables(path: Path, data: object, name: str) -> list[Table]:
    if data is None:
        return []
    if not isinstance(data, list):
        raise MatrixValueError(path, f"expected [[{name}]] tables", where=f"[{name}]")
    return [Table(path, f"[[{name}]] {i}", item) for i, item in enumerate(data, start=1)]


def _measure(path: Path, data: object) -> Measure:
    table = Table(path, "[measure]", data)
    values: dict[str, object] = {}
    for item in fields(Measure):
        if item.name == "passes":
            values["passes"] = table.names("passes", (), allowed=("cuda_graph", "cold_l2"))
            continue
        default = item.default
        assert isinstance(default, int | float)
        value = table.get(item.name, type(default), default)
        if value is None or value < 0:
            raise table.error(item.name, "expected a number of 0 or more")
        values[item.name] = value
    table.done()
    return Measure(**values)  # type: ignore[arg-type]


def _options(table: Table) -> dict[str, object]:
    found = table.as_dict()
    for key, value in found.items():
        try:
            json.dumps(value, allow_nan=False)
        except (TypeError, ValueError):
            # They reach the worker as JSON, which has no dates and no infinity.
            raise table.error(key, f"expected text, numbers, true, false or lists, found {value}") from None
    return found


def _cpu(table: Table) -> int | None:
    value = table.get("cpu", int)
    if value is not None and value < 0:
        raise table.error("cpu", "expected the number of a CPU, 0 or more")
    return value


def _limits(path: Path, data: object) -> dict[str, float]:
    table = Table(path, "[limits]", data)
    found = {}
    for key in ("seconds", "memory_gib", "result_mib"):
        value = table.get(key, float)
        if value is not None:
            if value <= 0:
                raise table.error(key, "expected a number above 0")
            found[key] = value
    table.done()
    return found


def _versions(table: Table) -> VersionBlock:
    runtime = table.get("runtime", str, required=True)
    assert runtime is not None
    block = VersionBlock(
        runtime=runtime,
        versions=table.names("versions"),
        environments=table.names("environment"),
        repeat=table.names("repeat"),
    )
    if not block.versions:
        raise table.error("versions", "is missing")
    for version in block.repeat:
        if version not in block.versions:
            raise table.error("repeat", f"{version!r} is not among the versions of this table")
    table.done()
    return block


def _block(table: Table, items: Sequence[TreatmentField]) -> Block:
    networks = table.names("networks")
    if not networks:
        raise table.error("networks", "is missing")
    combinations: list[dict[str, str | int]] = [{}]
    # Batch first: cells of one batch stand together, as matrices have always been read.
    for item in sorted(items, key=lambda item: item.name != "batch"):
        values = _values(table, item)
        combinations = [
            {**old, **({item.name: v} if v is not None else {})} for old in combinations for v in values
        ]
    treatments = tuple(Treatment.from_json(values) for values in combinations)
    block = Block(networks=networks, treatments=treatments, runtimes=table.names("runtimes"))
    table.done()
    return block


def _values(table: Table, item: TreatmentField) -> Sequence[str | int | None]:
    """Return what a block asks for of one field; None alone where it does not name a runtime's own field."""
    if item not in COMMON and item.name not in table:
        table.names(item.name)
        return (None,)
    values: Sequence[str | int]
    if item.most is not None:
        values = table.numbers(item.name, (int(item.default),), most=item.most)
    else:
        values = table.names(item.name, (str(item.default),), allowed=item.values)
    if not values:
        raise table.error(item.name, "is empty: leave it out for the default, or name a value")
    return values
