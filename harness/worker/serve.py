"""The worker's side of the conversation: commands come on standard input, answers go to standard output."""

import importlib
import os
import time
import traceback
from typing import IO, Any, Callable, Dict, Mapping, Optional, Sequence  # noqa: F401

from harness.worker.base import Worker
from harness.worker.errors import FailedError, UnsupportedError
from harness.worker.job import Job, read_job
from harness.worker.measure import Pass
from harness.worker.messages import MessageError, Messages, encode
from harness.worker.processor import choose_blas_core
from harness.worker.result import Result

_THREAD_VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


class Pipes(object):
    """Standard input and output, taken away from everything else that runs in this process.

    What a runtime prints goes to standard error, which is the log; what it reads is empty.
    """

    def __init__(self) -> None:
        self.commands = os.dup(0)
        self.answers = os.dup(1)
        nothing = os.open(os.devnull, os.O_RDONLY)
        os.dup2(nothing, 0)
        os.close(nothing)
        os.dup2(2, 1)

    def write(self, message: Mapping[str, Any]) -> None:
        """Answer.

        :raises OSError: nobody listens
        """
        data = encode(message)
        while data:
            data = data[os.write(self.answers, data) :]


class Server(object):
    """Serves the commands of one build.

    :param job: path of ``job.json``; :param result: of the folder
    """

    def __init__(self, job: str, result: str) -> None:
        self.result = Result(result)
        self.status, self.reason = "ok", ""
        self._job = job
        self._worker = None  # type: Optional[Worker]
        self._passes = {}  # type: Dict[str, Pass]
        self._seconds = self._imports = 0.0
        self._bound_for = None  # type: Optional[Sequence[int]]
        self._commands = {
            "build": self._build,
            "load": self._load,
            "warm_up": self._warm_up,
            "slice": self._slice,
            "profile": self._profile,
            "close": self._close,
        }  # type: Dict[str, Callable[[Mapping[str, Any]], Dict[str, Any]]]

    def serve(self, pipes: Pipes) -> bool:
        """Answer commands until ``close``; return False where they end before, or are none.

        :raises OSError: nobody listens to the answers
        """
        messages = Messages()
        while True:
            data = os.read(pipes.commands, 1 << 16)
            if not data:
                return False
            try:
                found = messages.feed(data)
            except MessageError as error:
                pipes.write({"answer": None, "status": "failed", "reason": str(error)})
                return False
            for command in found:
                pipes.write(self.answer(command))
                if command.get("command") == "close":
                    return True

    def answer(self, command: Mapping[str, Any]) -> Dict[str, Any]:
        """Do *command* and return the answer; after one that was not done, only ``close`` is."""
        name = str(command.get("command"))
        said = {}  # type: Dict[str, Any]
        status, reason = "ok", ""
        begin = time.perf_counter()
        try:
            if name not in self._commands:
                raise FailedError("'{}' is no command of this worker".format(name))
            if self.status != "ok" and name != "close":
                raise FailedError("a step before '{}' was not done".format(name))
            said = self._commands[name](command)
        except UnsupportedError as end:
            status, reason = "unsupported", str(end)
        except FailedError as end:
            status, reason = "failed", str(end)
        except Exception as error:
            traceback.print_exc()
            status, reason = "failed", "{}: {}".format(type(error).__name__, error)
        self._seconds += time.perf_counter() - begin
        if name == "build":
            self._seconds -= self._new_imports()
        if status != "ok" and self.status == "ok":
            self.status, self.reason = status, " ".join(reason.split())
        if name == "close":
            self.result.fact("run_seconds", self._seconds)
            self.result.finish(self.status, self.reason)
        said.update(answer=name, status=status, reason=" ".join(reason.split()))
        return said

    def _build(self, _: Mapping[str, Any]) -> Dict[str, Any]:
        if self._worker is None:
            begin = time.perf_counter()
            try:
                job = read_job(self._job)
                self._bound_for = bind(job, self.result)
                module = worker_module(job.worker_module)
            finally:
                self._imports = time.perf_counter() - begin
            self.result.fact("import_seconds", self._imports)
            if not getattr(module.Worker, "moves", False):
                self._move()
            self._worker = module.Worker(job, self.result)
        self._worker.build()
        return {"more": bool(self._worker.more)}

    def _new_imports(self) -> float:
        """Return how long imports took since this was asked: they are not of building and measuring."""
        seconds, self._imports = self._imports, 0.0
        return seconds

    def _load(self, _: Mapping[str, Any]) -> Dict[str, Any]:
        found = list(self._made().load())
        self._move()
        self._passes.update((one.name, one) for one in found)
        return {"passes": [one.name for one in found]}

    def _move(self) -> None:
        """Go over to the CPUs that are measured on, with all threads that the runtime started elsewhere."""
        wanted, self._bound_for = self._bound_for, None
        if wanted is not None:
            bind_threads(wanted)
            self.result.fact("affinity", sorted(os.sched_getaffinity(0)))

    def _warm_up(self, command: Mapping[str, Any]) -> Dict[str, Any]:
        one = self._pass(command)
        return {"inferences": self._made().warm_up(one, float(command.get("seconds", 0.0)))}

    def _slice(self, command: Mapping[str, Any]) -> Dict[str, Any]:
        one, seconds = self._pass(command), float(command.get("seconds", 0.0))
        least, most = int(command.get("at_least", 1)), int(command.get("at_most", 1))
        taken = self._made().slice(one, seconds, max(1, least), max(1, most), int(command.get("settle", 0)))
        self.result.slices += 1
        return {"samples": taken}

    def _profile(self, command: Mapping[str, Any]) -> Dict[str, Any]:
        self._made().profile(int(command.get("iterations", 0)))
        return {}

    def _close(self, _: Mapping[str, Any]) -> Dict[str, Any]:
        if self._worker is not None:
            self._worker.close(self.status == "ok")
        return {}

    def _made(self) -> Worker:
        if self._worker is None:
            raise FailedError("nothing was built")
        return self._worker

    def _pass(self, command: Mapping[str, Any]) -> Pass:
        name = str(command.get("pass"))
        if name not in self._passes:
            raise FailedError("'{}' is no pass of this engine".format(name))
        return self._passes[name]


def bind(job: Job, result: Result) -> Optional[Sequence[int]]:
    """Bind the process to the job's CPUs, and NumPy's BLAS to its threads, before either is loaded.

    :return: the CPUs that are measured on, None where it is bound to them already
    """
    for name in _THREAD_VARIABLES:
        os.environ[name] = str(job.threads)
    choose_blas_core()
    elsewhere = None  # type: Optional[Sequence[int]]
    if job.affinity is not None:
        if hasattr(os, "sched_setaffinity"):
            if job.build_affinity is not None:
                elsewhere = job.affinity
            os.sched_setaffinity(0, job.build_affinity or job.affinity)
        else:
            result.cannot_express("affinity: this system has no call for it")
    if hasattr(os, "sched_getaffinity"):
        result.fact("affinity", sorted(os.sched_getaffinity(0)))
    return elsewhere


def bind_threads(cpus: Sequence[int]) -> None:
    """Bind every thread of this process to *cpus*; those that are started later inherit it."""
    os.sched_setaffinity(0, cpus)
    try:
        threads = [int(name) for name in os.listdir("/proc/self/task")]
    except OSError:
        return
    for thread in threads:
        try:
            os.sched_setaffinity(thread, cpus)
        except OSError:  # it has ended
            pass


def worker_module(name: str) -> Any:
    """Return the module *name*, which has a class ``Worker``.

    :raises FailedError: there is none
    """
    try:
        module = importlib.import_module(name)
    except ImportError as error:
        if error.name and (name + ".").startswith(error.name + "."):
            raise FailedError("job: '{}' is no worker module".format(name))
        raise
    if not hasattr(module, "Worker"):
        raise FailedError("job: '{}' has no class Worker".format(name))
    return module
