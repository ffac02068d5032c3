"""One inference of each build in the Trace Event Format, which Perfetto and Chrome's tracing page open.

The format: https://docs.google.com/document/d/1CvAClvFfyA5R-PhYUmn5OOQtYMH4h6I0nSsKchNAySU. Complete events
(``X``) with ``ts`` and ``dur`` in microseconds; a process a cell on a host, a thread a build, named by
metadata events (``M``).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from harness.analysis.groups import BuildGroup
from harness.attribution.engine import AttributedEngine, AttributedLayer
from harness.observations.records import BuildObservation

MADE_OF = (
    "the layers of a profile in their order, each as long as its median, one right behind the other: "
    "when a layer really began is not recorded, and the sum is not the latency"
)


def trace(groups: Iterable[BuildGroup], number: int | None = None) -> dict[str, Any]:
    """Return the document: one inference of each good build with layer times.

    :param groups: builds of a cell on a host; the order of the processes
    :param number: of the only build to write, None for all
    :return: what ``json.dump`` writes as a trace; without any event where no build has layer times
    """
    events: list[dict[str, Any]] = []
    for pid, group in enumerate(groups, 1):
        timed = [build for build in group.good if build.engine is not None and build.engine.total_ms > 0]
        builds = [build for build in timed if number in (None, build.build)]
        if builds:
            events += _named("process", pid, 0, _title(group), pid)
        for build in builds:
            assert build.engine is not None
            tid = build.build + 1
            events += _named("thread", pid, tid, _thread(build, group), tid)
            events += _layers(build.engine, pid, tid)
    return {"traceEvents": events, "displayTimeUnit": "ns", "otherData": {"made of": MADE_OF}}


def _title(group: BuildGroup) -> str:
    name = f"{group.cell.id} ({group.name})" if group.name else group.cell.id
    return f"{name} on {group.host}" if group.host else name


def _thread(build: BuildObservation, group: BuildGroup) -> str:
    latency = "" if build.latency_ms is None else f", latency {build.latency_ms:.4f} ms"
    typical = ", the middle one" if build is group.typical_build else ""
    return f"build {build.build}{latency}{typical}"


def _named(what: str, pid: int, tid: int, name: str, place: int) -> Iterator[dict[str, Any]]:
    common = {"ph": "M", "pid": pid, "tid": tid, "ts": 0}
    yield {**common, "name": f"{what}_name", "args": {"name": name}}
    yield {**common, "name": f"{what}_sort_index", "args": {"sort_index": place}}


def _layers(engine: AttributedEngine, pid: int, tid: int) -> Iterator[dict[str, Any]]:
    at = 0.0
    for layer in engine.layers:
        if not layer.time_ms:
            continue  # listed, and does not run
        long = 1e3 * layer.time_ms
        yield {
            "ph": "X",
            "name": layer.name,
            "cat": str(layer.op_class),
            "pid": pid,
            "tid": tid,
            "ts": round(at, 4),
            "dur": round(long, 4),
            "args": _arguments(layer),
        }
        at += long


def _arguments(layer: AttributedLayer) -> dict[str, Any]:
    said: dict[str, Any] = {
        "role": layer.role.value,
        "family": layer.family.value,
        "kernel": layer.kernel or layer.type,
        "tactic": layer.tactic,
        "source ops": list(layer.source_ops),
        "before": list(layer.before),
        "after": list(layer.after),
        "input formats": list(layer.input_formats),
        "output formats": list(layer.output_formats),
    }
    return {key: value for key, value in said.items() if value}
