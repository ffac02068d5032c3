"""One protocol for the places a version lives in: container, virtual environment, this interpreter."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from harness.environments.needs import RuntimeNeeds
from harness.worker.conversation import Conversation
from harness.worker.drive import drive
from harness.worker.samples import Samples

Progress = Callable[[str], None]
"""Called with one line about what is being done now."""


@dataclass(frozen=True)
class Availability:
    """Whether a version can run here.

    :param state: ``ok``; ``unsupported`` (can never run here: GPU, Python, API); ``unavailable`` (could
        run, something is missing: image, wheel, engine, login)
    :param reason: one line; :param remedy: what the user can do, or empty
    """

    state: str
    reason: str = ""
    remedy: str = ""


@dataclass(frozen=True)
class Check:
    """One thing looked at, with its reason also when it is ok.

    :param state: as of an :class:`Availability`, or ``failed``: it could not be looked at
    """

    name: str
    state: str
    reason: str
    remedy: str = ""


def availability_of(checks: Sequence[Check]) -> Availability:
    """Return the availability that *checks* amount to: what can never work outweighs what is missing.

    All reasons of the worse kind are named, so that a user does not mend one only to meet the next.
    """
    for state in ("failed", "unsupported", "unavailable"):
        found = [check for check in checks if check.state == state]
        if found:
            reasons = dict.fromkeys(check.reason for check in found)
            remedies = dict.fromkeys(check.remedy for check in found if check.remedy)
            return Availability(state, "; ".join(reasons), "; ".join(remedies))
    return Availability("ok")


@dataclass(frozen=True)
class VersionRow:
    """A version that an environment knows of, for ``list versions``.

    :param where: image and tag, or whatever names the place; :param needs: what it asks of the machine
    """

    runtime: str
    version: str
    where: str
    needs: str = ""


@dataclass(frozen=True)
class Limits:
    """Bounds on one worker process.

    :param memory_bytes: resident size of the process tree
    :param result_bytes: size of the result folder
    """

    seconds: float = 600.0
    memory_bytes: int = 8 << 30
    result_bytes: int = 512 << 20
    log_bytes: int = 64 << 20


@dataclass(frozen=True)
class Outcome:
    """How a worker process ended.

    :param status: ``ok`` (exit 0 and a result file), ``failed``, ``time_limit``, ``memory_limit``,
        ``result_limit``, ``killed`` (by a signal we did not send), ``interrupted``
    :param reason: one line, empty when ok; :param log_tail: last lines of the worker's log
    """

    status: str
    reason: str = ""
    exit_code: int | None = None
    seconds: float = 0.0
    peak_memory_bytes: int | None = None
    log_tail: str = ""
    facts: Mapping[str, object] = field(default_factory=dict)


class WorkerConversation(Conversation):
    """A worker that was started: asked step by step, then ended."""

    def end(self) -> Outcome:
        """End what is left of the worker, and say how it went; never raises for what the worker did.

        :return: ``ok`` after a ``close`` that was answered; what :meth:`stop` was told; or how it ended
        """
        raise NotImplementedError


class NeverStarted(WorkerConversation):
    """The conversation with a worker that could not be started."""

    def __init__(self, status: str, reason: str) -> None:
        super().__init__(0.0)
        self.stop(status, reason)

    def end(self) -> Outcome:
        """Return why."""
        return Outcome(*self.cut)


def converse(conversation: WorkerConversation, job: Path, result: Path) -> Outcome:
    """Have a worker do *job*, end it, and leave ``samples.json`` in *result*, whatever became of it.

    :return: ``interrupted`` after Ctrl-C
    """
    samples = Samples()
    try:
        drive(conversation, str(job), samples)
    except KeyboardInterrupt:
        conversation.stop("interrupted", "interrupted by the user")
    finally:
        outcome = conversation.end()
        samples.write(str(result))
    return outcome


class Prepared(Protocol):
    """An environment made ready for one version."""

    @property
    @abstractmethod
    def facts(self) -> Mapping[str, object]:
        """What it really holds: python, package versions, image digest ..."""
        ...

    @abstractmethod
    def start(self, job: Path, inputs: Sequence[Path], result: Path, limits: Limits) -> WorkerConversation:
        """Start a worker for *job* (a JSON file whose paths are relative to its folder).

        :param job: ``job.json`` inside a folder that also holds links to or copies of *inputs*, until the end
        :param inputs: files the job names (network package, ONNX file)
        :param result: an empty, writable folder; the worker's log is ``result/worker.log``
        """
        ...


class Environment(Protocol):
    """Registered through ``trtmatrix_environments``; derive from it: members with a body are its defaults."""

    prepares_at_once: int = 1
    """How many versions may be made ready at the same time, each in a thread."""

    own_processes: bool = False
    """Whether workers are child processes of the harness, whose CPU time can be told from others'."""

    @property
    @abstractmethod
    def name(self) -> str:
        """``docker``, ``venv``, ``current``."""
        ...

    @abstractmethod
    def availability(self, runtime: RuntimeNeeds, version: str) -> Availability:
        """Say in well under a second, without installing anything, whether *version* can run here."""
        ...

    @abstractmethod
    def prepare(self, runtime: RuntimeNeeds, version: str, progress: Progress) -> Prepared:
        """Make *version* ready (cached by content).

        :raises UnavailableError: it cannot be made; the message names the reason
        """
        ...

    def checks(self, runtime: RuntimeNeeds, version: str) -> Sequence[Check]:
        """Return all that was looked at for *version*, in order (``check --explain``).

        A registry of images may be asked here, which :meth:`availability` has no time for.
        """
        answer = self.availability(runtime, version)
        words = answer.reason or f"{runtime.name} {version} can run in {self.name}"
        return (Check(self.name, answer.state, words, answer.remedy),)

    def resolve(self, runtime: str, said: str) -> Sequence[str]:  # noqa: ARG002
        """Return the versions of *runtime* that a matrix file means by *said*: by default that very one.

        :raises UsageError: nothing here fits
        """
        return (said,)

    def version_rows(self) -> Iterable[VersionRow]:
        """Return the versions that it knows of itself, beside those that runtimes know."""
        return ()
