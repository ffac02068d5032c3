"""The way of a block of builds: each made in its turn, then all alive and measured together, then ended.

What does not fit into memory is split into sub-blocks that share their first build, which stays alive: all
of them are set against each other through that anchor. A build alone in its block is measured on its own.
Standard library and Python 3.5 syntax, since a pack's host script uses it too.
"""

import queue
import threading
import time
from typing import Callable, Generic, Iterator, List, Optional, Sequence, Tuple, TypeVar

from harness.worker.alone import LEAVE_SECONDS, measure_alone, to_stay
from harness.worker.drive import Driven, finish
from harness.worker.lockstep import Lockstep, load, load_further


class StartedBuild(object):
    """A build whose worker was started, with the further processes of its engine.

    :param driven: the process that builds the engine
    :param wanted: processes that the engine is to be measured in, as far as there is memory for them
    :param profile_apart: whether profiling leaves what is measured as it was
    :ivar seconds: what building and loading took with all processes; of builds made at once each has its part
    :ivar process_seconds: what loading a further one took at most, 0 without any
    """

    def __init__(self, driven: Driven, wanted: int = 1, profile_apart: bool = False) -> None:
        self.driven, self.wanted, self.profile_apart = driven, wanted, profile_apart
        self.seconds = self.process_seconds = 0.0
        self._further = []  # type: List[Driven]

    @property
    def processes(self) -> List[Driven]:
        """All processes of the engine, the one that built it first."""
        return [self.driven] + self._further

    def start_further(self, number: int) -> Driven:
        """Start one more process, which loads the engine that the first one kept.

        :param number: of the process, from 1
        """
        driven = self.launch_further(number)
        self._further.append(driven)
        return driven

    def launch_further(self, number: int) -> Driven:
        """Start the worker of that process; asked once of each number."""
        raise NotImplementedError

    def interrupt(self) -> None:
        """Say that the user interrupts it; whoever ends it ends the workers."""
        for one in self.processes:
            one.conversation.stop("interrupted", "interrupted by the user")

    def write_samples(self, result: str) -> None:
        """Write the samples of all processes into the folder *result*."""
        for one in self._further:
            self.driven.samples.join(one.samples)
        self.driven.samples.write(result)


A = TypeVar("A")
B = TypeVar("B", bound=StartedBuild)
E = TypeVar("E")


class SideBySide(Generic[A, B, E]):
    """The builds of a block on this machine: of what is asked (A) builds are started (B), and ended (E).

    :param start: starts the next of those that are left, given them and those that are to be measured beside
        it; returns the build and None, or None and what ended meanwhile, if anything; it may end it all by
        emptying what is left
    :param end: ends a build, given whether it was measured alone
    :param room: says whether there is memory for one more worker beside those that are alive, given how many
        of these have not taken theirs yet
    :param check: whether the first build and one more are measured on their own too
    :param at_once: builds that are made at the same time; more than one only where making one tells nothing
        that another one disturbs
    """

    def __init__(
        self,
        lockstep: Lockstep,
        start: Callable[[List[A], Sequence[B]], Tuple[Optional[B], Optional[E]]],
        end: Callable[[B, bool], E],
        room: Callable[[int], bool],
        check: bool = True,
        at_once: int = 1,
    ) -> None:
        self.lockstep = lockstep
        self.alive = []  # type: List[B]
        self.making = []  # type: List[B]
        self._start, self._end, self._room = start, end, room
        self._check, self._at_once = check, at_once

    def measured(self, asked: Sequence[A], beyond: Callable[[float, bool], Iterator[E]]) -> Iterator[E]:
        """Yield what became of the builds *asked*, as they end.

        :param beyond: goes on with the block, given the seconds it took and whether it was split: then the
            build that all sub-blocks share is alive alone, else all are
        """
        left = list(asked)
        alone, split, began = len(left) == 1, False, time.monotonic()
        while left:
            fresh = []  # type: List[B]
            for ended in self.fill(left, fresh, alone):
                yield ended
            if alone:
                for one in fresh:
                    finish(one.driven)
            elif fresh:
                self.measure(self.alive)
            split = split or bool(left)
            if split:
                for ended in self.end_but_one():
                    yield ended
            if not alone and not left:
                for ended in beyond(time.monotonic() - began, split):
                    yield ended
        for ended in self._ended(list(self.alive), alone, None if alone else self._last(self.alive)):
            yield ended

    def end_but_one(self) -> Iterator[E]:
        """End what is alive but one build: it stays while others are measured beside it."""
        stays = [one for one in self.alive if not one.driven.over][:1]
        return self._ended([one for one in self.alive if one not in stays], False, None)

    def fill(self, left: List[A], fresh: List[B], alone: bool = False) -> Iterator[E]:
        """Have builds of *left* built and loaded while there is memory; yield those that are over at once.

        :param fresh: filled with those that are there to be measured; at least one, memory or not
        """
        made = queue.Queue()  # type: queue.Queue[Tuple[B, Optional[BaseException]]]
        while True:
            if left and self._may_begin(fresh):
                build, ended = self._start(left, fresh + self.making)
                if ended is not None:
                    yield ended
                if build is not None:
                    self._begin(build, made)
                continue
            if not self.making:
                return
            build, error = made.get()
            self.making.remove(build)
            if error is not None:
                raise error
            if self._check and not alone and self.alive == [build]:
                measure_alone(build.driven)
            if not alone:
                # Here and not where it was made: a worker ends with the thread that started it.
                began = time.monotonic()
                self.load_more(build, build.wanted)
                build.seconds += time.monotonic() - began
            if build.driven.over:
                yield self.end(build, True)
            else:
                fresh.append(build)

    def load_more(self, build: B, processes: int) -> List[Driven]:
        """Have the engine of *build* loaded until it has so many processes, as far as there is memory."""
        began, there = time.monotonic(), len(build.processes)
        further = load_further(build.driven, processes, build.start_further, self._room, there)
        if further:
            took = (time.monotonic() - began) / len(further)
            build.process_seconds = max(build.process_seconds, took)
        return further

    def _may_begin(self, fresh: Sequence[B]) -> bool:
        if not fresh:
            return not self.making  # what a worker takes is learned from the first one
        return len(self.making) < self._at_once and self._room(len(self.making))

    def _begin(self, build: B, made: "queue.Queue[Tuple[B, Optional[BaseException]]]") -> None:
        """Have *build* made and loaded, beside others where that is allowed; it is put into *made* then."""
        self.alive.append(build)
        self.making.append(build)
        if self._at_once == 1:
            self._make(build)
            made.put((build, None))
            return

        def make() -> None:
            try:
                self._make(build)
                made.put((build, None))
            except BaseException as error:  # raised where the builds are waited for
                made.put((build, error))

        threading.Thread(target=make, daemon=True).start()

    def _make(self, build: B) -> None:
        began = time.monotonic()
        load(build.driven)
        build.seconds = (time.monotonic() - began) / self._at_once

    def measure(self, builds: Sequence[B]) -> None:
        """Measure *builds* side by side."""
        self.lockstep.measure(processes_of(builds))

    def _last(self, ending: Sequence[B]) -> Optional[Tuple[B, Driven]]:
        """Return which build is to be measured on its own once the others have ended, with its process.

        Another one than that which was measured before the others were started, where there is one.
        """
        able = [(one, to_stay(one.processes, one.profile_apart)) for one in ending] if self._check else []
        found = [(one, process) for one, process in able if process is not None]
        found.sort(key=lambda pair: bool(pair[0].driven.samples.alone))
        return found[0] if found else None

    def _ended(self, ending: Sequence[B], alone: bool, last: Optional[Tuple[B, Driven]]) -> Iterator[E]:
        """Close and end builds; *last* is measured on its own before it ends."""
        self.lockstep.close(processes_of(ending), None if last is None else last[1])
        for one in ending:
            if last is None or one is not last[0]:
                yield self.end(one, alone)
        if last is not None:
            build, process = last
            for other in build.processes:
                if other is not process:
                    other.conversation.left(LEAVE_SECONDS)
            if not process.over:
                measure_alone(process)
            if not process.over:
                process.close()
            yield self.end(build, alone)

    def end(self, build: B, alone: bool) -> E:
        """End a build that is alive."""
        self.alive.remove(build)
        return self._end(build, alone)


def processes_of(builds: Sequence[B]) -> List[Driven]:
    """Return the processes of *builds*, those of one build beside each other."""
    return [process for build in builds for process in build.processes]
