"""One engine, measured by the worker and by trtexec in turns, each time in a fresh process.

    trtmatrix-pack/start.sh --only PATTERN --script trtexec_beside.py --trtexec PATH --out beside.json
    python benchmarks/trtexec_beside.py --read beside.json

The first line runs where TensorRT and a GPU are, inside the environment of a pack (standard library and NumPy
only): it builds the engine of the first job, then measures its bytes in rounds of a random order, at most one
process at a time: the worker's own passes (``latency``, ``cuda_graph``), and trtexec without data transfers,
spinning, launched one by one and as a CUDA graph, each with and without the next inference enqueued before
the one at hand has ended (``--exposeDMA`` leaves that out, as the worker does). A process counts by the
median of its inferences between events around the engine (``computeMs`` of trtexec). The second line prints
how far each lies from the worker's, with 95 % intervals over processes (Welch).
"""

import argparse
import json
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

from same_engine import in_a_process

PASSES = {"latency": [], "cuda_graph": ["--useCudaGraph"]}
WAYS = {"one at a time": ["--exposeDMA"], "overlapping": []}


def by_trtexec(program, engine, options, asked):
    """Return the median GPU time of a process of trtexec on *engine*, milliseconds, and its samples."""
    with tempfile.TemporaryDirectory() as folder:
        times = Path(folder) / "times.json"
        command = [str(program), "--loadEngine=" + str(engine), "--noDataTransfers", "--useSpinWait"]
        command += [f"--warmUp={asked.warm_up}", f"--duration={asked.duration}"]
        command += ["--iterations=100", "--exportTimes=" + str(times), *options]
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
        if done.returncode or not times.exists():
            said = done.stdout.decode("utf-8", "replace")[-2000:]
            sys.exit(f"trtexec ended with status {done.returncode}: {said}")
        values = [row["computeMs"] for row in json.loads(times.read_text(encoding="utf-8"))]
    return {"median_ms": round(median(values), 6), "samples": len(values)}


def as_long(job, samples, warm_up):
    """Return the path of *job* with passes of at least *samples* inferences, beside the job itself.

    :param warm_up: milliseconds before each pass, as trtexec has them
    """
    document = json.loads(Path(job).read_text(encoding="utf-8"))
    wanted = {"minimum_samples": samples, "maximum_samples": 4 * samples, "maximum_seconds": 10.0}
    document["measure"].update(wanted, warmup_seconds=warm_up / 1000)
    path = Path(job).with_name("beside.json")
    path.write_text(json.dumps(document), encoding="utf-8")
    return path


def measured(asked, engine, job, began):
    """Yield the rows so far after each round: who measured, pass, way, median, samples."""
    rows, longest = [], 0.0
    for number in range(asked.rounds):
        start = time.monotonic()
        if asked.seconds and start - began + 1.15 * longest > asked.seconds:
            return
        arms = [("worker", None, None)] + [("trtexec", p, w) for p in PASSES for w in asked.ways]
        random.Random(f"{asked.seed}/{number}").shuffle(arms)
        for who, name, way in arms:
            if who == "worker":
                told = in_a_process("--measure", engine, job)
                for key in PASSES:
                    one = told["passes"][key]
                    rows.append(row_of(number, who, key, "one at a time", one))
            else:
                one = by_trtexec(asked.trtexec, engine, PASSES[name] + WAYS[way], asked)
                rows.append(row_of(number, who, name, way, one))
        longest = max(longest, time.monotonic() - start)
        sys.stderr.write(f"round {number}: {time.monotonic() - start:.1f} s\n")
        yield rows


def row_of(number, who, name, way, one):
    """Return the row of one process."""
    return {
        "round": number,
        "who": who,
        "pass": name,
        "way": way,
        "median_ms": one["median_ms"],
        "samples": one["samples"],
    }


def read(path):
    """Print a line for each pass and way of trtexec: medians, difference from the worker, spreads."""
    from scipy import stats

    rows = json.loads(path.read_text(encoding="utf-8"))["rows"]
    ways = [way for way in WAYS if any((row["who"], row["way"]) == ("trtexec", way) for row in rows)]
    print("| pass | trtexec | processes | worker, ms (spread) | trtexec, ms (spread) | difference, 95 % |")
    print("|---|---|---|---|---|---|")
    for name in PASSES:
        ours = [row["median_ms"] for row in rows if row["who"] == "worker" and row["pass"] == name]
        for way in ways:
            theirs = [
                row["median_ms"]
                for row in rows
                if (row["who"], row["pass"], row["way"]) == ("trtexec", name, way)
            ]
            mean, other = sum(ours) / len(ours), sum(theirs) / len(theirs)
            interval = stats.ttest_ind(theirs, ours, equal_var=False).confidence_interval(0.95)
            spread = stats.tstd(ours) / mean
            print(
                f"| {name} | {way} | {len(ours)} and {len(theirs)} | {mean:.5f} ({spread:.2%}) "
                f"| {other:.5f} ({stats.tstd(theirs) / other:.2%}) "
                f"| {other / mean - 1:+.2%} ({interval.low / mean:+.2%} to {interval.high / mean:+.2%}) |"
            )


def main():
    """Build, measure in rounds, write after every round; or read what was written."""
    began = time.monotonic()
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("jobs", nargs="*", metavar="JOB.json", help="the first one is measured")
    parser.add_argument("--trtexec", type=Path, metavar="PROGRAM")
    parser.add_argument("--engine", type=Path, default=Path("beside.engine"), help="built unless it is there")
    parser.add_argument("--rounds", type=int, default=12)
    parser.add_argument("--seconds", type=float, help="of all: begin no round that would end later")
    parser.add_argument("--ways", nargs="+", choices=list(WAYS), default=list(WAYS), help="of trtexec")
    parser.add_argument("--samples", type=int, default=1000, help="of the worker, at least, in each pass")
    parser.add_argument("--warm-up", type=int, default=500, help="of trtexec, milliseconds")
    parser.add_argument("--duration", type=int, default=1, help="of trtexec, seconds")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", type=Path, default=Path("beside.json"))
    parser.add_argument("--read", type=Path, metavar="FILE", help="print the table of what was measured")
    asked = parser.parse_args()
    if asked.read:
        read(asked.read)
        return
    if not asked.jobs or asked.trtexec is None:
        parser.error("a job and --trtexec are needed")
    if not asked.engine.exists():
        in_a_process("--build", asked.engine, asked.jobs[0])
    job = as_long(asked.jobs[0], asked.samples, asked.warm_up)
    for rows in measured(asked, asked.engine, job, began):
        document = {"schema": "trtmatrix.trtexec_beside/1", "rows": rows}
        asked.out.write_text(json.dumps(document, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
