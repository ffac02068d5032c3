"""The policy of a run: which answers fail it, what is material, and which changes were accepted.

``trtmatrix run``, ``trtmatrix judge`` and the suites ask the one object that is made here.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from harness.analysis.accepted import Accepted

if TYPE_CHECKING:
    from harness.analysis.verdict import Verdict


class Stated(Protocol):
    """What a matrix file, or the manifest of a stored run, says of its policy."""

    @property
    def fail_on(self) -> Sequence[str]:
        """Verdicts that fail it."""
        ...

    @property
    def material(self) -> float:
        """Share of the latency, or of the layer time, from which a change is material."""
        ...

    @property
    def open(self) -> str:
        """What becomes of changes that earlier nights confirmed: ``fail`` or ``pass``."""
        ...


@dataclass(frozen=True)
class Policy:
    """What fails a run.

    :param fail_on: words of verdicts; :param material: m, of 1
    :param accepted: changes that someone looked at and took
    :param open: whether a change that an earlier night confirmed fails a later one: ``fail``, ``pass``
    """

    fail_on: frozenset[str] = frozenset()
    material: float = 0.01
    accepted: tuple[Accepted, ...] = ()
    open: str = "fail"

    def against(self, verdict: Verdict) -> bool:
        """Say whether *verdict* fails the run: one of the words, tried, and not accepted."""
        passes = verdict.accepted is not None or (verdict.since is not None and self.open == "pass")
        return verdict.verdict in self.fail_on and not passes and not verdict.unmeasured

    def failing(self, verdicts: Iterable[Verdict]) -> list[Verdict]:
        """Return those of *verdicts* that fail the run."""
        return [verdict for verdict in verdicts if self.against(verdict)]

    def suspects(self, verdicts: Iterable[Verdict]) -> list[Verdict]:
        """Return the alarms that are worth measuring again: failing changes that nobody has confirmed yet.

        What no measurement can change its mind about (wrong outputs, a version that cannot run) is none.
        """
        return [v for v in self.failing(verdicts) if v.alarm and v.change is not None and v.since is None]


def policy_of(
    stated: Stated,
    accepted: Sequence[Accepted] = (),
    *,
    fail_on: Iterable[str] | None = None,
    material: float | None = None,
) -> Policy:
    """Return the policy that *stated* says, with what a command line says in its place.

    :param fail_on, material: in place of what is stated; None: as stated
    """
    return Policy(
        frozenset(stated.fail_on if fail_on is None else fail_on),
        stated.material if material is None else material,
        tuple(accepted),
        stated.open,
    )
