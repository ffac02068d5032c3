"""A worker module for tests only: ends in every way that a worker can end, in Python 3.5 syntax."""

# ruff: noqa: UP032, PTH118, PTH123

import os
import signal
import subprocess
import sys
import time

from harness.worker.errors import FailedError, UnsupportedError


def run(job, result):
    """Do what the job's option ``how`` says."""
    how = job.options({"how": "well", "child": ""})["how"]
    result.fact("how", how)
    sys.stdout.write("about to end: {}\n".format(how))
    HOW[how](result)


def well(result):
    """Leave a result."""
    result.outputs({"logits": [1.0, 2.0]})


def hang(_):
    """Never end."""
    time.sleep(600)


def die(_):
    """End without a word to the frame."""
    sys.stderr.write("the engine is broken\n")
    sys.stderr.flush()
    os._exit(7)


def vanish(_):
    """End well, but leave no result."""
    os._exit(0)


def kill(_):
    """Be killed, as by the system when memory runs out, or by hand."""
    os.kill(os.getpid(), signal.SIGKILL)


def eat(_):
    """Take memory and touch it."""
    hoard = []
    for _ in range(200):
        hoard.append(bytearray(os.urandom(1)) * (16 << 20))
        time.sleep(0.02)


def reserve(_):
    """Take address space only: nothing to be held against."""
    import mmap

    room = mmap.mmap(-1, 4 << 30)
    time.sleep(0.5)
    room.close()


def write(result):
    """Leave far more than was asked for."""
    with open(result.evidence("large.bin"), "wb") as stream:
        for _ in range(64):
            stream.write(b"\0" * (1 << 20))
    time.sleep(600)


def chatter(_):
    """Print far more than a log should hold."""
    for _ in range(4000):
        sys.stdout.write("x" * 1023 + "\n")


def bear(result):
    """Start a child that outlives its parent's patience, and wait for it."""
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    with open(os.path.join(result.folder, "child.pid"), "w") as stream:
        stream.write(str(child.pid))
    child.wait()


def raising(_):
    """Fail in a way that the frame does not know."""
    raise ValueError("no such\nengine")


def refuse(_):
    """Say that this cannot run."""
    raise UnsupportedError("precision 'int8' is not for this runtime")


def give_up(_):
    """Say that the job cannot be done."""
    raise FailedError("the network has no input")


HOW = {
    "well": well,
    "hang": hang,
    "die": die,
    "vanish": vanish,
    "kill": kill,
    "eat": eat,
    "reserve": reserve,
    "write": write,
    "chatter": chatter,
    "bear": bear,
    "raise": raising,
    "refuse": refuse,
    "give_up": give_up,
}
