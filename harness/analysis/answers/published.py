"""What published runs answer, read from the small documents that come with every installation."""

from __future__ import annotations

from collections.abc import Collection
from functools import cache

from msgspec import structs

from harness.resources import data_folder
from harness.store.documents.base import read_document
from harness.store.documents.published import GainRecord, Published
from harness.store.documents.verdicts import ShortRecord

FOLDER = "published"


@cache
def published() -> tuple[Published, ...]:
    """Return the answers of the published bundles, by name."""
    folder = data_folder("reports") / FOLDER
    return tuple(read_document(path, Published) for path in sorted(folder.glob("*.json")))


def published_answers(runtimes: Collection[str]) -> tuple[Published, ...]:
    """Return what published bundles answer on runtimes that a run has not measured, versions that win first.

    An answer that names no version stands only where no bundle names one for its runtime, and where it says
    more than that one version was measured.

    :param runtimes: those of the run
    """
    others = [one for one in published() if not {short.runtime for short in one.short} & set(runtimes)]
    named = {short.runtime for one in others for short in one.short if short.version is not None}

    def tells(short: ShortRecord) -> bool:
        return short.version is not None or (short.runtime not in named and len(short.lines) > 1)

    kept = [structs.replace(one, short=[short for short in one.short if tells(short)]) for one in others]
    return tuple(sorted((one for one in kept if one.short), key=lambda one: one.short[0].version is None))


@cache
def published_gains(besides: frozenset[str] = frozenset()) -> tuple[GainRecord, ...]:
    """Return the gains of remedies that published bundles show, without those of the bundles *besides*."""
    return tuple(
        structs.replace(one, device=f"{one.device}, {found.measured}")
        for found in published()
        if found.bundle not in besides
        for one in found.gains
    )
