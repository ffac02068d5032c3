"""One device, one roofline: the peaks measured in single builds, made those of their host.

The first build in each environment measures the peaks (in older bundles each build does), with the libraries
of that environment. Held against its own figure a build's cost would move with the noise of that figure, and
with the version of a library that the measured runtime does not even use. A peak is the most that a device
gave: of one host, the same for all. Where a class of convolutions ran in less time than the peaks allow, they
are none, for all its builds.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from harness.analysis.groups import BuildGroup, is_good
from harness.analysis.rules.carriers import tells_classes, timed_engine
from harness.attribution.peaks import Peaks, measured_peaks, precision_of
from harness.attribution.roofline import class_bounds_ms
from harness.networks.graph import OpClass
from harness.observations.records import BuildObservation, CellObservation, RunObservation
from harness.written import number_of

_CLASSES = (OpClass.POINTWISE, OpClass.DEPTHWISE)

HostPeaks = Mapping[tuple[str, str], Peaks]
"""(host, precision) to the peaks of that host."""


def host_peaks(runs: Iterable[RunObservation]) -> HostPeaks:
    """Return the largest peaks that any build of *runs* measured, by host and precision."""
    runs = list(runs)
    best: dict[tuple[str, str], Peaks] = {}
    builds: dict[tuple[str, str], int] = {}
    for build in (b for run in runs for cell in run.cells for b in cell.builds):
        precision = precision_of(build.facts)
        peaks = None if precision is None else measured_peaks(build.facts, precision)
        if precision is None or peaks is None:
            continue
        key = (build.host, precision)
        builds[key] = builds.get(key, 0) + 1
        most = best.get(key, peaks)
        best[key] = Peaks(
            max(peaks.flops_per_s, most.flops_per_s),
            max(peaks.bytes_per_s, most.bytes_per_s),
            f"the most of {number_of(builds[key], 'build')} on this host",
            measured=True,
        )
    beaten = _beaten(runs, best)
    return {key: replace(peaks, beaten=beaten.get(key, "")) for key, peaks in best.items()}


def _beaten(runs: Iterable[RunObservation], peaks: HostPeaks) -> dict[tuple[str, str], str]:
    """Return by what the *peaks* of a host were beaten, where a class of convolutions beat them."""
    closest: dict[tuple[str, str], tuple[float, str]] = {}
    for build in (b for run in runs for cell in run.cells for b in cell.builds if is_good(b)):
        key = (build.host, precision_of(build.facts) or "")
        engine = timed_engine(build)
        if engine is None or key not in peaks or not tells_classes(engine):
            continue
        bounds, times = class_bounds_ms(engine, peaks[key], key[1]), engine.time_of_class()
        for name in _CLASSES:
            spent, bound = times.get(name, 0.0), bounds.get(name, 0.0)
            if 0 < spent < bound and spent / bound < closest.get(key, (1.0, ""))[0]:
                said = (
                    f"the peaks measured here are too low: {name} ran in {spent:.3f} ms, bound {bound:.3f} ms"
                )
                closest[key] = (spent / bound, said)
    return {key: said for key, (_, said) in closest.items()}


def with_peaks(run: RunObservation, peaks: HostPeaks) -> RunObservation:
    """Return *run* with the peaks of its hosts in the facts of each build."""
    if not peaks:
        return run
    return replace(run, cells=tuple(_cell(cell, peaks) for cell in run.cells))


def group_with_peaks(group: BuildGroup, peaks: HostPeaks) -> BuildGroup:
    """Return *group* with the peaks of its host in the facts of each build."""
    if not peaks or not group.observed:
        return group
    return replace(group, observed=tuple(_build(build, peaks) for build in group.observed))


def _cell(cell: CellObservation, peaks: HostPeaks) -> CellObservation:
    return replace(cell, builds=tuple(_build(build, peaks) for build in cell.builds))


def _build(build: BuildObservation, peaks: HostPeaks) -> BuildObservation:
    known = peaks.get((build.host, precision_of(build.facts) or ""))
    if known is None:
        return build
    if known.beaten:
        return replace(build, facts={**build.facts, "peaks": {"beaten": known.beaten}})
    stated = {"flops_per_s": known.flops_per_s, "bytes_per_s": known.bytes_per_s, "how": known.source}
    return replace(build, facts={**build.facts, "peaks": stated})
