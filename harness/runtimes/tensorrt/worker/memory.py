"""Device memory, streams and events behind one interface, in the order of what the environment has."""

from typing import Any, List, Sequence, Tuple  # noqa: F401

from harness.worker.errors import FailedError

from . import memory_ctypes, memory_pycuda

BACK_ENDS = {
    "pycuda": memory_pycuda.PyCuda,
    "ctypes": memory_ctypes.Runtime,
}
ORDER = ("pycuda", "ctypes")


def open_memory(asked: str) -> Tuple[Any, List[str]]:
    """Return the back end called *asked* (``auto``: the first that works), and why others were passed over.

    A back end has: ``name``, ``library``, ``allocate(bytes) -> address``, ``upload(address, array, stream)``,
    ``download(array, address, stream)``, ``fill(address, bytes, stream)``, ``stream() -> handle``,
    ``synchronize(stream)``, ``event()``, ``record(event, stream)``, ``wait(event)``,
    ``elapsed_ms(first, second)``, ``pinned(bytes) -> uint8 array``. Addresses and streams are integers.

    :raises FailedError: unknown, or none of them works; the message names each one's problem
    """
    if asked != "auto" and asked not in BACK_ENDS:
        raise FailedError("job: options.memory '{}' is none of {}".format(asked, ", ".join(ORDER)))
    problems = []  # type: List[str]
    for name in ORDER if asked == "auto" else (asked,):
        try:
            return BACK_ENDS[name](), problems
        except (ImportError, OSError, FailedError) as error:
            problems.append("{}: {}".format(name, " ".join(str(error).split())))
    raise FailedError("no way to device memory: " + "; ".join(problems))
