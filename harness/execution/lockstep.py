"""A block of builds measured side by side on this machine (see :mod:`harness.worker.lockstep`).

First every build is made, one after the other; then all are alive and take turns. What does not fit into
memory is split into sub-blocks that share their first build, which stays alive: all of them are set against
each other through that anchor. A build alone in its block is measured on its own.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from msgspec import structs

from harness.execution.base import Block, BuildResult, EndedBuild, PlannedBuild
from harness.execution.job import OpenJob
from harness.worker.drive import finish
from harness.worker.lockstep import Lockstep, load

Open = Callable[[PlannedBuild], OpenJob | BuildResult]
"""Starts the worker of a build; a result where that failed."""

Say = Callable[[str], None]


@dataclass
class _Member:
    planned: PlannedBuild
    job: OpenJob


class BlockMeasurement:
    """Measures the builds of a block and yields them as they end.

    :param room: says whether there is memory for one more worker beside those that are alive
    :param seed: of the orders
    """

    def __init__(self, open_build: Open, room: Callable[[], bool], seed: int, say: Say) -> None:
        self._open, self._room, self._say = open_build, room, say
        self._lockstep = Lockstep(seed, say)
        self._name = secrets.token_hex(4)
        self._alive: list[_Member] = []

    def run(self, block: Block) -> Iterator[EndedBuild]:
        """Yield the builds of *block* as they end; after an interrupted one come no more."""
        try:
            yield from self._measured(list(block.builds))
        except KeyboardInterrupt:
            for member in self._alive:
                member.job.interrupt()
            ended = [self._end(member) for member in list(self._alive)]
            yield from ended[:1]
        finally:
            for member in list(self._alive):
                self._end(member)

    def _measured(self, left: list[PlannedBuild]) -> Iterator[EndedBuild]:
        alone = len(left) == 1
        while left:
            fresh: list[_Member] = []
            yield from self._fill(left, fresh)
            if alone:
                for member in fresh:
                    finish(member.job.driven)
            elif fresh:
                self._lockstep.measure([member.job.driven for member in self._alive])
            # One stays alive while others are still to be measured beside it.
            stays = [member for member in self._alive if not member.job.driven.over][:1] if left else []
            ending = [member for member in self._alive if member not in stays]
            self._lockstep.close([member.job.driven for member in ending])
            for member in ending:
                yield self._end(member, alone=alone)

    def _fill(self, left: list[PlannedBuild], fresh: list[_Member]) -> Iterator[EndedBuild]:
        """Start builds of *left*, each built and loaded, while there is memory; yield those that failed.

        :param fresh: filled with those that are there to be measured; at least one, memory or not
        """
        while left and (not fresh or self._room()):
            planned = left.pop(0)
            self._say(f"building {planned.cell.id}, build {planned.number + 1}")
            opened = self._open(planned)
            if isinstance(opened, BuildResult):
                yield EndedBuild(planned, opened)
                continue
            member = _Member(planned, opened)
            self._alive.append(member)
            load(opened.driven)
            if opened.driven.over:
                yield self._end(member, alone=True)
            else:
                fresh.append(member)

    def _end(self, member: _Member, *, alone: bool = False) -> EndedBuild:
        self._alive.remove(member)
        result = member.job.end()
        if not alone:
            document = structs.replace(result.document, block=self._name)
            result = replace(result, document=document)
        return EndedBuild(member.planned, result)
