"""Evidence of builds that were not made here: the files that TensorRT and its tools left, read together.

The folder of an imported build holds the files as they came, under ``evidence/``, and a ``result.json`` whose
facts say what was stated about them: ``files`` (name to role), ``aliases``, ``partial``, ``recorded``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from harness.errors import DamagedBundleError
from harness.evidence.reader import read_file
from harness.evidence.record import Record
from harness.evidence.records import EngineLayer, Evidence, LayerTime
from harness.store.documents.base import read_document
from harness.store.documents.result import Result

ROLES = ("profile", "layers", "times", "log")
"""What a file can be given as; a file without a role is used for whatever it holds."""

LEAST_OF_WHOLE = 99.0
"""Rows whose printed shares add up to less than this, in per cent, are a part of a profile."""


def read_recorded(folder: Path) -> Evidence:
    """Read the build folder of an imported build.

    :raises InputError: a file is torn, missing, or in no format that is known
    """
    facts = read_document(folder / "result.json", Result).facts
    roles = facts.get("files", {})
    if not isinstance(roles, dict):
        raise DamagedBundleError(folder / "result.json", "expected objects", where="facts.files")
    files = {folder / "evidence" / name: str(role) for name, role in roles.items()}
    missing = next((path for path in files if not path.is_file()), None)
    if missing is not None:
        raise DamagedBundleError(missing, "is missing from the bundle; import the files again")
    records = [(role, read_file(path)) for path, role in files.items()]
    engine = facts.get("engine", 0)
    found = merge(of_engine(records, engine if isinstance(engine, int) else 0))
    partial = bool(facts.get("partial", found.partial))
    return replace(found, facts={**found.facts, **facts}, partial=partial)


def engines_of(records: Sequence[tuple[str, Record]]) -> int:
    """Return how many engines the files describe: the most that one of them does."""
    return max((record.facts.engines for _, record in records), default=1)


def of_engine(records: Sequence[tuple[str, Record]], engine: int) -> list[tuple[str, Record]]:
    """Return what the files say of one engine; files with a single one say it of each."""
    return [(role, record.of_engine(engine)) for role, record in records]


def merge(records: Sequence[tuple[str, Record]]) -> Evidence:
    """Join what several files say of one build.

    A file is asked first for what it was given as. An export of the engine's layers says more of them than
    the list in a log, so it goes before it; a profile is taken from one file only.

    :param records: role (one of :data:`ROLES`, or empty) and record
    """
    profile = _profile(records)
    logs = [record for _, record in records if "builder_log" in record.facts.kinds]
    times = profile.profile if profile else ()
    return Evidence(
        layers=_layers(records),
        times=times,
        iterations=profile.iterations if profile else None,
        tactics=tuple(tactic for record in logs for tactic in record.tactics),
        skipped_runners=tuple(row for record in logs for row in record.skipped_runners),
        facts=_facts(records),
        warnings=tuple(warning for _, record in records for warning in record.warnings),
        partial=is_partial(times),
        combinations=tuple(row for record in logs for row in record.combinations),
    )


def _layers(records: Sequence[tuple[str, Record]]) -> tuple[EngineLayer, ...]:
    holding = [(role, record) for role, record in records if record.engine_layers]

    def rank(item: tuple[str, Record]) -> tuple[bool, bool]:
        role, record = item
        return role != "layers", "builder_log" in record.facts.kinds

    return min(holding, key=rank)[1].engine_layers if holding else ()


def _profile(records: Sequence[tuple[str, Record]]) -> Record | None:
    holding = [(role, record) for role, record in records if record.profile]
    return min(holding, key=lambda item: item[0] != "profile")[1] if holding else None


def _facts(records: Sequence[tuple[str, Record]]) -> dict[str, object]:
    facts: dict[str, object] = {}
    for _, record in records:
        if record.facts.tensorrt and "tensorrt" not in facts:
            facts["tensorrt"] = record.facts.tensorrt
        if record.facts.driver and "driver" not in facts:
            facts["driver"] = record.facts.driver
        if record.facts.plugins and "plugins" not in facts:
            facts["plugins"] = dict(record.facts.plugins)
        if 0 in record.facts.build_seconds and "build_seconds" not in facts:
            facts["build_seconds"] = record.facts.build_seconds[0]
    return facts


def is_partial(times: Sequence[LayerTime]) -> bool:
    """Say whether rows are a part of a profile: the shares printed beside them do not add up to the whole."""
    shares = [row.percent for row in times if row.percent is not None]
    return bool(shares) and len(shares) == len(times) and sum(shares) < LEAST_OF_WHOLE


_SUMMARY_TIMES = (
    ("gpu_ms", "GPU compute time"),
    ("latency_ms", "latency with copies"),
    ("host_ms", "host time, end to end"),
)


def summary_latency(records: Sequence[tuple[str, Record]]) -> tuple[list[float], str]:
    """Return the latency that performance summaries print, where no inference is listed; and what it is.

    One value a summary: the median, or the mean where no median was printed. GPU compute time is preferred.

    :returns: milliseconds, and words for the metric and the statistic; empty where nothing was printed
    """
    rows = [row for _, record in records for row in record.summary]
    for key, words in _SUMMARY_TIMES:
        for statistic in ("median", "mean"):
            found = [value for row in rows if (value := getattr(row, key).get(statistic)) is not None]
            if found:
                return found, f"{statistic} {words}"
    return [], ""


def gpu_times(records: Sequence[tuple[str, Record]]) -> dict[str, list[float | None]]:
    """Return columns ``latency_ms``, ``enqueue_ms`` and ``host_ms`` of the timed inferences, in order.

    Runs without a GPU time are left out; a column that no run has is missing.
    """
    holding = [(role, record) for role, record in records if record.times]
    if not holding:
        return {}
    rows = min(holding, key=lambda item: item[0] != "times")[1].times
    kept = [row for row in rows if row.gpu_ms is not None]
    columns = {
        "latency_ms": [row.gpu_ms for row in kept],
        "enqueue_ms": [row.enqueue_ms for row in kept],
        "host_ms": [row.host_ms for row in kept],
    }
    return {name: values for name, values in columns.items() if any(v is not None for v in values)}
