"""``samples.json``: the timed inferences of one build, slice by slice."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sized
from pathlib import Path
from typing import Annotated, Any, ClassVar

from msgspec import Meta, field, structs

from harness.errors import DamagedBundleError
from harness.store.documents.base import UNKNOWN, Document, Part, read_document, write_document
from harness.store.documents.result import Result

COLUMNS = ("start_ns", "enqueue_ms", "host_ms", "cpu_ms", "throttled")
"""Columns of a slice beside ``latency_ms``, one value a sample."""

FILE = "samples.json"
_MS_NS = 1_000_000
_DIGITS = 4
"""Of published milliseconds on the host's clock."""
_MOST_MS = 1e12
"""No sample takes thirty years; larger numbers are none that a worker wrote."""

# Held to their bounds where they are decoded: a night has a million of them.
_Latency = Annotated[float, Meta(gt=0, lt=_MOST_MS)]
_Time = Annotated[float, Meta(ge=0, lt=_MOST_MS)]
_Start = Annotated[int, Meta(ge=0, le=2**63 - 1)]


class Slice(Part, frozen=True, kw_only=True, rename={"pass_name": "pass"}):
    """Samples that were taken in one go.

    :param process: which of the build's processes they were measured in, from 0
    :param cycle: number of the cycle; where builds are measured one by one, of the slice of its pass
    :param slice: position of the build in its cycle
    :param clock: what ``latency_ms`` was read from: ``gpu`` (events) or ``host``
    :param start_ns: the host's clock at the start of each sample, nanoseconds
    :param cpu_ms: CPU time of the process in each, on a CPU
    :param throttled: whether each sample was taken while the GPU was throttled
    """

    pass_name: str
    latency_ms: list[_Latency]
    process: int = 0
    cycle: int = 0
    slice: int = 0
    clock: str = UNKNOWN
    start_ns: list[_Start] | None = None
    enqueue_ms: list[_Time | None] | None = None
    host_ms: list[_Time | None] | None = None
    cpu_ms: list[_Time | None] | None = None
    throttled: list[bool | None] | None = None


class PassEnd(Part, frozen=True, kw_only=True, rename={"pass_name": "pass"}):
    """How a pass ended.

    :param stopped_by: ``interval`` (narrow enough), ``seconds`` or ``samples`` (a maximum was met)
    :param relative_half_width: half of the 95 % interval of the slices' means over their mean
    """

    pass_name: str
    stopped_by: str
    relative_half_width: float | None = None


def _from_windows(data: dict[str, Any]) -> dict[str, Any]:
    """Return the present form of what the release before wrote: each window was a slice of its own."""
    slices = []
    for window in data["windows"]:
        row = {key: value for key, value in window.items() if key != "window"}
        slices.append({**row, "cycle": window["window"]})
    return {"slices": slices}


class Samples(Document, frozen=True, kw_only=True, tag="trtmatrix.samples/2"):
    """What one build's conversation measured.

    :param slices: in the order in which they were taken; :param passes: how each pass ended
    :param alone: slices that were taken while no other build of the block was loaded
    """

    slices: list[Slice]
    passes: list[PassEnd] = field(default_factory=list)
    alone: list[Slice] = field(default_factory=list)

    EARLIER: ClassVar[Mapping[str, Callable[[dict[str, Any]], dict[str, Any]]]] = {"": _from_windows}


def read_samples(folder: Path) -> list[Slice]:
    """Return the slices that a build folder holds, in the order in which they were measured.

    :raises InputError: as for :func:`read_whole`
    """
    return read_whole(folder).slices


def read_whole(folder: Path) -> Samples:
    """Return what a build folder holds of its conversation; nothing where nothing was measured.

    :raises InputError: a torn file, columns of different lengths, what is no time, or not as many slices as
        the worker says it answered
    """
    path = folder / "result.json"
    return samples_in(folder, read_document(path, Result).slices if path.exists() else None)


def publish_samples(folder: Path) -> None:
    """Round what the host's clock says beside latencies: more than half of what samples take in an archive.

    Starts go down to milliseconds. Beside the GPU's events, times go to tenths of a microsecond, below what
    the host's clock scatters by.

    :raises InputError: the file is torn
    """
    path = folder / FILE
    if path.is_file():
        found = read_document(path, Samples)
        coarse = structs.replace(found, slices=_coarse(found.slices), alone=_coarse(found.alone))
        write_document(path, coarse)


def _coarse(slices: list[Slice]) -> list[Slice]:
    found = []
    for one in slices:
        starts = None if one.start_ns is None else [at // _MS_NS * _MS_NS for at in one.start_ns]
        coarse = structs.replace(one, start_ns=starts)
        if one.clock == "gpu":
            coarse = structs.replace(
                coarse, enqueue_ms=_rounded(one.enqueue_ms), host_ms=_rounded(one.host_ms)
            )
        found.append(coarse)
    return found


def _rounded(times: list[float | None] | None) -> list[float | None] | None:
    return times and [None if time is None else round(time, _DIGITS) for time in times]


def samples_in(folder: Path, answered: int | None) -> Samples:
    """Return what a build folder holds of a worker that answered so many slices; None: nobody counted.

    :raises InputError: as :func:`read_whole`
    """
    path = folder / FILE
    found = read_document(path, Samples) if path.exists() else Samples(slices=[])
    # What is counted is what the process that built the engine answered; others say so on their own.
    first = sum(one.process == 0 for one in (*found.slices, *found.alone))
    if answered is not None and first != answered:
        there = f"{first} slices" if path.exists() else "no such file"
        raise DamagedBundleError(
            path, f"{there}, where the worker answered {answered}; delete this build and resume the run"
        )
    for name in ("slices", "alone"):
        for index, one in enumerate(getattr(found, name)):
            if any(len(column) != len(one.latency_ms) for column in _columns(one)):
                raise DamagedBundleError(path, "columns differ in length", where=f"{name}[{index}]")
    return found


def _columns(one: Slice) -> list[Sized]:
    return [column for name in COLUMNS if (column := getattr(one, name)) is not None]
