"""What a stored run says of each cell and build: the input of bottleneck rules, verdicts and report."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from harness.attribution.engine import AttributedEngine
from harness.attribution.format_trial import FormatTrial
from harness.evidence.records import Evidence
from harness.matrix.cell import Cell
from harness.observations.identity import Host, Identity
from harness.store.documents.manifest import Manifest

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Samples: TypeAlias = "NDArray[np.float64]"

LATENCY_PASS = "latency"
GRAPH_PASS = "cuda_graph"
"""The pass without launches."""


@dataclass(frozen=True)
class OutputCheck:
    """How a build's outputs compare with the FP32 reference.

    :param error: largest absolute difference over the reference's largest absolute value
    :param bound: what was allowed for the precision, fixed beforehand
    :param top1: agreement of the first answer where the margin allows the question, None elsewhere
    """

    valid: bool
    error: float
    bound: float
    top1: float | None = None
    reason: str = ""


@dataclass(frozen=True)
class Slice:
    """Samples that were taken in one go, ms, in their order.

    :param cycle: of its block, from 0; :param process: of its build, from 0; :param place: in its cycle
    """

    cycle: int
    samples: Samples
    process: int = 0
    place: int = 0


@dataclass(frozen=True)
class BuildObservation:
    """One build of a cell.

    :param build: number, counted from 0; :param host: host it was measured on
    :param passes: pass name (``latency``, ``cuda_graph``, ``cold_l2`` ...) to samples in milliseconds:
        GPU time on a GPU, wall time on a CPU; samples taken while throttled are left out here and counted in
        :attr:`throttled`
    :param latency_pass: the pass by which it is judged
    :param slices: the same samples slice by slice, of a build that was measured side by side with others
    :param alone: pass name to slices that were taken while no other build of its block was loaded
    :param block: what these builds share, empty for one that was measured alone
    :param in_block: pass name to the latency relative to the others of its block, at the level of their
        medians, ms (:func:`harness.analysis.blocks.with_blocks`)
    :param enqueue_ms: host time of the launch, for the latency pass, where it was measured
    :param waited: wall time over CPU time of the latency pass, less 1: what other programs and threads took;
        None where no CPU time was measured
    :param facts: engine size, build seconds, clocks, effective settings ...
    :param trials: tensor formats that were tried, in the order of their numbers in this version
    :param identity: what decides which builds it may be pooled with; of a build made by hand its host alone
    """

    build: int
    status: str
    host: str
    reason: str = ""
    passes: Mapping[str, Samples] = field(default_factory=dict)
    latency_pass: str = LATENCY_PASS
    slices: Mapping[str, tuple[Slice, ...]] = field(default_factory=dict)
    alone: Mapping[str, tuple[Slice, ...]] = field(default_factory=dict)
    block: str = ""
    in_block: Mapping[str, float] = field(default_factory=dict)
    enqueue_ms: Samples | None = None
    waited: float | None = None
    throttled: int = 0
    outputs: OutputCheck | None = None
    evidence: Evidence | None = None
    engine: AttributedEngine | None = None
    facts: Mapping[str, object] = field(default_factory=dict)
    folder: Path | None = None
    round: int = 0
    trials: tuple[FormatTrial, ...] = ()
    identity: Identity = field(default_factory=Identity)

    def __post_init__(self) -> None:
        """Let the identity name the host where nothing else is known."""
        if self.identity == Identity():
            object.__setattr__(self, "identity", Identity(host=Host.named(self.host)))

    @property
    def launch_bound(self) -> bool | None:
        """Whether launching bounds it, by the worker's enqueue and CUDA-graph times; None where unknown."""
        said = self.facts.get("launch_bound")
        return said if isinstance(said, bool) else None

    @cached_property
    def latency_ms(self) -> float | None:
        """Latency of the pass it is judged by, None where none was taken: in its block, else the median."""
        if self.latency_pass in self.in_block:
            return self.in_block[self.latency_pass]
        return self.median_of(self.latency_pass)

    def median_of(self, name: str) -> float | None:
        """Return the median of the samples of the pass *name*, ms, None where none was taken."""
        samples = self.passes.get(name)
        return median_ms(samples) if samples is not None and samples.size else None


def median_ms(samples: Samples) -> float:
    """Return the median of *samples*, at least one: numpy.median without its cost for few numbers."""
    import numpy as np  # long to load: only where there is something to look at

    ordered, middle = np.sort(samples), samples.size // 2
    return float(ordered[middle] if samples.size % 2 else (ordered[middle - 1] + ordered[middle]) / 2)


@dataclass(frozen=True)
class CellObservation:
    """One cell with its builds.

    :param status: ``measured``, ``recorded``, ``failed``, ``invalid``, ``unsupported``, ``unavailable``,
        ``interrupted``; :param reason: why, one line, empty when measured
    """

    cell: Cell
    status: str
    reason: str = ""
    builds: tuple[BuildObservation, ...] = ()
    digest: str = "unknown"

    @property
    def good(self) -> tuple[BuildObservation, ...]:
        """The builds that may be looked at: measured or recorded, outputs not found wrong."""
        return tuple(b for b in self.builds if b.status == "ok" and (b.outputs is None or b.outputs.valid))

    @property
    def launch_bound(self) -> tuple[int, int]:
        """Good builds that launching bounds, and those that say whether it does."""
        said = [build.launch_bound for build in self.good if build.launch_bound is not None]
        return sum(said), len(said)

    def judged_by(self, name: str) -> CellObservation:
        """Return the cell with the pass *name* as the latency of each build."""
        return replace(self, builds=tuple(replace(build, latency_pass=name) for build in self.builds))


@dataclass(frozen=True)
class RunObservation:
    """One or more stored runs, read.

    :param runs: the bundles' folders; :param manifest: that of the first
    :param unread: in words, what of them cannot be read here
    """

    runs: tuple[Path, ...]
    manifest: Manifest
    cells: tuple[CellObservation, ...]
    unread: tuple[str, ...] = ()


def judged_by(run: RunObservation, name: str) -> RunObservation:
    """Return *run* with the pass *name* as the latency of each build; builds without that pass have none.

    As one CUDA graph a network takes what the GPU takes; its plain latency may be that of its launches.
    """
    return replace(run, cells=tuple(seen.judged_by(name) for seen in run.cells))


def passes_of(run: RunObservation) -> tuple[str, ...]:
    """Return the names of the passes that any build has, in the order in which they are met."""
    builds = (build for seen in run.cells for build in seen.builds)
    return tuple(dict.fromkeys(name for build in builds for name in build.passes))
