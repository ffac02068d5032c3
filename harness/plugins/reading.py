"""Stored runs read with the registered parts."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from harness.observations import reading
from harness.observations.records import RunObservation
from harness.plugins import registry


def observe(runs: Iterable[Path], *, searches: bool = True) -> RunObservation:
    """Read the bundles in *runs* as one observation (see :func:`harness.observations.reading.observe`)."""
    return reading.observe(runs, registry.runtimes(), registry.networks(), searches=searches)
