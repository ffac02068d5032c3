"""The kernels of the 1x1 convolutions in words: since when GEMM kernels, and ``gemm_as_conv1x1``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from statistics import median

from harness.analysis.figures.kernels import KernelFigures
from harness.attribution.adoption import Adoption
from harness.written import number_of, span

MOST = 0.5
"""Of the 1x1 convolutions, from which on a version is said to run them on kernels of a kind."""

FAMILY = "`gemm_as_conv1x1`"
NO_LOG = "no builder log says whether it was offered"


@dataclass(frozen=True)
class KernelAnswer:
    """What the versions of a runtime run the 1x1 convolutions of one network on.

    :param gemm: in words; empty where no version says
    :param now, before: how many since then and in the version before, in words; empty where nothing changed
    :param since: the version from which on most run on GEMM kernels, None where that did not change
    :param every: whether most run on GEMM kernels in every version
    :param family: in words, what became of ``gemm_as_conv1x1``; empty for a runtime without tactics
    :param chosen: the most convolutions that any build runs on it, None for a runtime without tactics
    :param offered, timed: whether any builder log says so, None where no log says anything
    :param of: number of 1x1 convolutions
    """

    gemm: str = ""
    now: str = ""
    before: str = ""
    since: str | None = None
    every: bool = False
    family: str = ""
    chosen: int | None = None
    offered: bool | None = None
    timed: bool | None = None
    of: int = 0


def kernel_answer(figures: Sequence[KernelFigures]) -> KernelAnswer:
    """Return the answer of one runtime.

    :param figures: of its versions, oldest first
    """
    known = [one for one in figures if any(_knows(x) for x in one.adoptions)]
    if not known:
        return KernelAnswer()
    found = replace(_gemm(known), of=max(x.pointwise.total for one in known for x in one.adoptions))
    tactics = [one for one in known if one.tactics]
    if not tactics:
        return found
    logs = [search.gemm_as_conv1x1 for one in tactics for search in one.searches if search is not None]
    offered = any(counts.offered for counts in logs) if logs else None
    timed = any(counts.timed for counts in logs) if logs else None
    return replace(
        found,
        family=_family(tactics, offered=offered, timed=timed),
        chosen=max(x.pointwise.on_gemm_as_conv1x1 for one in tactics for x in one.adoptions),
        offered=offered,
        timed=timed,
    )


def runs_on_family(cases: Sequence[KernelAnswer]) -> bool:
    """Tell whether ``gemm_as_conv1x1`` is what runs the 1x1 convolutions: in half of *cases* half of them.

    :param cases: of a runtime with tactics, at least one
    """
    return median((one.chosen or 0) / max(one.of, 1) for one in cases) >= MOST


def how_far_family_came(cases: Sequence[KernelAnswer]) -> str:
    """Return how far ``gemm_as_conv1x1`` came where no engine has it; one log that says so is enough."""
    if offer := family_offer(cases):
        return f"{offer}, chosen in no engine"
    logs = any(one.offered is not None for one in cases)
    return f"chosen in no engine; {'never offered' if logs else NO_LOG}"


def family_offer(cases: Sequence[KernelAnswer]) -> str:
    """Return whether ``gemm_as_conv1x1`` was offered and timed, nothing where no log says so."""
    if not any(one.offered for one in cases):
        return ""
    return "offered and timed" if any(one.timed for one in cases) else "offered, not timed"


def _knows(found: Adoption) -> bool:
    return found.pointwise.total > found.pointwise.unknown


def _share(one: KernelFigures) -> float:
    return median(x.pointwise.on_any_gemm / max(x.pointwise.total, 1) for x in one.adoptions)


def _counts(figures: Sequence[KernelFigures]) -> str:
    counts = [x.pointwise.on_any_gemm for one in figures for x in one.adoptions]
    return f"{span(counts)} of {span([x.pointwise.total for one in figures for x in one.adoptions])}"


def _in_builds(figures: Sequence[KernelFigures]) -> str:
    builds = sum(len(one.adoptions) for one in figures)
    return f"{_counts(figures)} in {'one build' if builds == 1 else f'{builds} builds'}"


def _gemm(figures: Sequence[KernelFigures]) -> KernelAnswer:
    """Return which versions run the 1x1 convolutions on GEMM kernels."""
    mostly = [_share(one) >= MOST for one in figures]
    versions = [one.release.version for one in figures]
    if all(mostly):
        where = "in every version measured" if len(versions) > 1 else f"in {versions[0]}"
        return KernelAnswer(f"on GEMM kernels {where}, {_in_builds(figures)}", every=True)
    if not any(x.pointwise.on_any_gemm for one in figures for x in one.adoptions):
        names = dict.fromkeys(name.replace("_", " ") for one in figures for name, _ in one.families)
        where = "every version measured" if len(versions) > 1 else versions[0]
        return KernelAnswer(f"on {' and '.join(names)} kernels in {where}, never on GEMM kernels")
    first = mostly.index(True) if any(mostly) else 0
    if first and all(mostly[first:]):
        now, before = _in_builds(figures[first:]), _counts(figures[first - 1 : first])
        said = f"on GEMM kernels since {versions[first]}, {now} ({before} in {versions[first - 1]})"
        return KernelAnswer(said, now, before, since=versions[first])
    each = ", ".join(f"{_counts([one])} in {one.release.version}" for one in figures)
    return KernelAnswer(f"on GEMM kernels in {'some versions' if any(mostly) else 'part'}: {each}")


def _family(figures: Sequence[KernelFigures], *, offered: bool | None, timed: bool | None) -> str:
    """Return what became of ``gemm_as_conv1x1`` in the engines and logs of *figures*."""
    chosen = []
    for one in figures:
        counts = [x.pointwise.on_gemm_as_conv1x1 for x in one.adoptions]
        if any(counts):
            builds = f"{sum(map(bool, counts))} of {number_of(len(counts), 'build')}"
            total = max(x.pointwise.total for x in one.adoptions)
            chosen.append(f"{span([n for n in counts if n])} of {total} in {builds} of {one.release.version}")
    if chosen:
        return f"{FAMILY}: chosen for {', '.join(chosen)}"
    if offered is None:
        return f"{FAMILY}: never chosen; {NO_LOG}"
    if not offered:
        return f"{FAMILY}: never offered"
    return f"{FAMILY}: offered, {'timed' if timed else 'not timed'}, never chosen"
