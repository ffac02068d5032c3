"""When to interrupt a run: while one of its workers measures."""

from __future__ import annotations

import psutil


def worker_is_busy(pid: int) -> bool:
    """Say whether a worker below the process *pid* has been at work for 0.3 s of CPU time."""
    try:
        children = psutil.Process(pid).children(recursive=True)
        return any("harness.worker" in child.cmdline() and child.cpu_times().user > 0.3 for child in children)
    except psutil.Error:  # one ended while it was looked at
        return False
