"""``python -m harness.worker JOB.json RESULT_FOLDER``: do one job, leave a result, whatever it says."""

import importlib
import os
import sys
import time
import traceback

from harness.worker.errors import FailedError, UnsupportedError
from harness.worker.job import Job, read_job
from harness.worker.parent import end_with_parent
from harness.worker.result import Result

_THREAD_VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


def main() -> int:
    """Return 0 when a result was written, 2 on wrong arguments."""
    if len(sys.argv) != 3 or not os.path.isdir(sys.argv[2]):
        sys.stderr.write("usage: python -m harness.worker JOB.json RESULT_FOLDER (which exists)\n")
        return 2
    end_with_parent()
    result = Result(sys.argv[2])
    status, reason = "ok", ""
    try:
        job = read_job(sys.argv[1])
        bind(job, result)
        module = _module(job.worker_module)
        begin = time.perf_counter()
        module.run(job, result)
        result.fact("run_seconds", time.perf_counter() - begin)
    except UnsupportedError as end:
        status, reason = "unsupported", str(end)
    except FailedError as end:
        status, reason = "failed", str(end)
    except Exception as error:
        traceback.print_exc()
        status, reason = "failed", "{}: {}".format(type(error).__name__, error)
    result.finish(status, reason)
    sys.stdout.flush()
    sys.stderr.flush()
    # Some runtimes crash while the interpreter tears them down; the result is complete by now.
    os._exit(0)


def bind(job: Job, result: Result) -> None:
    """Bind the process to the job's CPUs, and NumPy's BLAS to its threads, before either is loaded."""
    for name in _THREAD_VARIABLES:
        os.environ[name] = str(job.threads)
    if job.affinity is not None:
        if hasattr(os, "sched_setaffinity"):
            os.sched_setaffinity(0, job.affinity)
        else:
            result.cannot_express("affinity: this system has no call for it")
    if hasattr(os, "sched_getaffinity"):
        result.fact("affinity", sorted(os.sched_getaffinity(0)))


def _module(name: str):  # type: ignore[no-untyped-def]
    try:
        return importlib.import_module(name)
    except ImportError as error:
        if error.name and (name + ".").startswith(error.name + "."):
            raise FailedError("job: '{}' is no worker module".format(name))
        raise


if __name__ == "__main__":
    sys.exit(main())
