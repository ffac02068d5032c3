"""One build, from the first command to the last: what the harness asks a worker for, and how often."""

import json
from typing import Any, Callable, Dict

from harness.worker.conversation import Conversation, WorkerEndedError
from harness.worker.job import Measure
from harness.worker.samples import Samples
from harness.worker.stopping import measure_pass


class RefusedError(Exception):
    """The worker answered that a step failed or cannot be done; its result says why."""


def drive(conversation: Conversation, job: str, samples: Samples) -> None:
    """Have a worker build, load, measure and profile what the file *job* asks for, and close.

    :param samples: filled with each slice as it comes, so that an end in the middle costs no more than that

    Returns where the worker ended before, too: the end of the conversation says so.
    """
    try:
        try:
            _steps(conversation, job, samples)
        except RefusedError:
            pass
        conversation.ask("close")
    except WorkerEndedError:
        pass


def _steps(conversation: Conversation, job: str, samples: Samples) -> None:
    more = True
    while more:
        more = bool(_done(conversation, "build").get("more", False))
        passes = _done(conversation, "load").get("passes", [])
        # Read now only: a worker that refuses its job has the word on what is wrong with it.
        with open(job, encoding="utf-8") as stream:
            settings = Measure(json.load(stream)["measure"])
        for name in passes:
            _done(conversation, "warm_up", **{"pass": name, "seconds": settings.warmup_seconds})
            samples.end(name, measure_pass(_taker(conversation, name, samples), settings))
        if settings.profile_iterations:
            _done(conversation, "profile", iterations=settings.profile_iterations)


def _done(conversation: Conversation, command: str, **arguments: object) -> Dict[str, Any]:
    answer = conversation.ask(command, **arguments)
    if answer["status"] != "ok":
        raise RefusedError()
    return answer


def _taker(conversation: Conversation, name: str, samples: Samples) -> Callable[..., Dict[str, Any]]:
    def take(seconds: float, at_least: int, at_most: int, settle: int) -> Dict[str, Any]:
        arguments = {"pass": name, "seconds": seconds, "at_least": at_least, "at_most": at_most}
        answer = _done(conversation, "slice", settle=settle, **arguments)
        taken = answer.get("samples")  # type: Any
        if not _whole(taken):
            conversation.stop("failed", "the worker's answer to 'slice' holds no samples")
            raise WorkerEndedError()
        samples.add(name, taken)
        return dict(taken)

    return take


def _whole(taken: Any) -> bool:
    values = taken.get("latency_ms") if isinstance(taken, dict) else None
    return isinstance(values, list) and bool(values) and all(type(v) in (int, float) for v in values)
