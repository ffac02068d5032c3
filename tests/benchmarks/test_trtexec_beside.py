"""What is read of processes of the worker and of trtexec on one engine."""

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
SCRIPT = ROOT / "benchmarks" / "trtexec_beside.py"


def test_the_difference_of_each_way_comes_with_its_interval(tmp_path: Path) -> None:
    rows = [row("worker", "one at a time", number, 0.400 + 0.0002 * (number % 3)) for number in range(12)]
    for way, factor in (("one at a time", 1.0), ("overlapping", 0.98)):
        rows += [
            row("trtexec", way, number, factor * (0.400 + 0.0002 * (number % 3))) for number in range(12)
        ]
    path = tmp_path / "beside.json"
    path.write_text(json.dumps({"rows": rows + [{**one, "pass": "cuda_graph"} for one in rows]}))
    done = subprocess.run(
        [sys.executable, str(SCRIPT), "--read", str(path)], stdout=subprocess.PIPE, text=True, check=True
    )
    latency = [line for line in done.stdout.splitlines() if line.startswith("| latency")]
    assert "| 12 and 12 | 0.40020 (0.04%) | 0.40020 (0.04%) | +0.00% (-0.04% to +0.04%) |" in latency[0]
    assert "| -2.00% (-2.04% to -1.96%) |" in latency[1]


def test_the_docs_show_what_was_measured() -> None:
    data = ROOT / "tests" / "data" / "same_engine" / "h200-8.5.3.1-trtexec.json"
    done = subprocess.run(
        [sys.executable, str(SCRIPT), "--read", str(data)], stdout=subprocess.PIPE, text=True, check=True
    )
    assert done.stdout in (ROOT / "docs" / "explanation" / "statistics.md").read_text(encoding="utf-8")


def test_a_job_and_the_program_are_asked_for() -> None:
    done = subprocess.run([sys.executable, str(SCRIPT)], stderr=subprocess.PIPE, text=True, check=False)
    assert done.returncode == 2
    assert "a job and --trtexec are needed" in done.stderr


def row(who: str, way: str, number: int, median_ms: float) -> dict[str, object]:
    return {
        "round": number,
        "who": who,
        "pass": "latency",
        "way": way,
        "median_ms": median_ms,
        "samples": 100,
    }
