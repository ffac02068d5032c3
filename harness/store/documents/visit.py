"""``visit-ID.json``: one stay on a host without network, written there with the standard library alone."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from harness.store.documents.base import UNKNOWN, Document


def _of_1(old: dict[str, Any]) -> dict[str, Any]:
    """Return the present form of ``trtmatrix.visit/1``, which did not state the run."""
    return dict(old)


_EARLIER: Mapping[str, Callable[[dict[str, Any]], dict[str, Any]]] = {"trtmatrix.visit/1": _of_1}


class Visit(Document, frozen=True, kw_only=True, tag="trtmatrix.visit/2"):
    """What a visit says of itself and its host.

    :param visit: its id, which sorts by time; :param pack: id of the pack
    :param run: id of the run that it belongs to: the first visit's of these results
    :param state: ``running``, ``budget`` (ended by the time) or ``complete``
    :param rounds: first round and one past the last; :param cells: ids that were asked for
    :param budget_seconds: time it was given, None for no limit; :param seconds: time it took
    :param builds: cell id and round of each build that was made
    :param host: name of the host; :param gpus, gpu_state: as nvidia-smi names and prints them
    :param libc: name and version
    """

    EARLIER: ClassVar[Mapping[str, Callable[[dict[str, Any]], dict[str, Any]]]] = _EARLIER

    visit: str
    run: str = UNKNOWN
    pack: str = ""
    state: str = ""
    seed: int | None = None
    rounds: tuple[int, int] = (0, 0)
    cells: tuple[str, ...] = ()
    budget_seconds: float | None = None
    seconds: float = 0.0
    builds: tuple[tuple[str, int], ...] = ()
    host: str = ""
    gpus: tuple[dict[str, str], ...] = ()
    gpu_state: tuple[dict[str, str], ...] = ()
    system: str | None = None
    kernel: str | None = None
    architecture: str | None = None
    cpus: int | None = None
    cpu: str | None = None
    libc: str | None = None


class VisitBuild(Document, frozen=True, kw_only=True, tag="trtmatrix.visit/2"):
    """``outcome.json``: one build of a visit, and how its worker ended.

    :param visit, run: id of the visit and of the run; :param cell: cell id; :param round: from 0
    :param host: name of the host; :param started: seconds since 1970
    :param status: ``ok``, ``failed``, ``unsupported``, ``killed``, ``time_limit``
    :param reason: why, one line
    :param block: what it was measured side by side with others in, empty for one that was measured alone
    :param lost_processes: of its further processes, those that did not come to their end, and why
    :param seconds: what its worker was asked for, without what it waited; :param peak_memory_bytes: resident
    :param worker: digest of the worker's files; :param gpu_before, gpu_after: as nvidia-smi prints them
    """

    EARLIER: ClassVar[Mapping[str, Callable[[dict[str, Any]], dict[str, Any]]]] = _EARLIER

    visit: str
    run: str = UNKNOWN
    cell: str
    round: int
    host: str
    started: float
    status: str
    seconds: float
    reason: str = ""
    lost_processes: tuple[str, ...] = ()
    exit_code: int | None = None
    peak_memory_bytes: int | None = None
    log_tail: str = ""
    seed: int | None = None
    block: str = ""
    worker: str = ""
    gpu_before: tuple[dict[str, str], ...] = ()
    gpu_after: tuple[dict[str, str], ...] = ()
