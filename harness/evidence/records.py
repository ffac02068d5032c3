"""What readers return: rows as they were printed, in one vocabulary for every format and runtime.

Times are milliseconds. A value that was not printed is None, never zero. Order and duplicates are kept:
a row is known by its position, not by its name.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class TensorInfo:
    """A tensor as an engine layer sees it.

    :param dimensions: shape as printed, or None
    :param format: the printed format (``Row major linear FP32``, ``aBcd8b``), or None
    :param datatype: ``float32``, ``float16``, ``int8`` ... where it can be told from the print
    """

    name: str
    dimensions: tuple[int, ...] | None = None
    format: str | None = None
    datatype: str | None = None


@dataclass(frozen=True, slots=True)
class EngineLayer:
    """One layer of a built engine, in execution order.

    :param type: what the runtime calls it (``CaskGemmConvolution``, ``Reorder``, ``FusedConv``)
    :param tactic: tactic id as printed; :param kernel: kernel or primitive name
    :param attributes: what else the runtime says and attribution uses: ``kernel`` [R, S], ``groups``,
        ``out_maps``, ``activation``, ``origin``, ``metadata``, ``original_names`` (source op names that the
        runtime itself gives), ``op_type`` ...
    """

    position: int
    name: str
    type: str | None = None
    tactic: str | None = None
    kernel: str | None = None
    inputs: tuple[TensorInfo, ...] = ()
    outputs: tuple[TensorInfo, ...] = ()
    attributes: Mapping[str, object] = field(default_factory=dict)
    engine: int = 0


@dataclass(frozen=True, slots=True)
class LayerTime:
    """One row of a per-layer profile.

    :param samples_ms: the single runs, where they are known
    :param percent, cumulative_percent: as printed
    """

    position: int
    name: str
    total_ms: float | None = None
    average_ms: float | None = None
    median_ms: float | None = None
    percent: float | None = None
    cumulative_percent: float | None = None
    samples_ms: tuple[float, ...] = ()
    engine: int = 0

    @property
    def typical_ms(self) -> float | None:
        """The median where there is one, else the mean (of few-decimals tables: total / iterations)."""
        return self.median_ms if self.median_ms is not None else self.average_ms


@dataclass(frozen=True, slots=True)
class Tactic:
    """One tactic line of a builder log.

    :param formats: the format combination being tuned, as printed
    :param tactic: as printed; :param tactic_id: ``0x`` + 16 hex digits, None where it is no number
    :param time_ms: None for "no valid result" sentinels and for tactics that were not timed
    """

    layer: str
    runner: str | None
    formats: str | None
    tactic: str
    tactic_id: str | None
    kernel: str | None
    time_ms: float | None
    fastest: bool = False
    chosen: bool = False
    engine: int = 0


@dataclass(frozen=True, slots=True)
class SkippedRunner:
    """A runner that had nothing to offer for a layer and format combination."""

    layer: str
    runner: str
    reason: str
    engine: int = 0


@dataclass(frozen=True, slots=True)
class ReaderWarning:
    """Something a reader could not use: :param line: 1-based, None where the format has no lines."""

    line: int | None
    text: str


@dataclass(frozen=True)
class Evidence:
    """All that is known of one build of one cell, after its files were read.

    :param layers: empty where the runtime gives no engine description
    :param times: empty where no profile was taken; joined to ``layers`` by position where lengths and
        names agree, else by name in order
    :param facts: flat facts about build and host (``engine_bytes``, ``build_seconds``, ``tensorrt`` ...)
    :param partial: the profile covers a part of the network only: no shares of the whole are shown
    """

    layers: tuple[EngineLayer, ...] = ()
    times: tuple[LayerTime, ...] = ()
    iterations: int | None = None
    tactics: tuple[Tactic, ...] = ()
    skipped_runners: tuple[SkippedRunner, ...] = ()
    facts: Mapping[str, object] = field(default_factory=dict)
    warnings: tuple[ReaderWarning, ...] = ()
    partial: bool = False
