"""What collecting costs beside plain parameters: whole processes of pytest, of one test each.

    python benchmarks/collecting.py [CELLS [ROUNDS]]

One test has CELLS (5,000) cells of a matrix, the other as many plain parameters with the same ids. Both are
collected ROUNDS (7) times in turn, with no plugin but trtmatrix's and none at all. Prints the least CPU time
(user and system) and the least wall time of either process, and the ratios.
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

BATCHES = 100
CELLS_TEST = "def test_cell(trtmatrix_cell):\n    pass\n"
PLAIN_TEST = """import pathlib, pytest

IDS = pathlib.Path(__file__).with_name("ids.txt").read_text().split()

@pytest.mark.parametrize("name", IDS, ids=IDS)
def test_plain(name):
    pass
"""


def main() -> None:
    """Print one line a kind of parameters, and the ratios."""
    cells = int(sys.argv[1]) if len(sys.argv) > 1 else 5000
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 7
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        plain, matrix = _commands(folder, cells)
        taken: dict[str, list[tuple[float, float]]] = {"plain": [], "cells": []}
        for _ in range(rounds):
            taken["plain"].append(_timed(plain, folder))
            taken["cells"].append(_timed(matrix, folder))
    least = {kind: [min(column) for column in zip(*rows, strict=True)] for kind, rows in taken.items()}
    print(f"{cells} of each   CPU, s   wall, s")
    for kind, (cpu, wall) in least.items():
        print(f"{kind:12}  {cpu:8.2f}  {wall:8.2f}")
    ratios = [cells / plain for cells, plain in zip(least["cells"], least["plain"], strict=True)]
    print(f"{'ratio':12}  {ratios[0]:8.2f}  {ratios[1]:8.2f}")


def _commands(folder: Path, cells: int) -> tuple[list[str], list[str]]:
    """Write both tests and the matrix into *folder*, and return how each is collected."""
    versions = [f"1.{number}.0" for number in range(-(-cells // BATCHES))]
    matrix = folder / "matrix.toml"
    matrix.write_text(
        'schema = "trtmatrix.matrix/1"\n[[versions]]\nruntime = "onnxruntime"\n'
        f'versions = {versions}\n[[block]]\nnetworks = ["mobilenet_v2"]\n'
        f"batch = {list(range(1, min(cells, BATCHES) + 1))}\n",
        encoding="utf-8",
    )
    ids = [f"mobilenet_v2-fp32-b{b + 1}-clip-onnxruntime-{v}" for b in range(BATCHES) for v in versions]
    (folder / "ids.txt").write_text("\n".join(ids[:cells]), encoding="utf-8")
    (folder / "test_plain.py").write_text(PLAIN_TEST, encoding="utf-8")
    (folder / "test_cells.py").write_text(CELLS_TEST, encoding="utf-8")
    pytest = [sys.executable, "-m", "pytest", "--collect-only", "-qq", "-p", "no:cacheprovider"]
    ours = ["-p", "harness.pytest_plugin", "--matrix", str(matrix)]
    return [*pytest, "test_plain.py"], [*pytest, *ours, "test_cells.py"]


def _timed(command: list[str], folder: Path) -> tuple[float, float]:
    """Return CPU and wall seconds of one process."""
    variables = {**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTHONPATH": ""}
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run(command, check=True, cwd=folder, env=variables, stdout=subprocess.DEVNULL)
    wall, after = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, wall


if __name__ == "__main__":
    main()
