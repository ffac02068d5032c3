"""A copy of the clone, with one module changed at a time, and the tests run in it.

The process that runs the mutants has imported what is slow to import and is forked for each mutant: starting
pytest anew takes longer than most mutants live. Nothing of the harness may be imported in it.
"""

from __future__ import annotations

import importlib
import importlib.util
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from mutation.mutant import Mutant

# Slow to import, and used by most tests.
_HEAVY = (
    "numpy", "scipy.stats", "pyarrow.parquet", "onnx", "onnxruntime", "jinja2", "rich.table", "docker",
    "packaging.version", "psutil", "hypothesis", "hypothesis.strategies", "pytest", "_pytest.pytester",
)  # fmt: skip


def preload() -> None:
    """Import what is slow to import."""
    for name in _HEAVY:
        importlib.import_module(name)


def variables(tree: Path) -> dict[str, str]:
    """Return the environment in which the copy's code is found first, by processes that tests start too."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST_", "COVERAGE"))}
    return {**kept, "PYTHONPATH": str(tree)}


def copy(root: Path, tree: Path) -> Path:
    """Return *tree*, a new copy of the files of the clone that git knows or would add."""
    listed = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(listed, cwd=root, check=True, capture_output=True, text=True).stdout
    for name in filter(None, names.split("\0")):
        source, target = root / name, tree / name
        if source.is_file():
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, target)
    # Tests ask git which files there are.
    subprocess.run("git init -q . && git add -A", shell=True, cwd=tree, check=True)
    return tree


@dataclass
class Running:
    """The tests of one mutant, running in one copy."""

    mutant: Mutant
    tree: Path
    tests: Sequence[str]
    limit: float  # s
    started: float
    process: int

    def ended(self) -> tuple[str, str] | None:
        """Return what became of it (``killed``, ``survived``, ``timed out``) and which test said so."""
        done, status = os.waitpid(self.process, os.WNOHANG)
        if not done:
            if time.monotonic() - self.started < self.limit:
                return None
            self.stop()
            return "timed out", ""
        self._restore()
        if status == 0:
            return "survived", ""
        return "killed", self._failed() or f"exit status {os.waitstatus_to_exitcode(status)}"

    def stop(self) -> None:
        """End it and what it started."""
        os.killpg(self.process, signal.SIGKILL)
        os.waitpid(self.process, 0)
        self._restore()

    def _restore(self) -> None:
        original = self.tree.with_name("original") / self.mutant.path
        _put(self.tree / self.mutant.path, original.read_text(encoding="utf-8"))

    def _failed(self) -> str:
        log = log_of(self.tree).read_text(encoding="utf-8", errors="replace")
        named = [line for line in log.splitlines() if line.startswith(("FAILED ", "ERROR "))]
        return named[0].split(" - ")[0] if named else ""


def start(mutant: Mutant, tree: Path, tests: Sequence[str], limit: float) -> Running:
    """Run *tests* on the mutant, in a process group of its own."""
    _put(tree / mutant.path, mutant.source)
    names = tree.with_name(tree.name + "-tests")
    names.write_text("\n".join(tests), encoding="utf-8")
    sys.stdout.flush()
    process = os.fork()
    if not process:
        _run(tree, names)
    return Running(mutant, tree, tests, limit, time.monotonic(), process)


def log_of(tree: Path) -> Path:
    """Return the file that holds what the tests in this copy printed last."""
    return tree.with_name(tree.name + "-log")


def _run(tree: Path, names: Path) -> None:
    code = 70
    try:
        os.setsid()
        log = os.open(log_of(tree), os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        nothing = os.open(os.devnull, os.O_RDONLY)
        for old, new in ((nothing, 0), (log, 1), (log, 2)):
            os.dup2(old, new)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        os.chdir(tree)
        for name in set(os.environ) - set(variables(tree)):
            del os.environ[name]
        os.environ.update(variables(tree))
        sys.path[0] = str(tree)
        sys.argv = ["pytest"]
        import pytest

        code = pytest.main(
            [
                "-x", "-q", "-rfE", "--no-header", "--tb=line", "-p", "no:cacheprovider",
                "-W", "ignore::pytest.PytestAssertRewriteWarning",
                "--hypothesis-seed=0", f"--basetemp={tree.with_name(tree.name + '-tmp')}", f"@{names}",
            ]
        )  # fmt: skip
    finally:
        sys.stdout.flush()
        os._exit(int(code))


def _put(path: Path, source: str) -> None:
    """Write a module and remove its compiled form, which only time and size would tell apart."""
    Path(importlib.util.cache_from_source(str(path))).unlink(missing_ok=True)
    path.write_text(source, encoding="utf-8")
