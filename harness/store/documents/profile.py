"""``evidence/profile_runs.json``: how the layers of a build were profiled, and what that cost."""

from __future__ import annotations

from pathlib import Path

from msgspec import field

from harness.store.documents.base import Document, Part, read_document


class ProfileRound(Part, frozen=True, kw_only=True):
    """Inferences that were profiled in one go.

    :param round: number of the round, from 0; builds that are compared take turns, a round each
    :param settle: inferences before them that do not count, though the runtime may have told of them
    :param inference_ms: time of each that counts, with the profiler
    :param at: when they were over, seconds since 1970; None where the release that wrote it did not say
    """

    round: int
    settle: int
    inference_ms: list[float]
    at: float | None = None


class ProfileRuns(Document, frozen=True, kw_only=True, tag="trtmatrix.profile-runs/1"):
    """The rounds of a build's profile, in one part or several each.

    :param way: how the runtime was made to tell times of layers: ``behind an enqueue``, ``one at a time`` ...
    :param clock: what inferences were timed by: ``gpu`` (events) or ``host``
    :param plain_ms: time of inferences without the profiler, right before some rounds, or before the first
        where the runtime does not allow them later; empty where it never does
    """

    way: str
    clock: str
    plain_ms: list[float] = field(default_factory=list)
    rounds: list[ProfileRound] = field(default_factory=list)


def read_profile_runs(evidence: Path, suffix: str = "") -> ProfileRuns | None:
    """Return what is said of the profile in the folder *evidence*, None where nothing is.

    :raises InputError: the file is torn
    """
    path = evidence / f"profile_runs{suffix}.json"
    return read_document(path, ProfileRuns) if path.is_file() else None


def counted(profile: ProfileRuns, told: int) -> list[int]:
    """Return which of the *told* inferences count, by number, settling ones left out."""
    found: list[int] = []
    done = 0
    for one in profile.rounds:
        done += one.settle
        found.extend(range(done, done + len(one.inference_ms)))
        done += len(one.inference_ms)
    return [number for number in found if number < told]
