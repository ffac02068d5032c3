"""The Parquet tables of a bundle, made from its build folders."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import zip_longest
from typing import Any

from harness.errors import InputError, PluginError
from harness.evidence.records import Evidence
from harness.store.bundle import BuildRecord, Bundle
from harness.store.files import WRONG_FORM, read_json, write_table
from harness.store.schema import LAYER_TIMES, SAMPLES

_MOST_MS = 1e12
_MOST_NS = 2**63
"""No sample takes thirty years; larger numbers are none that a worker wrote."""


def write_tables(bundle: Bundle, runtimes: Mapping[str, Any]) -> None:
    """Write ``samples.parquet`` and ``layer_times.parquet`` of *bundle* anew.

    A build whose evidence cannot be read is left out of the layer table, and says so in the manifest's
    ``warnings``; its files stay.
    """
    samples: list[dict[str, Any]] = []
    layers: list[dict[str, Any]] = []
    warnings: list[str] = []
    runtime_of = {record.cell.id: record.cell.runtime for record in bundle.cells()}
    for build in bundle.builds():
        if build.status != "ok":
            continue
        try:
            samples.extend(sample_rows(build))
            if (runtime := runtimes.get(runtime_of[build.cell_id])) is not None:
                layers.extend(_layer_rows(build, runtime.read(build.folder)))
        except (InputError, PluginError, *WRONG_FORM) as error:
            warnings.append(f"{build.cell_id} build {build.build}: {error}")
    bundle.update(warnings=tuple(warnings))
    write_table(bundle.root / "samples.parquet", samples, SAMPLES)
    write_table(bundle.root / "layer_times.parquet", layers, LAYER_TIMES)


def sample_rows(build: BuildRecord) -> Iterator[dict[str, Any]]:
    """Yield one row for each sample that the worker of *build* left.

    :raises InputError: ``samples.json`` is torn, its columns differ in length, or it has not as many windows
        as ``result.json`` says
    """
    path = build.folder / "samples.json"
    windows = read_json(path).get("windows", []) if path.exists() else []
    if not isinstance(windows, list):
        raise InputError(path, "expected a list", where="windows")
    left = _windows_left(build)
    if left is not None and len(windows) != left:
        found = f"{len(windows)} windows" if path.exists() else "no such file"
        raise InputError(
            path, f"{found}, where the worker left {left} windows; delete this build and resume the run"
        )
    common = {
        "cell": build.cell_id,
        "build": build.build,
        "round": build.document.round,
        "host": build.document.host.name,
    }
    for window in windows:
        try:
            latency = window["latency_ms"]
            columns = [window.get(name) for name in ("start_ns", "enqueue_ms", "host_ms", "throttled")]
            head = {**common, "pass": window["pass"], "window": window["window"], "clock": window["clock"]}
        except (KeyError, TypeError, AttributeError) as error:
            raise InputError(path, f"a window lacks {error}", where="windows") from None
        if not isinstance(latency, list):
            raise InputError(path, "latency_ms of a window is no list", where="windows")
        if not all(type(value) in (float, int) and 0 < value < _MOST_MS for value in latency):
            raise InputError(path, "latency_ms holds what is no time above 0", where="windows")
        if not all(column is None or isinstance(column, list) for column in columns):
            raise InputError(path, "a column of a window is no list", where="windows")
        if any(column is not None and len(column) != len(latency) for column in columns):
            raise InputError(path, "columns of a window differ in length", where="windows")
        starts, *others, _throttled = (column or [] for column in columns)
        if not all(type(value) is int and 0 <= value < _MOST_NS for value in starts):
            raise InputError(path, "start_ns holds what is no time", where="windows")
        if not all(_is_time(value) for column in others for value in column):
            raise InputError(path, "enqueue_ms or host_ms holds what is no time", where="windows")
        if not (
            isinstance(head["pass"], str) and type(head["window"]) is int and isinstance(head["clock"], str)
        ):
            raise InputError(path, "pass, window or clock is not as a worker writes it", where="windows")
        for index, (value, *others) in enumerate(zip_longest(latency, *(c or [] for c in columns))):
            start, enqueue, host, throttled = others
            yield {
                **head,
                "sample": index,
                "latency_ms": value,
                "start_ns": start,
                "enqueue_ms": enqueue,
                "host_ms": host,
                "throttled": throttled,
            }


def _is_time(value: object) -> bool:
    return value is None or (type(value) in (float, int) and 0 <= value < _MOST_MS)  # type: ignore[operator]


def _windows_left(build: BuildRecord) -> int | None:
    """Return how many windows the worker says it left, None where it does not say (workers before that)."""
    path = build.folder / "result.json"
    said = read_json(path).get("windows") if path.exists() else None
    if said is not None and type(said) is not int:
        raise InputError(path, "expected a whole number", where="windows")
    return said


def _layer_rows(build: BuildRecord, evidence: Evidence) -> Iterator[dict[str, Any]]:
    """Yield one row a profile row, with type and kernel of the engine layer of the same name."""
    by_name = {layer.name: layer for layer in evidence.layers}
    for time in evidence.times:
        layer = by_name.get(time.name)
        yield {
            "cell": build.cell_id,
            "build": build.build,
            "position": time.position,
            "name": time.name,
            "type": layer.type if layer else None,
            "kernel": layer.kernel if layer else None,
            "average_ms": time.average_ms,
            "median_ms": time.median_ms,
            "samples_ms": list(time.samples_ms) or None,
        }
