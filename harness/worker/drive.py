"""One build, from the first command to the last: what the harness asks a worker for, and how often."""

import json
from typing import Any, Callable, Dict, List

from harness.worker.conversation import Conversation, WorkerEndedError
from harness.worker.job import Measure
from harness.worker.samples import Samples
from harness.worker.stopping import measure_pass

PROFILE_ROUNDS = 20
"""Over which the inferences of a profile are spread."""


class RefusedError(Exception):
    """The worker answered that a step failed or cannot be done; its result says why."""


class Driven(object):
    """A worker that is asked for the steps of its build.

    :param job: path of its ``job.json``
    :param samples: filled with each slice as it comes, so that an end in the middle costs no more than that

    :meth:`asked` tells steps that were done from a build that is over; the end of the conversation says why.
    """

    def __init__(self, conversation: Conversation, job: str, samples: Samples) -> None:
        self.conversation, self.job, self.samples = conversation, job, samples
        self.over = False
        self.more = False
        self.passes = []  # type: List[str]

    def build(self) -> None:
        """Have the engine built and loaded."""
        self.more = bool(self._done("build").get("more", False))
        self.passes = [str(name) for name in self._done("load").get("passes", [])]

    @property
    def settings(self) -> Measure:
        """How the job asks to be measured; read when the worker has taken it, which has the first word."""
        with open(self.job, encoding="utf-8") as stream:
            return Measure(json.load(stream)["measure"])

    def warm_up(self, name: str, seconds: float) -> None:
        """Have inferences of the pass *name* run that are not counted."""
        self._done("warm_up", **{"pass": name, "seconds": seconds})

    def take(self, name: str, seconds: float, at_least: int, at_most: int, settle: int) -> Dict[str, Any]:
        """Have a slice of the pass *name* taken, and return its columns."""
        arguments = {"pass": name, "seconds": seconds, "at_least": at_least, "at_most": at_most}
        taken = self._done("slice", settle=settle, **arguments).get("samples")  # type: Any
        if not _whole(taken):
            self.conversation.stop("failed", "the worker's answer to 'slice' holds no samples")
            raise WorkerEndedError()
        return dict(taken)

    def profile(self, iterations: int) -> None:
        """Have one more round of the profile taken, of *iterations* inferences."""
        self._done("profile", iterations=iterations)

    def close(self) -> None:
        """Have the worker say what remains, whatever came of the steps before."""
        self.over = True
        try:
            self.conversation.ask("close")
        except WorkerEndedError:
            pass

    def asked(self, step: Callable[..., Any], *arguments: object) -> Any:
        """Return what *step* returns; None, with the build over, where the worker refuses it or has ended."""
        try:
            return step(*arguments)
        except RefusedError:
            self.close()
        except WorkerEndedError:
            self.over = True
        return None

    def _done(self, command: str, **arguments: object) -> Dict[str, Any]:
        answer = self.conversation.ask(command, **arguments)
        if answer["status"] != "ok":
            raise RefusedError()
        return answer


def drive(conversation: Conversation, job: str, samples: Samples) -> None:
    """Have a worker build, load, measure and profile what the file *job* asks for, and close.

    Returns where the worker ended before, too: the end of the conversation says so.
    """
    driven = Driven(conversation, job, samples)
    driven.asked(driven.build)
    finish(driven)


def finish(driven: Driven) -> None:
    """Measure an engine that is loaded on its own, and every one that follows it; then close."""
    driven.asked(_measured, driven)
    while driven.more and not driven.over:
        driven.asked(driven.build)
        driven.asked(_measured, driven)
    if not driven.over:
        driven.close()


def _measured(driven: Driven) -> None:
    if driven.over:
        return
    settings = driven.settings
    for name in driven.passes:
        driven.warm_up(name, settings.warmup_seconds)
        driven.samples.end(name, measure_pass(_taker(driven, name), settings))
    for iterations in profile_rounds(settings.profile_iterations):
        driven.profile(iterations)


def profile_rounds(iterations: int) -> List[int]:
    """Return how many of all *iterations* of a profile each round takes, none for none."""
    rounds = min(PROFILE_ROUNDS, iterations)
    return [iterations // rounds + (number < iterations % rounds) for number in range(rounds)]


def _taker(driven: Driven, name: str) -> Callable[..., Dict[str, Any]]:
    def take(seconds: float, at_least: int, at_most: int, settle: int) -> Dict[str, Any]:
        taken = driven.take(name, seconds, at_least, at_most, settle)
        driven.samples.add(name, taken)
        return dict(taken)

    return take


def _whole(taken: Any) -> bool:
    values = taken.get("latency_ms") if isinstance(taken, dict) else None
    return isinstance(values, list) and bool(values) and all(type(v) in (int, float) for v in values)
