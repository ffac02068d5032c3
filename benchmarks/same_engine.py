"""One engine, measured again and again, each time in a fresh process: what differs is not the build.

    python same_engine.py JOB.json [VARIANT.json ...] [--rounds 40] [--seconds S]
    trtmatrix-pack/start.sh --only PATTERN --script same_engine.py --out same.json

Runs inside an environment with TensorRT and a GPU, as the second line gives it: standard library and NumPy
only, as the worker itself, whose packages are on PYTHONPATH, as in a pack. Builds one engine of the job, and
one of each variant's, keeps their bytes in --engines (those that lie there already are not built again), and
measures in rounds: the engine of the job twice (`base` and `aa`), those of the variants once, in a random
order. A measurement is a process of its own: load the engine, run the worker's own latency pass, and once
more as a CUDA graph, print. With --seconds a round that is unlikely to end in time is not begun. Printed as
JSON: the medians of each pass and arm, one a round, for `judge_same_engine.py`.
"""

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path

PASSES = ("latency", "cuda_graph")


class Bench:
    """A job, and the worker's parts that build and open its engine."""

    def __init__(self, path):
        from harness.runtimes.tensorrt.worker import driver as cuda
        from harness.runtimes.tensorrt.worker.build import Toolbox
        from harness.runtimes.tensorrt.worker.dialects import choose
        from harness.runtimes.tensorrt.worker.features import Features
        from harness.runtimes.tensorrt.worker.library import load
        from harness.runtimes.tensorrt.worker.logger import Log, make_logger
        from harness.runtimes.tensorrt.worker.measuring import Device
        from harness.runtimes.tensorrt.worker.plan import OPTIONS, Plan
        from harness.worker.job import read_job
        from harness.worker.package import read_network
        from harness.worker.result import Result

        self.job, self.result, log = read_job(path), Result(tempfile.mkdtemp()), Log()
        if self.job.device:
            os.environ["CUDA_VISIBLE_DEVICES"] = self.job.device
        trt, driver = load("tensorrt"), cuda.open_driver()
        for name, value in cuda.describe(driver).items():
            self.result.fact(name, value)
        options = dict(self.job.options(OPTIONS), memory="ctypes", gpu_present=True)
        features = Features(trt)
        self.plan = Plan(self.job.treatment, options, features)
        package = read_network(self.job.network, self.job.weights)
        self.tools = Toolbox(trt, features, make_logger(trt, log), log, self.job, package, self.result)
        self.dialect = choose(trt, features, self.plan)(trt, features, self.plan, self.result)
        self.device = Device(driver, self.plan, self.result)

    def build(self):
        """Return the bytes of a new engine."""
        from harness.runtimes.tensorrt.worker.build import build

        return bytes(build(self.tools, self.plan, self.dialect, True).serialized)

    def measure(self, plan_bytes):
        """Return medians and clocks of one latency pass over the engine in *plan_bytes*, and of a graph's."""
        from harness.runtimes.tensorrt.worker.build import Built
        from harness.runtimes.tensorrt.worker.measuring import open_session
        from harness.runtimes.tensorrt.worker.passes import Passes
        from harness.worker.package import read_arrays
        from harness.worker.stopping import measure_pass

        built = Built(plan_bytes, plan_bytes, 0.0, [])
        session, _runtime = open_session(self.tools, self.dialect, self.device, built)
        session.fill(read_arrays(self.job.inputs))
        nvml, result = self.device.nvml, self.result
        passes = Passes(session, self.device.driver, nvml, (), result)
        passes.add("latency", session.enqueue, False, False)
        passes.add_graph("cuda_graph")
        if len(passes.made) < len(PASSES):
            sys.stderr.write(result.not_expressible[-1] + "\n")
        measured = {}
        for one in passes.made:
            one.warm_up(self.job.measure.warmup_seconds)
            measured[one.name] = pass_of(one, measure_pass(one.take, self.job.measure))
        return {
            "passes": measured,
            "engine": built.digest,
            "sm_mhz": sorted({row["sm_mhz"] for row in nvml.samples if row["sm_mhz"] is not None}),
            "throttle_reasons": sorted({row["throttle_reasons"] or 0 for row in nvml.samples}),
            "facts": {name: result.facts.get(name) for name in ("gpu", "uuid", "driver")},
        }


def pass_of(one, how):
    """Return median, number of samples and end of the pass *one*."""
    from harness.runtimes.tensorrt.worker.passes import median

    values = one.values("latency_ms")
    return {"median_ms": round(median(values), 6), "samples": len(values), "stopped_by": how.stopped_by}


def end(document, indent=None):
    """Print *document* and end the process, before TensorRT can crash while it is torn down."""
    print(json.dumps(document, indent=indent, sort_keys=True))
    sys.stdout.flush()
    os._exit(0)


def in_a_process(mode, engine, job):
    """Run this script once more in *mode* and return the JSON that it printed last."""
    command = [sys.executable, __file__, mode, str(engine), str(job)]
    done = subprocess.run(command, stdout=subprocess.PIPE, check=False)
    if done.returncode:
        sys.exit(f"{mode} of {job} ended with status {done.returncode}")
    return json.loads(done.stdout.decode("utf-8").strip().splitlines()[-1])


def cell_of(job):
    """Return the cell that *job* is about."""
    return json.loads(Path(job).read_text(encoding="utf-8"))["cell"]


def rounds(asked, arms, engines, began):
    """Measure the arms round by round; yield each arm's measurements so far, after every round.

    :param arms: name to job; :param engines: job to engine file; :param began: when the script did
    """
    rows = {name: [] for name in arms}
    longest = 0.0
    for number in range(asked.rounds):
        start = time.monotonic()
        if asked.seconds and start - began + 1.15 * longest > asked.seconds:
            break
        order = sorted(arms)
        random.Random(f"{asked.seed}/{number}").shuffle(order)
        for name in order:
            rows[name].append(in_a_process("--measure", engines[arms[name]], arms[name]))
        longest = max(longest, time.monotonic() - start)
        sys.stderr.write(f"round {number}: {time.monotonic() - start:.1f} s\n")
        yield rows


def report_of(cell, rows):
    """Return the document of the measurements *rows* by arm; *cell* is that of the base."""
    report = {
        "schema": "trtmatrix.same_engine/1",
        "cell": cell,
        "gpu": next((row["facts"] for found in rows.values() for row in found), None),
        "engines": {name: found[0]["engine"] for name, found in rows.items() if found},
    }
    for key in ("sm_mhz", "throttle_reasons"):
        report[key] = {name: [row[key] for row in found] for name, found in rows.items()}
    every = [row for found in rows.values() for row in found]
    # A pass that is not in every measurement cannot be compared round by round.
    common = [name for name in PASSES if all(name in row["passes"] for row in every)]
    for key, title in (("median_ms", "medians_ms"), ("samples", "samples"), ("stopped_by", "stopped_by")):
        report[title] = {
            pass_name: {
                name: [row["passes"][pass_name][key] for row in found] for name, found in rows.items()
            }
            for pass_name in common
        }
    return report


def main():
    """Build what is missing, measure, print."""
    began = time.monotonic()
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("jobs", nargs="*", metavar="JOB.json", help="of the network, then of its variants")
    parser.add_argument("--engines", type=Path, default=Path("engines"), metavar="FOLDER")
    parser.add_argument("--rounds", type=int, default=40)
    parser.add_argument(
        "--seconds", type=float, help="of the whole script: begin no round that would end later"
    )
    parser.add_argument(
        "--out", type=Path, metavar="FILE", help="write the JSON there, too, after every round"
    )
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--measure", nargs=2, metavar=("ENGINE", "JOB.json"), help="one measurement")
    parser.add_argument("--build", nargs=2, metavar=("ENGINE", "JOB.json"), help="one build")
    asked = parser.parse_args()
    if asked.build:
        path = Path(asked.build[0])
        made = Bench(asked.build[1]).build()
        path.with_suffix(".part").write_bytes(made)
        path.with_suffix(".part").replace(path)
        end({"engine_bytes": len(made)})
    if asked.measure:
        end(Bench(asked.measure[1]).measure(Path(asked.measure[0]).read_bytes()))
    if not asked.jobs:
        parser.error("a job is needed")
    jobs = {}
    for job in asked.jobs:  # a pack's cells may have second arms, which are of the same network
        jobs.setdefault(cell_of(job)["network"], job)
    asked.engines.mkdir(parents=True, exist_ok=True)
    engines = {job: asked.engines / (name + ".engine") for name, job in jobs.items()}
    for job, engine in engines.items():
        if not engine.exists():
            in_a_process("--build", engine, job)
    network, base = next(iter(jobs.items()))
    arms = {"base": base, "aa": base}
    arms.update((name, job) for name, job in jobs.items() if name != network)
    report = report_of(cell_of(base), {name: [] for name in arms})
    for rows in rounds(asked, arms, engines, began):
        report = report_of(cell_of(base), rows)
        if asked.out:  # a host that is taken away costs the round it was in
            asked.out.write_text(json.dumps(report, indent=1, sort_keys=True), encoding="utf-8")
    end(report, indent=1)


if __name__ == "__main__":
    main()
