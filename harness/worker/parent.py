"""A worker whose harness is killed ends with it: nobody reads its result, and it would hold GPU and CPU."""

import os
import signal
import sys

_PR_SET_PDEATHSIG = 1


def end_with_parent() -> None:
    """Have the kernel kill this process when the one that started it ends (``prctl(2)``; Linux alone).

    The harness collects its worker whenever it can; SIGKILL, the kernel's out-of-memory killer among them,
    leaves it no time to. Not for the first process of a container, whose end comes with the container's.
    """
    parent = os.getppid()
    if parent <= 1 or not sys.platform.startswith("linux"):
        return
    try:
        import ctypes

        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, int(signal.SIGKILL), 0, 0, 0)
    except (ImportError, OSError, AttributeError):
        return
    if os.getppid() != parent:  # It ended meanwhile, and no signal comes of that.
        os._exit(1)
