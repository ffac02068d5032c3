"""Cases of the short answers, composed: what is told of one network in the versions of one runtime."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from harness.analysis.answers.answer import Answer, RuntimeAnswer
from harness.analysis.answers.best import Best
from harness.analysis.answers.kernels import KernelAnswer
from harness.analysis.answers.remedies import Remedy, RemedyAnswer
from harness.analysis.answers.short import ShortAnswer, short_answers
from harness.analysis.answers.to_use import Row
from harness.analysis.figures.latency import Speed
from harness.analysis.groups import Release
from harness.analysis.hosts import HostNames
from harness.analysis.table import Change
from harness.analysis.verdict import LATENCY, Verdict
from harness.store.documents.published import GainRecord

NO_HOSTS = HostNames({}, {})
TITLES = {"pointwise": "1x1 convolutions", "depthwise": "Depthwise convolutions", "relu6": "ReLU6 on its own"}
RUNTIME = "tensorrt"


def verdict(
    change: Change | None,
    size: float | None = None,
    *,
    bottleneck: str = LATENCY,
    version: str = "2",
    against: str = "1",
    word: str = "",
    builds: tuple[int, int] = (3, 3),
    settles: str | None = None,
) -> Verdict:
    """A change by *size*: new / old of a latency, a share of the layer time of a cost."""
    of_latency = bottleneck == LATENCY
    return Verdict(
        bottleneck=bottleneck,
        network="net",
        treatment="fp32-b1",
        runtime=RUNTIME,
        version=version,
        host="host-a",
        verdict=word or ("indeterminate" if change is None else str(change)),
        reason="",
        cell=f"net-{version}",
        change=change,
        effect=size if of_latency else None,
        difference=None if of_latency else size,
        builds=builds,
        against=against,
        settles=settles,
    )


def best(
    version: str,
    slower: Mapping[str, float] | None = None,
    alike: Sequence[str] = (),
    unclear: Sequence[str] = (),
) -> Best:
    """The best of some versions.

    :param slower: version to the time of the best in parts of its own
    :param alike: those shown to be as fast; :param unclear: those that cannot be told from it
    """
    beside = [
        *((old, verdict(Change.REDUCED, size, against=old)) for old, size in (slower or {}).items()),
        *((other, verdict(Change.UNCHANGED, 1.0, against=other)) for other in alike),
        *((other, verdict(None, 1.0, against=other)) for other in unclear),
    ]
    others = tuple((Release(RUNTIME, other), said) for other, said in beside)
    return Best(Release(RUNTIME, version), 1.0, None, None, others, Speed())


def row(
    network: str = "net",
    found: Best | None = None,
    *,
    versions: Sequence[str] = ("1", "2"),
    builds: int = 3,
    latency: Sequence[Verdict] = (),
    costs: Sequence[Verdict] = (),
    kernels: KernelAnswer | None = None,
    remedies: Sequence[RemedyAnswer] = (),
    device: str = "",
    label: str = "",
    runtime: str = RUNTIME,
) -> Row:
    """One case."""
    own = RuntimeAnswer(
        runtime=runtime,
        builds=dict.fromkeys(versions, builds),
        device=device,
        best=found or best(versions[-1]),
        launch_bound=(0, 0),
        graph=None,
        latency=tuple(latency),
        costs=tuple(costs),
        findings=(),
        kernels=kernels or KernelAnswer(),
        remedies=tuple(remedies),
    )
    answer = Answer(
        subject=network,
        network=network,
        label=label,
        host="",
        best=own.best,
        launch_bound=(0, 0),
        graph=None,
        runtimes=(own,),
        recorded=False,
    )
    return answer, own


def remedy(
    name: str, *gains: tuple[float, int], value: str = "", published: Sequence[GainRecord] = ()
) -> RemedyAnswer:
    """A remedy called *name*, with gains: factor and builds; of two builds or more the builds show it."""
    made = [gain(factor, builds, name=name, value=value) for factor, builds in gains]
    known = Remedy(name, (), (), f"the {name}", "how", f"{name} = [1]")
    return RemedyAnswer(known, tuple(made), tuple(published))


def gain(factor: float, builds: int = 2, *, name: str = "x", value: str = "") -> GainRecord:
    """A gain that the builds show where there are two or more."""
    return GainRecord(
        remedy=name,
        runtime=RUNTIME,
        version="2",
        network="elsewhere",
        device="GPU",
        value=value,
        factor=factor,
        interval=(factor, factor) if builds > 1 else None,
        builds=builds,
    )


def short(*rows: Row) -> ShortAnswer:
    """Return the short answers on the runtime of *rows*."""
    (found,) = short_answers([answer for answer, _ in rows], TITLES, (), NO_HOSTS)
    return found


def lines(*rows: Row) -> dict[str, str]:
    """Return question and answer in full."""
    return dict(short(*rows).lines)
