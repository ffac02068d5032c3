"""The short answers on a runtime in one sentence each, as the first screen shows them.

They count and give ranges over the cases of a run; the answers in full name each of them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from harness.analysis.answers.beside import newest, subjects
from harness.analysis.answers.kernels import family_offer, how_far_family_came, runs_on_family
from harness.analysis.answers.to_use import Row, beside_best, none_stands_out, not_slower, wins
from harness.analysis.figures.runtimes import RuntimeFigures, RuntimeTable
from harness.analysis.hosts import HostNames
from harness.analysis.table import Change
from harness.analysis.verdict import LATENCY, Verdict
from harness.written import capital, number_of, percent

CONVOLUTIONS = "pointwise"
"""The rule on the cost of the 1x1 convolutions."""

MOST_NETWORKS = 3
"""Networks that the sentence on the version names."""

MOST_CASES = 4
"""Cases that the sentence on other runtimes names."""

TELLING_REFORMATS = 0.1
"""Share of the layer time from which on the reformats of a runtime stand beside its speed."""


def which_version(rows: Sequence[Row], versions: Sequence[str], picked: str | None) -> str:
    """Return the version to use, with the range of what it gains and in how many cases.

    :param versions: oldest first; :param picked: the version to use, None where none stands out
    """
    if len(versions) == 1:
        return f"{versions[0]} is the only one measured."
    if picked is None:
        return none_stands_out(rows, versions, "the builds cannot tell")
    won = [one for _, one in rows if wins(one, picked)]
    networks = list(dict.fromkeys(answer.network for answer, one in rows if wins(one, picked)))
    named = len(won) < len(rows) and len(networks) <= MOST_NETWORKS
    others = [version for version in versions if any(beside_best(one, version) for one in won)]
    gains = [1.0 - (v.effect or 1.0) for one in won for version in others for v in beside_best(one, version)]
    said = f"{picked} takes {_span(gains)} less time than {_either(others)}{_in(len(won), rows)}"
    said += f" ({', '.join(networks)})" if named else ""
    lost = sum(not not_slower(one, picked) for _, one in rows)
    rest = [f"in {lost} it is slower than the fastest"] if lost else []
    tied = [one.best for _, one in rows if not wins(one, picked) and not_slower(one, picked)]
    equal = sum(best.ties == best.alike for best in tied)
    rest += [f"in {equal} no version is slower"] if equal else []
    rest += [f"in {len(tied) - equal} that cannot be told"] if tied[equal:] else []
    return f"{'; '.join([said, *rest])}."


def what_changed(rows: Sequence[Row]) -> str:
    """Return since when most 1x1 convolutions run on GEMM kernels and what they gain, nothing if unknown."""
    since = [(one.kernels.since, answer, one) for answer, one in rows if one.kernels.since is not None]
    if not since:
        texts = list(dict.fromkeys(one.kernels.gemm for _, one in rows if one.kernels.gemm))
        return f"1x1 convolutions run {texts[0].split(', ')[0]}." if len(texts) == 1 else ""
    counts: dict[str, list[Row]] = {}
    for version, answer, one in since:
        counts.setdefault(version, []).append((answer, one))
    version, own = max(counts.items(), key=lambda item: len(item[1]))
    _, most = max(own, key=lambda row: sum(row[1].builds.values()))
    numbers = f"{most.kernels.now.split(' in ')[0]}, before {most.kernels.before}"
    said = f"Since {version}, 1x1 convolutions run on GEMM kernels{_in(len(own), rows)} ({numbers})"
    less = [
        abs(v.difference or 0.0)
        for _, one in rows
        for v in one.costs
        if v.bottleneck == CONVOLUTIONS and fell(v)
    ]
    gain = f"; that saves {_span(less)} of the layer time{_in(len(less), rows)}" if less else ""
    return f"{said}{gain}."


def is_gemm_as_conv1x1(rows: Sequence[Row]) -> str:
    """Return whether ``gemm_as_conv1x1`` is what runs the 1x1 convolutions, nothing without tactics."""
    known = [one.kernels for _, one in rows if one.kernels.chosen is not None]
    if not known:
        return ""
    on_gemm = any(k.since is not None or k.every for k in known)
    other = "; the GEMM kernels are others" if on_gemm else ""
    chosen = [(k.chosen or 0, k.of) for k in known if k.chosen]
    if not chosen:
        return f"No: {how_far_family_came(known)}{other}."
    count, total = max(chosen, key=lambda one: one[0] / max(one[1], 1))
    where = _in(len(chosen), rows)
    said = f"chosen for at most {count} of {number_of(total, 'convolution')}{f',{where}' if where else ''}"
    if runs_on_family(known):
        return f"Yes: {said}."
    offer = family_offer(known)
    return f"No{f': {offer}' if offer else ''}, but {said}{other}."


def what_is_worse(rows: Sequence[Row], titles: Mapping[str, str]) -> str:
    """Return what got worse, of the latencies first, with its range; what else did is counted."""
    wrong = [v for _, one in rows for v in one.latency if v.verdict == "invalid"]
    if wrong:
        return f"Outputs of {_and(list(dict.fromkeys(v.version for v in wrong)))} are wrong."
    worse: dict[tuple[str, str], list[Verdict]] = {}
    for _, one in rows:
        for verdict in one.worse:
            worse.setdefault((verdict.bottleneck, verdict.version), []).append(verdict)
    if not worse:
        return "Nothing that these builds show."
    (bottleneck, version), own = max(worse.items(), key=lambda item: (item[0][0] == LATENCY, len(item[1])))
    latency = bottleneck == LATENCY
    sizes = [(v.effect or 1.0) - 1.0 if latency else v.difference or 0.0 for v in own]
    name, of = ("Latency", "") if latency else (titles.get(bottleneck, bottleneck), " of the layer time")
    more = sum(map(len, worse.values())) - len(own)
    said = f"{capital(name)} in {version}, +{_span(sizes)}{of}{_in(len(own), rows)}"
    return f"{said}{f'; and {more} more' if more else ''}."


def what_is_open(rows: Sequence[Row]) -> str:
    """Return how many latencies cannot be told, and what would settle the first of them."""
    unclear = [(answer, v) for answer, one in rows for v in one.unclear]
    compared = sum(len(one.latency) for _, one in rows)
    if not unclear:
        return "No change of latency." if compared else ""
    named = [f"{answer.name} would take {v.settles}" for answer, v in unclear if v.settles]
    settled = f"; {named[0]}" if named else ""
    return f"{len(unclear)} of {number_of(compared, 'change')} of latency{settled}."


def what_can_be_done(rows: Sequence[Row]) -> str:
    """Return the remedy with the largest gain that builds of this run show, nothing without any."""
    told = [
        (remedy.told[0].factor, remedy.remedy.what, remedy.told[0], answer)
        for answer, one in rows
        for remedy in one.remedies
        if remedy.told and remedy.told[0].builds > 1
    ]
    if not told:
        return ""
    _, what, gain, answer = min(told, key=lambda one: one[0])
    return f"{capital(what)}: latency {gain.words}{f' in {answer.name}' if len(rows) > 1 else ''}."


def how_fast_others_are(tables: Sequence[RuntimeTable], hosts: HostNames) -> str:
    """Return how many times as fast the newest version of each other runtime is, case by case.

    :param tables: of one runtime that speed-ups are against
    """
    told = [(table, rows) for table in tables if (rows := newest(table))]
    if not told:
        return ""
    named = told[:MOST_CASES]
    cases = subjects([table for table, _ in told], hosts)
    speeds: dict[str, list[tuple[str, RuntimeFigures]]] = {}
    for case, (_, rows) in zip(cases, named, strict=False):
        for row in rows:
            speeds.setdefault(row.name, []).append((case, row))
    bases = {row.against for _, rows in named for row in rows}
    base = bases.pop() if len(bases) == 1 else named[0][0].against
    each = [_speeds(name, own, base if not at else "") for at, (name, own) in enumerate(speeds.items())]
    more = f"; {number_of(len(told) - len(named), 'more case')} below" if told[MOST_CASES:] else ""
    return f"{'; '.join(each)}{more}."


def _speeds(name: str, rows: Sequence[tuple[str, RuntimeFigures]], base: str) -> str:
    """Return the speed-ups of one runtime, and its reformats where they are a part to speak of.

    :param base: what they are against, where that has to be said
    """
    unit = f" times{f' as fast as {base}' if base else ''}"
    said = [f"{row.speed_up:.2f}{'' if at else unit} on {case}" for at, (case, row) in enumerate(rows)]
    shares = [row.shares.reformats for _, row in rows if row.shares is not None]
    telling = bool(shares) and max(shares) >= TELLING_REFORMATS
    reformats = f" ({_span(shares)} of its layer time in reformats)" if telling else ""
    return f"{name} {'is ' if base else ''}{', '.join(said)}{reformats}"


def fell(verdict: Verdict) -> bool:
    """Tell whether a cost went down or away."""
    return verdict.change in (Change.REDUCED, Change.REMOVED)


def _span(sizes: Sequence[float]) -> str:
    """Return the range of *sizes* in percent, one number where they do not differ."""
    low, high = percent(min(sizes)), percent(max(sizes))
    return low if low == high else f"{low.removesuffix(' %')} to {high}"


def _in(count: int, rows: Sequence[Row]) -> str:
    return f" in {count} of {len(rows)} cases" if len(rows) > 1 else ""


def _either(names: Sequence[str]) -> str:
    return " or ".join((", ".join(names[:-1]), names[-1])) if len(names) > 1 else names[0]


def _and(texts: Sequence[str]) -> str:
    return " and ".join((", ".join(texts[:-1]), texts[-1])) if len(texts) > 1 else texts[0]
