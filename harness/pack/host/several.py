"""One visit a GPU, beside each other: each in a process of its own, all over the same results."""

from __future__ import annotations

import contextlib
import signal
import subprocess
import sys
from collections.abc import Sequence

from .machine import gpus

_RUN = 'import runpy, sys; sys.path.remove(""); runpy.run_module("{}", run_name="__main__", alter_sys=True)'
"""As ``start.sh`` has it: the folder that it is started from may hold another pack's ``host``."""


def asked_for(text: str | None) -> list[str]:
    """Return the UUIDs of the GPUs in ``all`` or ``0,1``; none where *text* names no more than one.

    :raises PackError: a GPU that is not there
    """
    if text is None or (text != "all" and "," not in text):
        return []
    if text == "all":
        return [one["uuid"] for one in gpus()]
    return list(dict.fromkeys(gpus(name.strip())[0]["uuid"] for name in text.split(",")))


def run_beside(uuids: Sequence[str], arguments: Sequence[str]) -> int:
    """Run the same visit on each of *uuids*; return 3 where one is unusable, 4 where one left blocks, else 0.

    Networks and treatments go to whichever GPU is free, all rounds of one to the same. When this process is
    ended, so are they, each of which writes its results home before.
    """
    command = [sys.executable, "-s", "-c", _RUN.format(__package__), *arguments]
    visits = [subprocess.Popen([*command, "--gpu", uuid]) for uuid in uuids]
    try:
        codes = [visit.wait() for visit in visits]
    except BaseException:
        for visit in visits:
            with contextlib.suppress(ProcessLookupError):
                visit.send_signal(signal.SIGTERM)
        for visit in visits:
            visit.wait()
        raise
    return next((code for code in (3, 143, 4) if code in codes), max(codes))
