"""The slices of a build as what is asked of them: samples and slices by pass, the time that it waited."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from msgspec import structs

from harness.observations.records import LATENCY_PASS, Samples, Slice
from harness.store.documents.samples import Slice as StoredSlice


def unthrottled(one: StoredSlice) -> StoredSlice:
    """Return a slice without the samples that were throttled."""
    if one.throttled is None or not any(one.throttled):
        return one
    held = one.throttled
    latency = [ms for ms, down in zip(one.latency_ms, held, strict=True) if not down]
    enqueue = one.enqueue_ms
    if enqueue is not None:
        enqueue = [ms for ms, down in zip(enqueue, held, strict=True) if not down]
    return structs.replace(one, latency_ms=latency, enqueue_ms=enqueue, throttled=None)


def samples_of(slices: Iterable[StoredSlice]) -> tuple[dict[str, Samples], Samples | None]:
    """Return samples by pass, and enqueue times of the latency pass."""
    passes: dict[str, list[float]] = {}
    enqueue: list[float] = []
    for one in slices:
        if one.latency_ms:
            passes.setdefault(one.pass_name, []).extend(one.latency_ms)
        if one.pass_name == LATENCY_PASS and one.enqueue_ms is not None:
            enqueue.extend(ms for ms in one.enqueue_ms if ms is not None)
    arrays = {name: np.asarray(values, dtype=np.float64) for name, values in passes.items()}
    return arrays, np.asarray(enqueue) if enqueue else None


def waited(slices: Iterable[StoredSlice]) -> float | None:
    """Return wall time over CPU time of the latency pass, less 1; None where no CPU time was measured."""
    wall = cpu = 0.0
    for one in slices:
        if one.pass_name == LATENCY_PASS and one.cpu_ms is not None:
            known = [(a, b) for a, b in zip(one.latency_ms, one.cpu_ms, strict=True) if b is not None]
            wall += sum(a for a, _ in known)
            cpu += sum(b for _, b in known)
    return wall / cpu - 1 if cpu > 0 else None


def slices_of(slices: Iterable[StoredSlice]) -> dict[str, tuple[Slice, ...]]:
    """Return the slices of each pass that hold samples."""
    passes: dict[str, list[Slice]] = {}
    taken: set[tuple[str, int, int]] = set()
    for one in slices:
        if (key := (one.pass_name, one.process, one.cycle)) in taken:
            raise ValueError(f"two slices of cycle {one.cycle} of {one.pass_name}, process {one.process}")
        taken.add(key)
        if one.latency_ms:
            samples = np.asarray(one.latency_ms)
            passes.setdefault(one.pass_name, []).append(Slice(one.cycle, samples, one.process, one.slice))
    return {name: tuple(slices) for name, slices in passes.items()}
