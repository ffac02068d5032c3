"""What a stored run says of the ops of a piece on either side: kernels, formats, timed tactics, software."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean, median

from harness.analysis.groups import BuildGroup
from harness.attribution.engine import AttributedLayer, LayerRole
from harness.attribution.layouts import layout_of
from harness.evidence.records import Tactic, TensorInfo
from harness.observations.records import BuildObservation

MOST_TACTICS = 5
"""Of those that the builder timed, the fastest."""

UNKNOWN = "unknown"


@dataclass(frozen=True)
class KernelRow:
    """A layer that carries ops of a piece, with the kernel that some builds gave it.

    :param builds: with this kernel; :param of: all with layers; :param ms: mean over the first, None untimed
    """

    layer: str
    family: str
    kernel: str
    tactic: str
    formats: str
    builds: int
    of: int
    ms: float | None


@dataclass(frozen=True)
class TacticRow:
    """A tactic that the builder timed for a layer of a piece."""

    layer: str
    formats: str
    runner: str
    kernel: str
    ms: float
    chosen: bool


@dataclass(frozen=True)
class Side:
    """One version.

    :param kernels: of all builds; :param tactics: of the build in the middle
    :param facts: what its builds ran on and with, name to value
    :param waited: wall time over CPU time, less 1, the median of its builds; None where no CPU time was read
    """

    version: str
    host: str
    kernels: tuple[KernelRow, ...]
    tactics: tuple[TacticRow, ...]
    facts: Mapping[str, str]
    waited: float | None = None


def side_of(group: BuildGroup, ops: Iterable[str]) -> Side:
    """Return what the builds of *group* say of *ops*."""
    own = frozenset(ops)
    typical = group.typical_build
    waits = [build.waited for build in group.good if build.waited is not None]
    return Side(
        version=group.cell.version,
        host=group.host,
        kernels=tuple(_kernels(group, own)),
        tactics=() if typical is None else tuple(_tactics(typical, own)),
        facts=_facts(group),
        waited=median(waits) if waits else None,
    )


def layers_of(build: BuildObservation, ops: frozenset[str]) -> list[AttributedLayer]:
    """Return the layers of *build* that carry any of *ops*, or move tensors between two of them."""
    if build.engine is None:
        return []
    return [
        layer
        for layer in build.engine.layers
        if layer.role is not LayerRole.NO_OP
        and (
            not ops.isdisjoint(layer.source_ops)
            or (not ops.isdisjoint(layer.before[-1:]) and not ops.isdisjoint(layer.after[:1]))
        )
    ]


def _kernels(group: BuildGroup, ops: frozenset[str]) -> Iterator[KernelRow]:
    rows: dict[tuple[str, ...], list[float | None]] = {}
    timed = [build for build in group.good if build.engine is not None and build.engine.layers]
    for build in timed:
        for layer in layers_of(build, ops):
            kernel = layer.kernel or layer.type or UNKNOWN
            key = layer.name, str(layer.family), kernel, layer.tactic or "", _formats(layer)
            rows.setdefault(key, []).append(layer.time_ms)
    for (name, family, kernel, tactic, formats), times in rows.items():
        known = [ms for ms in times if ms is not None]
        mean = fmean(known) if known else None
        yield KernelRow(name, family, kernel, tactic, formats, len(times), len(timed), mean)


def _formats(layer: AttributedLayer) -> str:
    """Return ``hwc fp32 -> hwc fp32``."""
    sides = (_layouts(layer.inputs), _layouts(layer.outputs))
    return " -> ".join(sides) if all(sides) else ""


def _layouts(tensors: Sequence[TensorInfo]) -> str:
    known = dict.fromkeys(said for tensor in tensors if (said := layout_of(tensor)) != UNKNOWN)
    return ", ".join(known)


def _tactics(build: BuildObservation, ops: frozenset[str]) -> Iterator[TacticRow]:
    evidence = build.evidence
    if evidence is None:
        return
    for layer in layers_of(build, ops):
        if layer.role is LayerRole.REFORMAT:
            continue
        mine = [one for one in evidence.tactics if one.layer == layer.name and one.time_ms is not None]
        yield from _fastest(layer, mine)


def _fastest(layer: AttributedLayer, mine: Sequence[Tactic]) -> Iterator[TacticRow]:
    """Yield the fastest of the tactics that were timed, and those that the builder settled on."""
    order = sorted(mine, key=lambda one: one.time_ms or 0.0)
    for place, one in enumerate(order):
        chosen = one.tactic_id is not None and one.tactic_id == layer.tactic
        if place < MOST_TACTICS or chosen:
            kernel = one.kernel or one.tactic
            yield TacticRow(
                layer.name, one.formats or "", one.runner or "", kernel, one.time_ms or 0.0, chosen
            )


def _facts(group: BuildGroup) -> dict[str, str]:
    """Return what the first good build ran on and with."""
    build = next(iter(group.good or group.observed), None)
    if build is None:
        return {}
    environment = build.facts.get("environment")
    said = environment if isinstance(environment, Mapping) else {}
    packages = said.get("packages")
    found = {
        "environment": group.cell.environment,
        "python": said.get("python") or build.facts.get("python"),
        "packages": ", ".join(f"{name} {v}" for name, v in packages.items())
        if isinstance(packages, Mapping)
        else None,
        "image": said.get("image"),
        "cpu": build.facts.get("cpu"),
        "threads": build.facts.get("threads"),
        "gpu": build.facts.get("gpu"),
        "compute capability": build.facts.get("compute_capability"),
        "driver": build.facts.get("driver"),
        "platform": build.facts.get("platform"),
    }
    return {name: str(value) for name, value in found.items() if value not in (None, "")}


def format_at(build: BuildObservation | None, ops: Iterable[str], shape: Sequence[int], *, read: bool) -> str:
    """Return layout and type that a tensor of *shape* had at the layer of *ops*, nothing where not known.

    :param ops: the source ops that read it, or the one that writes it; :param read: which of them
    """
    own = frozenset(ops)
    for layer in [] if build is None else layers_of(build, own):
        for tensor in layer.inputs if read else layer.outputs:
            if tensor.dimensions is not None and tuple(tensor.dimensions) == tuple(shape):
                said = layout_of(tensor)
                return "" if said == UNKNOWN else said
    return ""
