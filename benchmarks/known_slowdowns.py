"""Known slowdowns side by side, against long runs of each version by itself.

    python benchmarks/known_slowdowns.py --out DIR [--times 8 24]

One version of onnxruntime computes an op of MobileNet v2 so many more times (``slower_version.py``). How it
stands to another version is measured side by side, as every run measures, and by runs of one version with
nothing beside it, a thousand inferences and more each, the two in turns. What the op makes it slower by is
that over the same without the op. Printed is a row for each; what is in DIR is not measured again.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import subprocess
import sys
from pathlib import Path
from statistics import fmean, median, stdev

from harness.analysis.grid import grid_of
from harness.analysis.judge import judge
from harness.analysis.statistics.intervals import t_quantile
from harness.analysis.verdict import LATENCY
from harness.plugins.reading import observe

HERE = Path(__file__).resolve().parent
OLD, NEW = "1.22.1", "1.32.0"
MATRIX = """schema = "trtmatrix.matrix/1"
[run]
builds = {builds}
[measure]
warmup_seconds = 0.1
minimum_samples = {samples}
maximum_samples = 3000
relative_half_width = 0.0005
maximum_seconds = {seconds}
profile_iterations = 0
[policy]
fail_on = ["invalid"]
[[versions]]
runtime = "onnxruntime"
versions = [{versions}]
[[block]]
networks = ["mobilenet_v2"]
"""


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--out", type=Path, required=True, metavar="DIR")
    parser.add_argument("--times", type=int, nargs="+", default=[8, 24])
    parser.add_argument("--builds", type=int, default=8, help="side by side, of each version")
    parser.add_argument("--rounds", type=int, default=5, help="runs of each version by itself")
    parser.add_argument("--seconds", type=float, default=8.0, help="of such a run")
    asked = parser.parse_args()
    asked.out.mkdir(parents=True, exist_ok=True)
    print("| op more often | side by side (95 %) | by itself, mean of rounds (95 %) | apart, points |")
    print("|---|---|---|---|")
    plain = compared(asked, 0)
    row("0 times, the other version", *plain)
    for times in asked.times:
        row(
            f"{times} times",
            *(over(one, base) for one, base in zip(compared(asked, times), plain, strict=True)),
        )
    return 0


Known = tuple[float, float]
"""A logarithm of new / old, and half of its 95 % interval."""


def compared(asked: argparse.Namespace, times: int) -> tuple[Known, Known]:
    """Return how the slower version stands to the other one, side by side and by itself."""
    together = measured(asked.out / f"{times}-together", times, (OLD, NEW), asked.builds, (30, 0.6))
    verdicts = judge(grid_of(observe([together])), rules={})
    (said,) = [v for v in verdicts if v.bottleneck == LATENCY and v.against == OLD]
    assert said.effect is not None
    assert said.interval is not None
    logs = [
        math.log(alone(asked, times, number, NEW) / alone(asked, times, number, OLD))
        for number in range(asked.rounds)
    ]
    half = t_quantile(0.975, asked.rounds - 1) * stdev(logs) / len(logs) ** 0.5
    return (math.log(said.effect), math.log(said.interval[1] / said.effect)), (fmean(logs), half)


def over(one: Known, base: Known) -> Known:
    """Return *one* over *base*, measured independently of each other."""
    return one[0] - base[0], math.hypot(one[1], base[1])


def row(name: str, *ways: Known) -> None:
    """Print what both ways say, and by how many percentage points they lie apart."""
    cells = [
        "{:+.2f} % ({:+.2f} to {:+.2f})".format(*(100 * math.expm1(x) for x in (m, m - h, m + h)))
        for m, h in ways
    ]
    apart = 100 * (math.expm1(ways[0][0]) - math.expm1(ways[1][0]))
    print("|", " | ".join([name, *cells, f"{apart:+.2f}"]), "|", flush=True)


def alone(asked: argparse.Namespace, times: int, number: int, version: str) -> float:
    """Return the median latency of a run of *version* by itself, ms."""
    run = measured(asked.out / f"{times}-{number}-{version}", times, (version,), 1, (1000, asked.seconds))
    (samples,) = run.glob("builds/*/0/samples.json")
    slices = json.loads(samples.read_text(encoding="utf-8"))["slices"]
    return median(ms for one in slices for ms in one["latency_ms"])


def measured(
    folder: Path, times: int, versions: tuple[str, ...], builds: int, size: tuple[int, float]
) -> Path:
    """Return the folder of a run, made where it is not there yet.

    :param size: samples at least, and seconds at most
    """
    if (folder / "manifest.json").exists():
        return folder
    matrix = folder.with_name(f"{folder.name}.toml")
    names = ", ".join(f'"{version}"' for version in versions)
    matrix.write_text(
        MATRIX.format(builds=builds, samples=size[0], seconds=size[1], versions=names), encoding="utf-8"
    )
    command = [sys.executable, str(HERE / "slower_version.py"), "run", str(matrix), "--out", str(folder)]
    environment = {**os.environ, "SLOWER_VERSION": NEW if times else "", "SLOWER_TIMES": str(times or 1)}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{folder} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
    return folder


if __name__ == "__main__":
    sys.exit(main())
