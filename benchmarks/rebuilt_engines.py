"""One network and a slower one, built anew many times, all engines then measured side by side.

    trtmatrix-pack/start.sh --only PATTERN --script rebuilt_engines.py --builds 20 --out rebuilt.json

Runs in the environment of a pack, on a GPU (standard library and NumPy only). Builds --builds engines of each
job, --at-a-stretch of them by one process, the jobs in turns, and keeps their bytes in --engines: those that
lie there already are not built again, and with --build-seconds none is begun that is unlikely to end in time.
Nothing runs beside a build. Then each engine is loaded by a process of the worker, those of the first --twice
rounds by a second one too, and slices of all are taken in lockstep, one by one and as a CUDA graph. Written
as JSON after each pass: the median of each slice, which ``judge_rebuilt_engines.py`` reads.
"""

import argparse
import json
import os
import random
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from statistics import median

from same_engine import Bench, cell_of

LOADING_AT_ONCE = 4
"""Processes that load an engine at the same time: nothing is timed then."""


def say(line):
    """Print *line* at once."""
    print(f"[{time.strftime('%H:%M:%S')}] {line}", file=sys.stderr, flush=True)


class Engines:
    """The engines of a job each, ``FOLDER/NETWORK-NUMBER.engine`` with what is known of each beside it."""

    def __init__(self, folder, jobs, builds):
        self.folder, self.jobs, self.builds = folder, jobs, builds

    def path(self, network, number):
        """Return where the engine lies."""
        return self.folder / f"{network}-{number:02}.engine"

    def there(self):
        """Return network and number of each engine that is there, those of one round beside each other."""
        every = [(network, number) for number in range(self.builds) for network in self.jobs]
        return [one for one in every if self.path(*one).exists()]

    def build(self, asked, began):
        """Build what is missing, a stretch of each network in turns."""
        for first in range(0, self.builds, asked.at_a_stretch):
            networks = list(self.jobs)
            random.Random(f"{asked.seed}/{first}").shuffle(networks)
            for network in networks:
                numbers = range(first, min(first + asked.at_a_stretch, self.builds))
                missing = [self.path(network, n) for n in numbers if not self.path(network, n).exists()]
                left = began + asked.build_seconds - time.monotonic()
                if missing and left > 0:
                    said = [str(path) for path in missing]
                    command = [sys.executable, __file__, "--stretch", str(left), self.jobs[network], *said]
                    code = subprocess.run(command, check=False).returncode
                    say(f"a stretch of {network} ended with status {code}")


def stretch(seconds, job, *paths):
    """Build the engines *paths* of *job* one after the other, as long as the next one is likely to fit."""
    began = time.monotonic()
    bench, longest = Bench(job), 0.0
    for place, path in enumerate(map(Path, paths)):
        if time.monotonic() - began + 1.1 * longest > float(seconds):
            break
        start = time.monotonic()
        made = bench.build()
        longest = max(longest, time.monotonic() - start)
        say(f"{path.name}: {time.monotonic() - start:.1f} s, {len(made)} bytes")
        known = {"seconds": round(time.monotonic() - start, 2), "place": place, "bytes": len(made)}
        path.with_suffix(".json").write_text(json.dumps(known), encoding="utf-8")
        path.with_suffix(".part").write_bytes(made)
        path.with_suffix(".part").replace(path)
    sys.stdout.flush()
    os._exit(0)  # before TensorRT can crash while it is torn down


class Measured:
    """A process that measures an engine."""

    def __init__(self, network, number, process, engine, job, cycles, scratch):
        import harness

        # a pack's `host` lies beside its `code`
        sys.path.append(str(Path(harness.__file__).resolve().parents[2]))
        from host.worker_process import WorkerProcess, fresh

        from harness.worker.drive import Driven
        from harness.worker.lockstep import SLICE_SECONDS
        from harness.worker.samples import Samples

        self.network, self.number, self.process, self.engine = network, number, process, engine
        document = json.loads(Path(job).read_text(encoding="utf-8"))
        document.update(engine=str(engine), keep_engine=False, peaks=False)
        took = {"maximum_seconds": cycles * SLICE_SECONDS, "profile_iterations": 0, "passes": ["cuda_graph"]}
        document["measure"].update(took)
        name = f"{network}-{number}-{process}"
        own = Path(job).with_name(name + ".json")
        own.write_text(json.dumps(document), encoding="utf-8")
        self.folder = fresh(scratch / name)
        command = [sys.executable, "-m", "harness.worker", str(own), str(self.folder)]
        self.worker = WorkerProcess(command, self.folder, os.environ, 600)
        self.driven = Driven(self.worker, str(own), Samples(process))

    def row(self):
        """Return what was measured: pass to cycle, place and median of each slice."""
        known = json.loads(self.engine.with_suffix(".json").read_text(encoding="utf-8"))
        passes = {}
        for one in self.driven.samples.slices:
            value = round(median(one["latency_ms"]), 6)
            passes.setdefault(one["pass"], []).append([one["cycle"], one["slice"], value])
        return {
            "network": self.network,
            "number": self.number,
            "process": self.process,
            "build_seconds": known["seconds"],
            "place_in_stretch": known["place"],
            "engine_bytes": known["bytes"],
            "passes": passes,
        }


def measure(engines, asked, write):
    """Measure all engines in lockstep; *write* is given the rows after each pass."""
    from harness.worker.lockstep import Lockstep, cycles_of, load, passes_of

    wanted = [(one, 0) for one in engines.there()]
    wanted += [(one, 1) for one in engines.there() if one[1] < asked.twice]
    members = [
        Measured(
            *one, process, engines.path(*one), engines.jobs[one[0]], asked.cycles, engines.folder / "work"
        )
        for one, process in wanted
    ]
    with ThreadPoolExecutor(LOADING_AT_ONCE) as pool:
        list(pool.map(load, [one.driven for one in members]))
    alive = [one.driven for one in members if not one.driven.over]
    say(f"{len(alive)} of {len(members)} processes have loaded their engines")
    lockstep = Lockstep(asked.seed, say)
    for name in passes_of(alive):
        mine = [one for one in alive if name in one.passes and not one.over]
        for one in mine:
            one.asked(one.warm_up, name, one.settings.warmup_seconds)
        lockstep.cycles(name, [(one, cycles_of(one.settings)) for one in mine])
        write([one.row() for one in members])
    lockstep.close(alive)
    for one in members:
        ended = one.worker.end()
        if ended["status"] != "ok":
            say(f"{one.network} {one.number}: {ended['status']}, {ended['reason']} {ended['log_tail']}")
    return members[0].folder if members else None


def facts_of(folder):
    """Return what the worker said of the machine."""
    try:
        said = json.loads((folder / "result.json").read_text(encoding="utf-8"))["facts"]
    except (OSError, ValueError, TypeError):
        return {}
    names = ("gpu", "uuid", "driver", "tensorrt", "gpu_sm_mhz_measured", "tactic_sources")
    return {name: said.get(name) for name in names}


def main():
    """Build what is missing, measure, write."""
    began = time.monotonic()
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("jobs", nargs="*", metavar="JOB.json", help="of the network and of the slower one")
    parser.add_argument("--builds", type=int, default=20, help="of each")
    parser.add_argument("--at-a-stretch", type=int, default=5, help="engines that one process builds")
    parser.add_argument("--build-seconds", type=float, default=1e9, help="of the script, for building")
    parser.add_argument("--engines", type=Path, default=Path("engines"), metavar="FOLDER")
    parser.add_argument("--cycles", type=int, default=40, help="slices of each process and pass")
    parser.add_argument("--twice", type=int, default=4, help="rounds whose engines get two processes")
    parser.add_argument("--only-build", action="store_true")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", type=Path, default=Path("rebuilt.json"), metavar="FILE")
    parser.add_argument("--stretch", nargs="+", metavar="VALUE", help="seconds, job, engines to be built")
    asked = parser.parse_args()
    if asked.stretch:
        stretch(*asked.stretch)
    if not asked.jobs:
        parser.error("a job is needed")
    jobs = {cell_of(job)["network"]: job for job in asked.jobs}
    asked.engines.mkdir(parents=True, exist_ok=True)
    engines = Engines(asked.engines.resolve(), jobs, asked.builds)
    engines.build(asked, began)
    say(f"{len(engines.there())} engines are there after {time.monotonic() - began:.0f} s")
    if asked.only_build:
        return
    document = {"schema": "trtmatrix.rebuilt_engines/1", "cell": cell_of(asked.jobs[0])}
    document.update(facts={}, processes=[])

    def write(rows):
        document["processes"] = rows
        asked.out.write_text(json.dumps(document, sort_keys=True), encoding="utf-8")

    folder = measure(engines, asked, write)
    if folder is not None:
        document["facts"] = facts_of(folder)
        write(document["processes"])
    say(f"over after {time.monotonic() - began:.0f} s")


if __name__ == "__main__":
    main()
