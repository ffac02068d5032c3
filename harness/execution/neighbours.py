"""What others take of this machine's CPUs while a run lasts: asked of the system at both ends."""

from __future__ import annotations

import os
import time

import psutil

from harness.store.documents.machine import Neighbours


class Watch:
    """Looks at the machine's CPUs, from now on.

    :param own: whether all that the run starts are child processes of this one; else (containers) what they
        take cannot be told from what others do
    """

    def __init__(self, *, own: bool) -> None:
        self._own = own
        self._began = self._now()

    def seen(self) -> Neighbours:
        """Return what others took since, once the workers have ended."""
        wall, busy, mine, steal = (now - then for now, then in zip(self._now(), self._began, strict=True))
        whole = wall * (psutil.cpu_count() or 1)
        if whole <= 0:
            return Neighbours()
        others = max(0.0, busy - mine) / whole if self._own else None
        told = hasattr(psutil.cpu_times(), "steal")
        return Neighbours(others=others, steal=max(0.0, steal) / whole if told else None)

    def _now(self) -> tuple[float, float, float, float]:
        """Return seconds: of the clock, of all CPUs at work, of this process and its children, stolen."""
        cpu, own = psutil.cpu_times(), os.times()
        work = sum(getattr(cpu, name, 0.0) for name in ("user", "nice", "system", "irq", "softirq"))
        mine = own.user + own.system + own.children_user + own.children_system
        return time.monotonic(), work, mine, getattr(cpu, "steal", 0.0)
