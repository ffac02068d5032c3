"""The short answers on a runtime: which version, why, which kernels, what is worse, what is open.

They add up what stands in the answers on each network; nothing is compared here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from harness.analysis.answers import leads
from harness.analysis.answers.answer import Answer
from harness.analysis.answers.beside import beside
from harness.analysis.answers.best import Best
from harness.analysis.answers.kernels import FAMILY, how_far_family_came, runs_on_family
from harness.analysis.answers.remedies import RemedyAnswer
from harness.analysis.answers.to_use import (
    Row,
    beside_best,
    explains,
    none_stands_out,
    not_slower,
    version_to_use,
)
from harness.analysis.figures.runtimes import RuntimeTable
from harness.analysis.hosts import HostNames
from harness.analysis.verdict import Verdict
from harness.written import capital, number_of, percent

MOST_NAMED = 3
"""Networks that a short answer names; the rest is counted."""

IN_SHORT = {
    "Is it gemm_as_conv1x1?": "gemm_as_conv1x1?",
    "How fast are the others?": "The others?",
    "What is worse than before?": "What is worse?",
    "What cannot be told?": "What is open?",
    "What can be done?": "What helps?",
}
"""Questions as the first screen asks them."""


@dataclass(frozen=True)
class ShortAnswer:
    """The short answers on one runtime.

    :param device: model of the GPUs or CPUs, empty where it is not known
    :param version: to use; None where none stands out, or one only was measured
    :param lines: question and answer, in the order of reading
    :param leads: the same in one sentence each
    """

    runtime: str
    device: str
    version: str | None
    lines: tuple[tuple[str, str], ...]
    leads: tuple[tuple[str, str], ...] = ()


def short_answers(
    answers: Sequence[Answer], titles: Mapping[str, str], tables: Sequence[RuntimeTable], hosts: HostNames
) -> tuple[ShortAnswer, ...]:
    """Return one record a runtime, in the order of the run.

    :param titles: of the rules, by name
    :param tables: of runtimes beside each other
    """
    rows: dict[str, list[Row]] = {}
    for answer in answers:
        for one in answer.runtimes:
            rows.setdefault(one.runtime, []).append((answer, one))
    own_tables = {name: [one for one in tables if one.against == name] for name in rows}
    return tuple(_short(name, own, titles, own_tables[name], hosts) for name, own in rows.items())


def _short(
    runtime: str,
    rows: Sequence[Row],
    titles: Mapping[str, str],
    tables: Sequence[RuntimeTable],
    hosts: HostNames,
) -> ShortAnswer:
    versions = list(dict.fromkeys(v for _, one in rows for v in one.versions))
    picked = version_to_use(rows, versions)
    changed = "Why?" if explains(rows, versions, picked) else "What changed?"
    said = [
        ("Which version?", _which(rows, versions, picked), leads.which_version(rows, versions, picked)),
        (changed, _why(rows, titles), leads.what_changed(rows)),
        ("Is it gemm_as_conv1x1?", _family(rows), leads.is_gemm_as_conv1x1(rows)),
        (
            "How fast are the others?",
            beside(tables, hosts, MOST_NAMED),
            leads.how_fast_others_are(tables, hosts),
        ),
    ]
    if len(versions) > 1:
        said += [
            ("What is worse than before?", _worse(rows, titles), leads.what_is_worse(rows, titles)),
            ("What cannot be told?", _open(rows), leads.what_is_open(rows)),
        ]
    said.append(("What can be done?", _remedies(rows), leads.what_can_be_done(rows)))
    devices = dict.fromkeys(one.device for _, one in rows if one.device)
    return ShortAnswer(
        runtime,
        ", ".join(devices),
        picked,
        tuple((question, text) for question, text, _ in said if text),
        tuple((IN_SHORT.get(question, question), lead) for question, _, lead in said if lead),
    )


def _which(rows: Sequence[Row], versions: Sequence[str], picked: str | None) -> str:
    if len(versions) == 1:
        return f"{versions[0]} is the only one measured."
    if picked is None:
        return none_stands_out(rows, versions, "the builds cannot tell which is best")
    said = [f"{picked}."]
    for other in versions:
        won = [
            (a, v) for a, one in rows if one.best.release.version == picked for v in beside_best(one, other)
        ]
        if won:
            where = f" in {len(won)} of {_of(rows)}: {_named(won)}" if len(rows) > 1 else ""
            said.append(f"It is faster than {other}{where or f', {won[0][1].moved}'}.")
    if lost := [a.name for a, one in rows if not not_slower(one, picked)]:
        said.append(f"It is slower than the fastest in {len(lost)}: {_some(lost)}.")
    if tied := [one.best for _, one in rows if not_slower(one, picked) and one.best.ties]:
        said.append(_tied(tied, picked, versions, f"In {len(tied)} it" if len(rows) > 1 else "It"))
    return " ".join(said)


def _tied(tied: Sequence[Best], picked: str, versions: Sequence[str], subject: str) -> str:
    """Return in how far the version *picked* is not the fastest alone."""
    near = {x.version for best in tied for x in (best.release, *best.ties)} - {picked}
    named = ", ".join(version for version in versions if version in near)
    alike = all(best.ties == best.alike for best in tied)
    return f"{subject} {'is as fast as' if alike else 'cannot be told from'} {named}."


def _of(rows: Sequence[Row]) -> str:
    return number_of(len(rows), "network", "networks and treatments")


def _remedies(rows: Sequence[Row]) -> str:
    """Return what remedies gained, those that cannot be told, and those that nobody measured."""
    by_name: dict[str, list[tuple[Answer, RemedyAnswer]]] = {}
    for answer, one in rows:
        for remedy in one.remedies:
            by_name.setdefault(remedy.remedy.name, []).append((answer, remedy))
    said, unclear, open_ones = [], [], []
    for own in by_name.values():
        told = sorted(
            (-one.told[0].builds, one.told[0].factor, place) for place, (_, one) in enumerate(own) if one.told
        )
        what = own[0][1].remedy.what
        if told:
            answer, best = own[told[0][-1]]
            gain = best.told[0]
            value = f"{gain.value} " if gain.value and gain.value.lower() not in what.lower() else ""
            where = f" in {answer.name}" if len(rows) > 1 else ""
            said.append(
                f"{what}: {value}{gain.words}{where}{f', and in {len(told) - 1} more' if told[1:] else ''}"
            )
        elif published := next((one for _, one in own if one.published and not one.gains), None):
            said.append(published.text)
        elif any(one.gains for _, one in own):
            unclear.append(what)
        else:
            open_ones.append(what)
    said += [f"measured, without a gain that the builds show: {', '.join(unclear)}"] if unclear else []
    said += [f"not measured here: {', '.join(open_ones)}"] if open_ones else []
    return f"{capital('; '.join(said))}." if said else ""


def _named(won: Sequence[tuple[Answer, Verdict]]) -> str:
    largest = sorted(won, key=lambda one: one[1].effect or 1.0)
    return _some([f"{answer.name} {verdict.moved}" for answer, verdict in largest])


def _some(texts: Sequence[str]) -> str:
    more = len(texts) - MOST_NAMED
    return "; ".join(texts[:MOST_NAMED]) + (f"; and {more} more" if more > 0 else "")


def _why(rows: Sequence[Row], titles: Mapping[str, str]) -> str:
    """Return since when GEMM kernels run the 1x1 convolutions, and which bottlenecks cost less."""
    said = []
    moved: dict[str, list[Row]] = {}
    for row in rows:
        if (since := row[1].kernels.since) is not None:
            moved.setdefault(since, []).append(row)
    for since, own in moved.items():
        where = f" in {len(own)} of {_of(rows)}" if len(rows) > 1 else ""
        answer, one = max(own, key=lambda row: sum(row[1].builds.values()))
        example = f"{one.kernels.now}{f' of {answer.name}' if len(rows) > 1 else ''}"
        numbers = f"{example}, {one.kernels.before} before"
        said.append(f"1x1 convolutions run on GEMM kernels since {since}{where}: {numbers}")
    if not moved:
        said += [f"1x1 convolutions run {text}" for text in _alike(rows)]
    for name, title in titles.items():
        less = [(a, v) for a, one in rows for v in one.costs if v.bottleneck == name and leads.fell(v)]
        if less:
            sizes = sorted(abs(v.difference or 0.0) for _, v in less)
            size = percent(sizes[0]) if len(sizes) == 1 else f"{100 * sizes[0]:.1f} to {percent(sizes[-1])}"
            where = f" in {len(less)}" if len(rows) > 1 else ""
            said.append(f"{_lower(title)} take less time{where}, by {size} of the layer time")
    return f"{'; '.join(said)}." if said else ""


def _alike(rows: Sequence[Row]) -> Iterable[str]:
    """Yield what is said of the kernels, where that is the same of all networks or of one only."""
    texts = list(dict.fromkeys(one.kernels.gemm for _, one in rows if one.kernels.gemm))
    return texts if len(texts) == 1 else []


def _family(rows: Sequence[Row]) -> str:
    known = [(answer, one.kernels) for answer, one in rows if one.kernels.chosen is not None]
    if not known:
        return ""
    cases = [kernels for _, kernels in known]
    chosen = [(answer, kernels) for answer, kernels in known if kernels.chosen]
    if not chosen:
        return f"No: {how_far_family_came(cases)}."
    count = max(chosen, key=lambda row: (row[1].chosen or 0) / max(row[1].of, 1))[1].chosen or 0
    few = "one layer" if count == 1 else f"{count} layers"
    word = "Yes" if runs_on_family(cases) else f"No, but for {few}"
    named = _some([f"{answer.name}, {_chosen(kernels.family)}" for answer, kernels in chosen])
    others = [kernels for kernels in cases if not kernels.chosen]
    which = "case" if len(others) == 1 else f"{len(others)} cases"
    beside = f"; of the other {which}: {how_far_family_came(others)}" if others else ""
    return f"{word}: {named}{beside}."


def _chosen(family: str) -> str:
    return family.removeprefix(f"{FAMILY}: ")


def _worse(rows: Sequence[Row], titles: Mapping[str, str]) -> str:
    said = [
        f"{_of_network(answer, rows)}{_title(v, titles)} in {v.version}, {v.moved}"
        for answer, one in rows
        for v in one.worse
    ]
    wrong = [(a, v) for a, one in rows for v in one.latency if v.verdict == "invalid"]
    said += [f"{answer.name}: outputs of {v.version} are wrong" for answer, v in wrong]
    text = _some(said) if len(rows) > 1 else capital(_some(said))
    return f"{text}." if said else "Nothing that these builds show."


def _of_network(answer: Answer, rows: Sequence[Row]) -> str:
    return f"{answer.name}: " if len(rows) > 1 else ""


def _words(*parts: str) -> str:
    return ", ".join(part for part in parts if part)


def _by(verdict: Verdict) -> str:
    return f"would take {verdict.settles}" if verdict.settles else ""


def _title(verdict: Verdict, titles: Mapping[str, str]) -> str:
    return _lower(titles.get(verdict.bottleneck, verdict.bottleneck))


def _lower(title: str) -> str:
    return title if title[:2].isupper() or title.startswith("ReLU") else title[:1].lower() + title[1:]


def _open(rows: Sequence[Row]) -> str:
    latencies = [(answer, v) for answer, one in rows for v in one.unclear]
    compared = sum(len(one.latency) for _, one in rows)
    costs = [v for _, one in rows for v in one.costs if all(v.builds)]
    unclear = sum(v.change is None and v.verdict == "indeterminate" for v in costs)
    said = []
    if latencies:
        several = len({version for _, one in rows for version in one.versions}) > 2
        pairs = [f"{v.against} to {v.version}" if several else "" for _, v in latencies]
        named = [
            _words(a.name if len(rows) > 1 else "", pair, _by(v))
            for (a, v), pair in zip(latencies, pairs, strict=True)
        ]
        said.append(f"{len(latencies)} of {number_of(compared, 'change')} of latency ({_some(named)})")
    if unclear:
        said.append(f"{unclear} of {number_of(len(costs), 'change')} of a bottleneck's cost")
    return f"{'; '.join(said)}." if said else "Nothing: every comparison is told."
