"""What a runtime's worker module offers: a class called ``Worker`` that derives from the one here."""

from typing import Any, Dict, Sequence

from harness.worker.job import Job
from harness.worker.measure import Pass
from harness.worker.result import Result


class Worker(object):
    """The steps of one build, in the order in which the harness asks for them.

    A step that raises :class:`harness.worker.errors.FailedError` or ``UnsupportedError``, or anything else,
    ends the build with that reason. What a step finds out it states in ``result``.
    """

    more = False
    """Whether another engine follows this one: the harness begins again with :meth:`build` after it."""

    moves = False
    """Whether threads that an engine has started may be bound to other CPUs afterwards.

    Not where the runtime keeps the CPUs that it found first and goes back to them: OpenVINO does.
    """

    def __init__(self, job: Job, result: Result) -> None:
        self.job, self.result = job, result

    def build(self) -> None:
        """Build the engine."""
        raise NotImplementedError

    def load(self) -> Sequence[Pass]:
        """Make the engine ready, leave its outputs for the job's inputs, and return the passes to measure.

        The treatment's own comes first; none where the engine cannot be run here.
        """
        raise NotImplementedError

    def warm_up(self, one: Pass, seconds: float) -> int:
        """Run inferences of *one* that are not counted, and return how many."""
        return one.warm_up(seconds)

    def slice(self, one: Pass, seconds: float, at_least: int, at_most: int, settle: int) -> Dict[str, Any]:
        """Take samples of *one* (see :meth:`harness.worker.measure.Pass.take`)."""
        return one.take(seconds, at_least, at_most, settle)

    def profile(self, iterations: int) -> None:
        """Leave the times of the engine's layers, of *iterations* inferences."""

    def close(self, complete: bool) -> None:
        """Leave what remains to be said; *complete*: every step before was done."""
