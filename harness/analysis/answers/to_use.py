"""The version of a runtime to use: best, or not told from the best, in most cases of a run."""

from __future__ import annotations

from collections.abc import Sequence

from harness.analysis.answers.answer import Answer, RuntimeAnswer
from harness.analysis.verdict import Verdict

Row = tuple[Answer, RuntimeAnswer]
"""A case: a network and treatment on one host, with what is answered on one runtime."""


def version_to_use(rows: Sequence[Row], versions: Sequence[str]) -> str | None:
    """Return the version that is best, or not slower than the best, most often; the newest of several.

    None where no version is told from another, or where there is one only.

    :param rows: of one runtime; :param versions: its versions, oldest first
    """
    if len(versions) < 2 or not any(one.best.slower for _, one in rows):
        return None
    place = {version: at for at, version in enumerate(versions)}
    return max(versions, key=lambda v: (*_counts(rows, v), place[v]))


def explains(rows: Sequence[Row], versions: Sequence[str], picked: str | None) -> bool:
    """Tell whether the kernels of the 1x1 convolutions changed with the version *picked* or before it."""
    since = [versions.index(one.kernels.since) for _, one in rows if one.kernels.since in versions]
    return picked is not None and bool(since) and min(since) <= versions.index(picked)


def not_slower(one: RuntimeAnswer, version: str) -> bool:
    """Tell whether *version* is the best of a case or is not told from it; also where it was not measured."""
    known = version in one.versions
    return not known or version in {one.best.release.version, *(x.version for x in one.best.ties)}


def wins(one: RuntimeAnswer, version: str) -> bool:
    """Tell whether *version* is the best of a case, in which another is slower."""
    return one.best.release.version == version and bool(one.best.slower)


def none_stands_out(rows: Sequence[Row], versions: Sequence[str], unclear: str) -> str:
    """Return that no version is to be preferred, and why.

    :param unclear: what is said where builds cannot tell
    """
    alike = all(len(one.best.alike) == one.best.others for _, one in rows)
    return f"None stands out of {', '.join(versions)}: {'they are equally fast' if alike else unclear}."


def _counts(rows: Sequence[Row], version: str) -> tuple[int, int]:
    return sum(not_slower(one, version) for _, one in rows), sum(wins(one, version) for _, one in rows)


def beside_best(one: RuntimeAnswer, other: str) -> list[Verdict]:
    """Return how much faster the best of a case is than its slower version *other*."""
    return [verdict for release, verdict in one.best.slower if release.version == other]
