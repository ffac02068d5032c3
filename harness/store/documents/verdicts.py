"""What ``judge --json`` prints: verdicts, and the figures that stand beside them."""

from __future__ import annotations

from msgspec import field

from harness.store.documents.base import Document, Part
from harness.store.documents.beside import AloneRecord, NeighboursRecord, Relu6Record, RuntimeTableRecord
from harness.store.documents.figures import OutlyingRecord
from harness.store.documents.verdict import VerdictRecord

LATENCY_PASS = "latency"


class BestRecord(Part, frozen=True, kw_only=True):
    """The version with the lowest mean.

    :param low_ms, high_ms: 95 % interval over builds, None with fewer than two
    :param images_per_s, gflops_per_s: what the mean comes to, None where batch or layers are not known
    :param not_told_from: versions that cannot be told from it; :param others: number of all others
    """

    release: str
    ms: float
    low_ms: float | None
    high_ms: float | None
    not_told_from: list[str]
    others: int
    images_per_s: float | None = None
    gflops_per_s: float | None = None


class ChangeRecord(Part, frozen=True, kw_only=True):
    """A change of latency, as the verdict on it says at length."""

    cell: str
    against: str | None
    verdict: str
    effect: float | None


class FindingRecord(Part, frozen=True, kw_only=True):
    """What is said of one bottleneck in the versions of a runtime.

    :param text: plain English; :param verdict: of the newest version; :param state: there, None if unclear
    """

    bottleneck: str
    title: str
    text: str
    verdict: str
    state: str | None


class RemedyRecord(Part, frozen=True, kw_only=True):
    """What can be done about a bottleneck. :param text: what it gained; :param how: lines of code or flags"""

    remedy: str
    text: str
    how: str
    measure: str


class RuntimeRecord(Part, frozen=True, kw_only=True):
    """The answers on a network in the versions of one runtime.

    :param builds: number of each version; :param device: model of its GPU or CPU
    :param on_gemm: which versions run the 1x1 convolutions on GEMM kernels, in words; :param since: the first
        of them; :param gemm_as_conv1x1: what became of that family; empty where nothing says
    """

    runtime: str
    builds: dict[str, int]
    device: str
    best: BestRecord
    findings: list[FindingRecord]
    on_gemm: str
    since: str | None
    gemm_as_conv1x1: str
    remedies: list[RemedyRecord] = field(default_factory=list)


class ShortRecord(Part, frozen=True, kw_only=True):
    """The short answers on a runtime.

    :param version: to use; :param lines: questions and answers; :param leads: the same in one sentence each
    """

    runtime: str
    device: str
    version: str | None
    lines: list[tuple[str, str]]
    leads: list[tuple[str, str]] = field(default_factory=list)


class AnswerRecord(Part, frozen=True, kw_only=True):
    """Which version to use for a network and treatment on one host.

    :param as_cuda_graph: the same as CUDA graphs, where launching bounds a build and they were measured
    :param launch_bound: builds that launching bounds, of those that say
    :param undecided: comparisons that cannot tell; :param recorded: whether a recording is among them
    :param notes: what has to be known of the intervals
    :param name: of the subject in words; :param runtimes: one record each
    """

    subject: str
    best: BestRecord
    as_cuda_graph: BestRecord | None
    launch_bound: tuple[int, int]
    changes: list[ChangeRecord]
    undecided: int
    recorded: bool
    notes: list[str]
    name: str = ""
    runtimes: list[RuntimeRecord] = field(default_factory=list)


class SectionRecord(Part, frozen=True, kw_only=True):
    """What a rule says in a report beyond its verdicts: sentences, and a table below them."""

    heading: str
    sentences: list[str]
    head: list[str]
    rows: list[list[str]]


class Verdicts(Document, frozen=True, kw_only=True, tag="trtmatrix.verdicts/1"):
    """The verdicts on one or more runs.

    :param baseline: what was compared with; :param latency_pass: the pass that the latency's verdicts are on
    :param pooling: in words, which builds of several runs or environments are pooled, and which are not
    :param answers: on each network and treatment; :param short: on each runtime
    :param relu6: costs of ReLU6 in pieces; :param neighbours: versions side by side, source op by source op
    :param runtimes: those that ran the same, beside each other
    :param sections: of rules, by name
    :param alone: what builds take on their own beside what they take side by side, one record a host
    """

    baseline: str
    latency_pass: str = field(name="pass", default=LATENCY_PASS)
    verdicts: list[VerdictRecord]
    pooling: list[str] = field(default_factory=list)
    answers: list[AnswerRecord] = field(default_factory=list)
    short: list[ShortRecord] = field(default_factory=list)
    outlying_builds: list[OutlyingRecord] = field(default_factory=list)
    relu6: list[Relu6Record] = field(default_factory=list)
    neighbours: list[NeighboursRecord] = field(default_factory=list)
    runtimes: list[RuntimeTableRecord] = field(default_factory=list)
    sections: dict[str, SectionRecord] = field(default_factory=dict)
    alone: list[AloneRecord] = field(default_factory=list)
