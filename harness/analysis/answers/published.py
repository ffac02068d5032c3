"""What published runs answer, read from the small documents that come with every installation."""

from __future__ import annotations

from functools import cache

from harness.analysis.answers.remedies import Gain
from harness.resources import data_folder
from harness.store.documents.base import read_document
from harness.store.documents.published import Published

FOLDER = "published"


@cache
def published() -> tuple[Published, ...]:
    """Return the answers of the published bundles, by name."""
    folder = data_folder("reports") / FOLDER
    return tuple(read_document(path, Published) for path in sorted(folder.glob("*.json")))


@cache
def published_gains(besides: frozenset[str] = frozenset()) -> tuple[Gain, ...]:
    """Return the gains of remedies that published bundles show, without those of the bundles *besides*."""
    return tuple(
        Gain(
            one.remedy,
            one.runtime,
            one.version,
            one.network,
            f"{one.device}, {found.measured}",
            one.value,
            one.factor,
            one.interval,
            one.builds,
        )
        for found in published()
        if found.bundle not in besides
        for one in found.gains
    )
