"""Python's collector of cycles, which a command that reads a run and ends has no use for."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def no_search_for_cycles() -> Iterator[None]:
    """Let the objects of a run be made without being gone through again and again (a fifth of the time).

    What is read of a run is millions of objects that live until the command ends, and none in a cycle.
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()
