"""Each bottleneck of a network in the versions of one runtime, in a sentence."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

from harness.analysis.answers.kernels import KernelAnswer
from harness.analysis.table import INDETERMINATE, MINIMUM_BUILDS, Change, State
from harness.analysis.verdict import LATENCY, Verdict
from harness.written import percent, span

# What each built-in rule counts, and what is said where it counts nothing in any version.
_COUNTED = {
    "reformat": ("interior", "reformats between layers: {}", "none runs between layers"),
    "relu6": ("own_layers", "layers of its own: {}", "it runs inside the convolutions"),
    "formats": ("boundary_reformats", "reformats there: {}", "nothing is reformatted there"),
}


@dataclass(frozen=True)
class Finding:
    """What is said of one bottleneck in the versions of one runtime.

    :param text: plain English, without its title and without a full stop
    :param word: what happened from the version before to the newest, or the state of the only one
    :param state: in the newest version, None where it cannot be told
    :param nothing: whether no build of any version spends any time on it
    """

    bottleneck: str
    title: str
    text: str
    word: str
    state: State | None
    nothing: bool = False

    @property
    def quiet(self) -> bool:
        """Whether it is no bottleneck and never was one that changed."""
        if self.nothing:
            return True
        return self.state is State.ABSENT and self.word in (Change.UNCHANGED, INDETERMINATE, State.ABSENT)


def findings(
    verdicts: Iterable[Verdict], titles: Mapping[str, str], kernels: KernelAnswer
) -> tuple[Finding, ...]:
    """Return one finding a bottleneck that a version's builds can tell of, in the order of *titles*.

    :param verdicts: of one network on one host, of one runtime's versions, oldest first
    :param titles: of the rules, by name
    """
    by_name: dict[str, list[Verdict]] = {}
    for verdict in verdicts:
        if verdict.bottleneck != LATENCY and _side(verdict).get("ms"):
            by_name.setdefault(verdict.bottleneck, []).append(verdict)
    return tuple(
        _finding(name, title, by_name[name], kernels) for name, title in titles.items() if name in by_name
    )


def _finding(name: str, title: str, verdicts: Sequence[Verdict], kernels: KernelAnswer) -> Finding:
    newest = verdicts[-1]
    nothing = not any(float(str(ms)) for v in verdicts for ms in _values(v, "ms"))
    parts = [kernels.gemm] if name == "pointwise" and kernels.gemm else []
    parts += _counts(name, verdicts)
    parts += [] if nothing else [_cost(newest), *_changes(verdicts)]
    if name == "pointwise" and kernels.family:
        parts.append(kernels.family)
    return Finding(name, title, "; ".join(filter(None, parts)), newest.verdict, newest.state, nothing)


def _counts(name: str, verdicts: Sequence[Verdict]) -> list[str]:
    key, some, none = _COUNTED.get(name, ("", "", ""))
    if not key:
        return []
    counts = {v.version: [int(str(n)) for n in _values(v, key)] for v in verdicts}
    if not any(map(any, counts.values())):
        return [none]
    spans = {version: span(own) for version, own in counts.items() if own}
    if len(set(spans.values())) == 1:
        return [some.format(next(iter(spans.values())))]
    return [some.format(", ".join(f"{number} in {version}" for version, number in spans.items()))]


def _cost(verdict: Verdict) -> str:
    """Return what it costs in the newest version, nothing where that is nothing."""
    side = _side(verdict)
    if not any(map(float, map(str, _values(verdict, "ms")))):
        return ""
    shares = [float(str(x)) for x in _values(verdict, "shares")]
    if not shares:
        return "a part of the network's layers is known: no share of the whole"
    beyond = f"{percent(fmean(shares))}"
    if times := [float(str(x)) for x in _values(verdict, "time_share")]:
        bound = any(x is not None for x in _list(side.get("bound_ms")))
        more = f", {beyond} beyond the least the device could take" if bound else ""
        said = f"{percent(fmean(times))} of the layer time in {verdict.version}{more}"
    else:
        said = f"{beyond} of the layer time in {verdict.version}"
    if verdict.state is not None:
        return f"{said}: {'a' if verdict.state is State.PRESENT else 'no'} bottleneck"
    return said if len(shares) < MINIMUM_BUILDS else f"{said}, and whether that is over 5 % cannot be told"


def _changes(verdicts: Sequence[Verdict]) -> list[str]:
    compared = [v for v in verdicts if v.against is not None]
    told = [v for v in compared if v.change is not None]
    moved = [v for v in told if v.change is not Change.UNCHANGED]
    said = [f"{v.verdict} from {v.against} to {v.version}, {v.moved}" for v in moved]
    if compared and len(told) == len(compared) and not moved:
        said.append(f"unchanged since {compared[0].against}")
    unclear = [v for v in compared if v.change is None and v.state is not State.ABSENT]
    if unclear:
        pairs = ", ".join(f"{v.against} to {v.version}" for v in unclear)
        said.append(f"whether it changed from {pairs} cannot be told")
    return said


def _side(verdict: Verdict) -> Mapping[str, object]:
    side = verdict.evidence.get("new")
    return side if isinstance(side, Mapping) else {}


def _values(verdict: Verdict, key: str) -> list[object]:
    return [x for x in _list(_side(verdict).get(key)) if x is not None]


def _list(value: object) -> list[object]:
    return list(value) if isinstance(value, list | tuple) else []
