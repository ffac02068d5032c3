"""A worker module for tests only: ends in every way that a worker can end, in Python 3.5 syntax."""

# ruff: noqa: ARG002, UP032, PTH118, PTH123

import os
import signal
import subprocess
import sys
import time

from harness.worker import base
from harness.worker.errors import FailedError, UnsupportedError
from harness.worker.measure import Pass


class Worker(base.Worker):
    """Does what the job's option ``how`` says, in the step that ``when`` names."""

    def build(self):
        """Leave outputs, or do it here."""
        options = self.job.options({"how": "well", "when": "build"})
        self.how, self.when = options["how"], options["when"]
        self.result.fact("how", self.how)
        sys.stdout.write("about to end: {}\n".format(self.how))
        self.do("build")

    def do(self, step):
        """Do it, if *step* is the one."""
        if step == self.when:
            HOW[self.how](self.result)

    def load(self):
        """Return a pass that does it in its second slice, whatever the warm-up took of the inferences."""
        self.do("load")
        self.count = 0
        return [Pass("latency", self.infer)]

    def infer(self):
        """Take a few milliseconds."""
        self.count += 1
        if self.count > 11:
            self.do("slice")
        time.sleep(0.0025)
        return {"latency_ms": 1.0}

    def profile(self, iterations):
        """Do it here, or nothing."""
        self.do("profile")

    def close(self, complete):
        """Do it here, or nothing."""
        self.do("close")


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


def garble(_):
    """Write into the pipe of the answers what is no answer."""
    for number in range(3, 10):
        try:
            if os.fstat(number).st_mode & 0o170000 == 0o010000:
                os.write(number, b"Hello, I am a library.\n")
        except OSError:
            pass


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
    "garble": garble,
    "raise": raising,
    "refuse": refuse,
    "give_up": give_up,
}
