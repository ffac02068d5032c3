"""What could not run and why; and whether the cells that ran were configured alike."""

from __future__ import annotations

from dataclasses import dataclass

from harness.layers.observation import CellObservation, RunObservation
from harness.report.columns import Release, release_of

SHOWN = (
    "build_seconds",
    "engine_bytes",
    "device_memory_bytes",
    "gpu",
    "compute_capability",
    "driver",
    "cuda",
    "tensorrt",
    "onnxruntime",
    "openvino",
    "numpy",
    "cpu_model",
    "affinity",
)


@dataclass(frozen=True)
class NotRun:
    """Cells without a result that have one reason in common."""

    cells: tuple[str, ...]
    status: str
    reason: str


@dataclass(frozen=True)
class Configuration:
    """The effective configuration of one release, of its first good build."""

    release: Release
    environment: str
    facts: tuple[tuple[str, str], ...]
    settings: tuple[tuple[str, str], ...]
    not_expressible: tuple[str, ...]
    throttled: int


def not_run(run: RunObservation) -> tuple[NotRun, ...]:
    """Return the cells that were not measured by their reason, in the order of the run."""
    reasons: dict[tuple[str, str], list[str]] = {}
    for found in run.cells:
        if found.status not in ("measured", "recorded"):
            key = (found.status, found.reason or "no reason was recorded")
            reasons.setdefault(key, []).append(found.cell.id)
    return tuple(NotRun(tuple(cells), status, reason) for (status, reason), cells in reasons.items())


def configurations(run: RunObservation) -> tuple[Configuration, ...]:
    """Return one entry a release."""
    first: dict[Release, CellObservation] = {}
    for found in run.cells:
        if found.good:
            first.setdefault(release_of(found), found)
    return tuple(_configuration(release, found) for release, found in first.items())


def _configuration(release: Release, found: CellObservation) -> Configuration:
    facts = found.good[0].facts
    settings = facts.get("settings")
    lacking = facts.get("not_expressible")
    return Configuration(
        release=release,
        environment=found.cell.environment,
        facts=tuple((name, _text(facts[name])) for name in SHOWN if facts.get(name) is not None),
        settings=tuple(
            (str(item.get("name")), _text(item.get("value")))
            for item in (settings if isinstance(settings, list) else [])
            if isinstance(item, dict)
        ),
        not_expressible=tuple(str(line) for line in (lacking if isinstance(lacking, list) else [])),
        throttled=sum(b.throttled for b in found.builds),
    )


def _text(value: object) -> str:
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, list | tuple):
        return ", ".join(_text(item) for item in value)
    return str(value)
