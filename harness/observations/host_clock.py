"""Latencies by the host's clock: the one that runtimes of a GPU and of the CPU have in common.

TensorRT's latency is the GPU's own, between two events; of a call of TensorFlow only the host can say it.
"""

from __future__ import annotations

from dataclasses import replace

from msgspec import structs

from harness.observations.records import BuildObservation, RunObservation
from harness.observations.slices import samples_of, slices_of, unthrottled
from harness.store.documents.samples import Slice, read_samples


def by_host_clock(run: RunObservation) -> RunObservation:
    """Return *run* with what its host's clock says of each inference, where it was read beside the GPU's.

    :raises InputError: samples are torn
    """
    cells = tuple(replace(seen, builds=tuple(map(_build, seen.builds))) for seen in run.cells)
    return replace(run, cells=cells)


def by_gpu_alone(build: BuildObservation) -> bool:
    """Say whether the latency of *build* is the GPU's own, as no host's clock was read beside it.

    :raises InputError: samples are torn
    """
    if build.status != "ok" or build.folder is None or not build.passes:
        return False
    return any(_by_host(one).clock == "gpu" for one in read_samples(build.folder))


def _build(build: BuildObservation) -> BuildObservation:
    if build.status != "ok" or build.folder is None or not build.passes:
        return build
    stored = read_samples(build.folder)
    turned = [_by_host(one) for one in stored]
    if turned == stored:
        return build
    kept = [unthrottled(one) for one in turned]
    passes, _ = samples_of(kept)
    return replace(build, passes=passes, slices=slices_of(kept) if build.block else {})


def _by_host(one: Slice) -> Slice:
    values = [ms for ms in one.host_ms or () if ms is not None]
    whole = one.clock == "gpu" and len(values) == len(one.latency_ms)
    return structs.replace(one, clock="host", latency_ms=values) if whole else one
