"""What readers return: rows as they were printed, in one vocabulary for every format and runtime.

Times are milliseconds. A value that was not printed is None, never zero. Order and duplicates are kept:
a row is known by its position, not by its name.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from statistics import fmean, median

from harness.store.documents.profile import ProfileRuns


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
    :param iterations: runs behind ``total_ms``, where the print says so
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
    iterations: int | None = None

    @classmethod
    def of_samples(cls, position: int, name: str, samples: tuple[float, ...]) -> LayerTime:
        """Return the row of a layer whose single runs are known, ms; without any it has no times."""
        return cls(
            position=position,
            name=name,
            total_ms=sum(samples) if samples else None,
            average_ms=fmean(samples) if samples else None,
            median_ms=median(samples) if samples else None,
            samples_ms=samples,
        )

    @property
    def typical_ms(self) -> float | None:
        """The median where there is one, else the mean (of few-decimals tables: total / iterations).

        A table of TensorRT 7 prints the mean with two decimals, so that most layers of a MobileNet read
        0.01: the total over a hundred runs or more says it better.
        """
        if self.median_ms is not None:
            return self.median_ms
        if (
            self.total_ms is not None
            and self.iterations
            and (self.average_ms is None or self.iterations >= 100)
        ):
            return self.total_ms / self.iterations
        return self.average_ms


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

    @property
    def is_reformat_estimate(self) -> bool:
        """Timed while the builder weighed a change of format: a cost estimate, no layer of the engine."""
        return self.layer == "<reformat>" or self.layer.startswith("Optimizer Reformat")


@dataclass(frozen=True, slots=True)
class Decision:
    """What the builder settled on for one layer in one format combination.

    :param formats: the format combination, as printed, None where the log does not print one
    :param runner: as printed (a number in TensorRT 4 and 5); :param tactic: as printed
    :param timed: the log shows a time for this very tactic in this format combination; False means that the
        result came from a cache, from an equal layer, or that there was nothing to choose from
    :param cached: the log says that the result came from the timing cache (TensorRT 10)
    """

    layer: str
    formats: str | None
    runner: str
    tactic: str
    tactic_id: str | None
    timed: bool
    engine: int = 0
    cached: bool = False


@dataclass(frozen=True, slots=True)
class Combination:
    """One format combination that the builder opened, with what the log shows below it.

    A combination with no runners below it reuses the result of an equal layer: silence, not absence. The
    builder does not name the layer then (TensorRT 8.2 to 8.6.0); its place in the order of blocks does.

    :param layer: from the runner headers or from the announcement, None where neither names it
    :param block: ``Computing costs for`` block within the engine, counted from 0; all combinations of a
        layer share it. Without announcements (before 8.2) a new block begins with each new layer
    :param runners: the runners whose headers stand below, in order
    :param tactics: tactic rows below; :param timed: those of them with a time
    :param decision: None where the builder found nothing for these formats or says nothing
    """

    layer: str | None
    formats: str | None
    block: int
    runners: tuple[str, ...] = ()
    tactics: int = 0
    timed: int = 0
    decision: Decision | None = None
    engine: int = 0


@dataclass(frozen=True, slots=True)
class SkippedRunner:
    """A runner that had nothing to offer for a layer and format combination."""

    layer: str
    runner: str
    reason: str
    engine: int = 0


@dataclass(frozen=True, slots=True)
class InferenceTime:
    """One timed inference, as ``--exportTimes`` writes it; milliseconds.

    :param host_ms: ``latencyMs``: copies in and out and compute
    :param enqueue_ms: end minus start of the enqueue call
    """

    gpu_ms: float | None = None
    host_ms: float | None = None
    enqueue_ms: float | None = None
    h2d_ms: float | None = None
    d2h_ms: float | None = None
    engine: int = 0


Spread = Mapping[str, float]
"""Printed statistics of one metric: ``min``, ``max``, ``mean``, ``median``, ``p90`` ... to milliseconds."""


@dataclass(frozen=True, slots=True)
class Summary:
    """One performance summary of trtexec; a metric that was not printed is an empty mapping.

    :param host_ms: end to end host time (host walltime of TensorRT 5 and 6, "end to end" of 7.0 to 8.2)
    :param latency_ms: ``Latency`` (``Host latency`` of 7): copies in and out and compute
    :param build_s: seconds that the build took, where printed
    """

    engine: int = 0
    throughput_qps: float | None = None
    gpu_ms: Spread = field(default_factory=dict)
    host_ms: Spread = field(default_factory=dict)
    latency_ms: Spread = field(default_factory=dict)
    enqueue_ms: Spread = field(default_factory=dict)
    h2d_ms: Spread = field(default_factory=dict)
    d2h_ms: Spread = field(default_factory=dict)
    build_s: float | None = None


@dataclass(frozen=True, slots=True)
class LineCount:
    """Lines of a file: ``read`` is ``used`` (they gave or closed a row) plus ``ignored``."""

    read: int = 0
    used: int = 0

    @property
    def ignored(self) -> int:
        """Lines that said nothing the record holds."""
        return self.read - self.used


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
    :param combinations: the format combinations that a builder log opened, empty where there is no log
    :param profile: how the layers were timed; None in bundles that do not say
    """

    layers: tuple[EngineLayer, ...] = ()
    times: tuple[LayerTime, ...] = ()
    iterations: int | None = None
    tactics: tuple[Tactic, ...] = ()
    skipped_runners: tuple[SkippedRunner, ...] = ()
    facts: Mapping[str, object] = field(default_factory=dict)
    warnings: tuple[ReaderWarning, ...] = ()
    partial: bool = False
    combinations: tuple[Combination, ...] = ()
    profile: ProfileRuns | None = None
