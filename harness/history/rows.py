"""The rows of a night: what its builds say of each subject and measure, of each build and of each layer."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from harness.analysis.device import group_with_peaks, host_peaks
from harness.analysis.grid import Grid
from harness.analysis.groups import BuildGroup
from harness.analysis.rules.base import Rule
from harness.analysis.statistics.intervals import Interval, one_side, t_quantile
from harness.attribution.adoption import adoption
from harness.attribution.engine import AttributedEngine
from harness.errors import PluginError
from harness.history.records import LATENCY, Facts, is_relative
from harness.observations.records import BuildObservation
from harness.store.documents.base import UNKNOWN
from harness.store.documents.manifest import Manifest

_OF_FACTS = {"build_seconds": "s", "engine_bytes": "bytes", "device_memory_bytes": "bytes"}
"""What workers state of a build, and its unit."""

Row = dict[str, Any]


def followed(grid: Grid) -> list[BuildGroup]:
    """Return the groups of *grid* that have series: those with builds that are judged."""
    peaks = host_peaks([grid.run])
    return [group_with_peaks(group, peaks) for group in grid.groups if group.builds]


def point_rows(group: BuildGroup, manifest: Manifest, rules: Mapping[str, Rule], night: Row) -> Iterator[Row]:
    """Yield one row for each measure of *group*.

    :param night: columns that all rows of the night have
    """
    subject = _subject(group)
    facts = facts_of(group, manifest)
    known = {f"fact_{name}": getattr(facts, name) for name in Facts.__dataclass_fields__}
    for measure, unit, values in measured(group, rules):
        middle, interval = level(values, relative=is_relative(measure))
        yield {
            **night,
            **subject,
            "cell": group.cell.id,
            "measure": measure,
            "unit": unit,
            "value": middle,
            "low": None if interval is None else interval.low,
            "high": None if interval is None else interval.high,
            "values": list(values),
            **known,
        }


def level(values: Sequence[float], *, relative: bool) -> tuple[float, Interval | None]:
    """Return the mean over builds and its 95 % interval, None with fewer than two.

    :param relative: whether on the logarithm, as latencies are averaged
    """
    if relative and all(value > 0 for value in values):
        found = one_side(values)
        return (values[0], None) if found is None else (found.estimate, found)
    mean = float(np.mean(values))
    if len(values) < 2:
        return mean, None
    half = t_quantile(0.975, len(values) - 1) * float(np.std(values, ddof=1)) / len(values) ** 0.5
    return mean, Interval(mean, mean - half, mean + half)


def measured(group: BuildGroup, rules: Mapping[str, Rule]) -> Iterator[tuple[str, str, Sequence[float]]]:
    """Yield measure, unit and one value a build, for what the builds of *group* tell."""
    if values := group.series(None).values:
        yield LATENCY, "ms", values
    for name in dict.fromkeys(name for build in group.builds for name in build.passes):
        if name != group.builds[0].latency_pass and (values := _of_pass(group.builds, name)):
            yield f"{LATENCY}:{name}", "ms", values
    yield from _of_layers([b.engine for b in group.builds if b.engine is not None and b.engine.total_ms > 0])
    for name, rule in rules.items():
        if values := group.series(rule).signed:
            yield f"cost:{name}", "ms", values
    for name, unit in _OF_FACTS.items():
        said = [value for b in group.builds if (value := _number(b.facts.get(name))) is not None]
        if said:
            yield name, unit, said


def _of_pass(builds: Sequence[BuildObservation], name: str) -> tuple[float, ...]:
    values = (build.in_block.get(name, build.median_of(name)) for build in builds)
    return tuple(value for value in values if value is not None and value > 0)


def _of_layers(engines: Sequence[AttributedEngine]) -> Iterator[tuple[str, str, Sequence[float]]]:
    if not engines:
        return
    yield "layers", "ms", [engine.total_ms for engine in engines]
    times = [engine.time_of_class() for engine in engines]
    for name in sorted({name for own in times for name in own}):
        values = [own.get(name, 0.0) for own in times]
        if any(values):
            yield f"class:{name}", "ms", values
    counts = [adoption(engine) for engine in engines]
    if all(one.pointwise.total for one in counts):
        kernels = [one.pointwise for one in counts]
        yield "adoption:gemm", "share", [one.on_any_gemm / one.total for one in kernels]
        if any(layer.tactic for engine in engines for layer in engine.layers):
            yield "adoption:gemm_as_conv1x1", "share", [one.on_gemm_as_conv1x1 / one.total for one in kernels]
    yield "reformats", "count", [float(one.reformats.executed) for one in counts]


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) and value > 0 else None


def facts_of(group: BuildGroup, manifest: Manifest) -> Facts:
    """Return what the builds of *group* were measured on; of facts that builds state, the first one's."""
    build = group.builds[0]
    identity, said = build.identity, build.facts
    held = said.get("environment")
    image = held.get("image_digest") or held.get("image_id") if isinstance(held, Mapping) else None
    machine = manifest.machine
    same = identity.host.machine == machine.host
    return Facts(
        driver=identity.software.driver,
        image="" if image is None else str(image),
        content=identity.software.fingerprint,
        harness=manifest.harness.version,
        clocks=_clocks(said),
        kernel=(machine.kernel or UNKNOWN) if same else UNKNOWN,
        digest=group.digest,
    )


def _clocks(said: Mapping[str, object]) -> str:
    core, memory = said.get("gpu_maximum_sm_mhz"), said.get("gpu_maximum_memory_mhz")
    if core is not None or memory is not None:
        return f"{core or UNKNOWN} MHz, memory {memory or UNKNOWN} MHz"
    return str(said.get("cpu") or UNKNOWN)


def build_rows(groups: Iterable[BuildGroup], night: Row, digests: Mapping[tuple[str, int], str]) -> list[Row]:
    """Return one row for each build of *groups*.

    :param digests: cell id and number of a build to the digest of its document
    """
    return [
        {
            **night,
            "cell": group.cell.id,
            "build": build.build,
            "status": build.status,
            "digest": digests[group.cell.id, build.build],
            "latency_ms": build.latency_ms,
        }
        for group in groups
        for build in group.observed
    ]


def layer_rows(group: BuildGroup, night: Row) -> Iterator[Row]:
    """Yield one row for each layer of the judged builds of *group* that has a time."""
    for build in group.builds:
        if build.engine is None:
            continue
        for layer in build.engine.layers:
            if layer.time_ms is not None:
                yield {
                    "night": night["night"],
                    "cell": group.cell.id,
                    "build": build.build,
                    "position": layer.position,
                    "name": layer.name,
                    "op_class": layer.op_class,
                    "kernel": layer.kernel,
                    "ms": layer.time_ms,
                }


def _subject(group: BuildGroup) -> Row:
    cell = group.cell
    return {
        "network": cell.network,
        "treatment": cell.treatment.label,
        "runtime": cell.runtime,
        "version": cell.version,
        "environment": cell.environment,
        "repeat": cell.repeat,
    }


def without_rules_that_fail(groups: Iterable[BuildGroup], rules: Mapping[str, Rule]) -> list[str]:
    """Return in words which rules could not say what they cost, each once."""
    said: dict[str, None] = {}
    for group in groups:
        for rule in rules.values():
            try:
                if problem := group.series(rule).problem:
                    said[problem] = None
            except PluginError as error:
                said[str(error)] = None
    return list(said)
