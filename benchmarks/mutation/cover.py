"""Which tests run a line: one run of the tests under coverage, kept in a file and brought up to date."""

from __future__ import annotations

import hashlib
import json
import math
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import coverage

from mutation.contexts import CONFIGURATION, TIMES
from mutation.draw import sources
from mutation.mutant import Mutant
from mutation.tree import variables

_CONFIGURATION = """
[run]
source_pkgs = harness
branch = true
data_file = {data}
parallel = true
context = ${{PYTEST_CURRENT_TEST-}}
disable_warnings = no-data-collected, module-not-imported, module-not-measured, couldnt-parse
"""


@dataclass
class Covered:
    """The tests of each line."""

    tests: dict[str, float] = field(default_factory=dict)  # name: seconds; those that passed
    lines: dict[str, dict[int, set[str]]] = field(default_factory=dict)  # path: line: contexts

    def of(self, mutant: Mutant, longest: float = math.inf) -> list[str]:
        """Return the tests that run the mutant's statement, the quickest first, those of its room before all.

        A statement that importing the module runs is run by every test that runs anything of it, and by those
        of its room; so is what such a statement calls, and what is called then and never again, by all tests.

        :param longest: in s; a test that takes longer is left out where another one runs the statement
        """
        lines = self.lines.get(mutant.path, {})
        lines = {line: names for line, names in lines.items() if mutant.top or mutant.holds(line)}
        named = {name for names in lines.values() for name in names}
        room = mutant.path.replace("harness/", "tests/", 1).rsplit("/", 1)[0]
        imported = mutant.top or "" in named
        named.discard("")
        wide = (*(name[1:] for name in named if name.startswith("@")), *([room] if imported else ()))
        found = [test for test in self.tests if test in named or (wide and test.startswith(wide))]
        if lines and not named and not mutant.top:
            found = list(self.tests)
        found = [test for test in found if self.tests[test] <= longest] or found
        return sorted(found, key=lambda test: (not test.startswith(room), self.tests[test], test))


def covered(root: Path, tree: Path, file: Path, tests: Sequence[str]) -> Covered:
    """Return what each test runs, from *file* where it still holds, else from running it.

    :param root: the clone
    :param tree: a copy of it, to run in
    :param tests: folders and files of tests
    """
    kept = json.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}
    digests = _digests(root, tests)
    same = kept.get("rest") == digests["rest"]
    old: Mapping[str, str] = kept.get("files", {}) if same else {}
    stale = [name for name, digest in digests["files"].items() if old.get(name) != digest]
    found = _read(kept, {name for name in old if name in digests["files"] and name not in stale})
    if stale:
        print(f"running {len(stale)} files of tests under coverage", flush=True)
        _add(found, _measure(tree, file.parent, stale), tree)
        _write(found, digests, file)
    return found


def _digests(root: Path, tests: Sequence[str]) -> dict[str, Any]:
    files: dict[str, str] = {}
    rest = hashlib.sha256()
    for path in sorted((root / "tests").rglob("*.py")) + sorted((root / "harness").rglob("*.py")):
        name, content = path.relative_to(root).as_posix(), path.read_bytes()
        if not path.name.startswith("test_"):
            rest.update(name.encode() + b"\0" + content + b"\0")
        elif any(name == test or name.startswith(test.rstrip("/") + "/") for test in tests):
            files[name] = hashlib.sha256(content).hexdigest()
    return {"rest": rest.hexdigest(), "files": files}


def _measure(tree: Path, folder: Path, files: Sequence[str]) -> Path:
    data = folder / "contexts"
    data.mkdir(parents=True, exist_ok=True)
    for left in data.iterdir():
        left.unlink()
    configuration = data / "coveragerc"
    configuration.write_text(_CONFIGURATION.format(data=data / "data"), encoding="utf-8")
    names = data / "files"
    names.write_text("\n".join(files), encoding="utf-8")
    command = [sys.executable, "-m", "coverage", "run", f"--rcfile={configuration}", "-m", "pytest", "-q"]
    command += ["-p", "benchmarks.mutation.contexts", "-p", "no:cacheprovider", f"@{names}"]
    own = {CONFIGURATION: str(configuration), TIMES: str(data / "times.json")}
    with (data / "log").open("wb") as log:
        done = subprocess.run(
            command, cwd=tree, env=variables(tree) | own, stdout=log, stderr=log, check=False
        )
    if done.returncode not in (0, 1):
        sys.exit(f"the tests ended with {done.returncode}: see {data / 'log'}")
    subprocess.run(
        [sys.executable, "-m", "coverage", "combine", "-q", f"--rcfile={configuration}"],
        cwd=tree,
        check=True,
        env={**os.environ, "PYTEST_CURRENT_TEST": ""},
    )
    return data


def _add(found: Covered, data: Path, tree: Path) -> None:
    times = json.loads((data / "times.json").read_text(encoding="utf-8"))
    for name, said in sorted(times.items()):
        if said["passed"]:
            found.tests[name] = round(said["seconds"], 3)
        else:
            print(f"left out, since it did not pass: {name}")
    kept = coverage.CoverageData(str(data / "data"))
    kept.read()
    for path in sources(tree):
        lines = found.lines.setdefault(path.relative_to(tree).as_posix(), {})
        for line, contexts in kept.contexts_by_lineno(str(path)).items():
            lines.setdefault(line, set()).update(map(_named, contexts))


def _named(context: str) -> str:
    """Return a context as a test, or as ``@`` and the start of the names of all the tests it stands for.

    Empty for what ran while modules were imported, before any test.
    """
    name, _, phase = context.rpartition(" (")
    if phase in ("call)", "teardown)"):
        return name
    return "@" + name.split("::")[0] if phase == "setup)" else context


def _read(kept: Mapping[str, Any], files: set[str]) -> Covered:
    def holds(context: str) -> bool:
        return not context or context.startswith("@") or context.split("::")[0] in files

    return Covered(
        {test: seconds for test, seconds in kept.get("tests", {}).items() if holds(test)},
        {
            path: {int(line): {name for name in names if holds(name)} for line, names in lines.items()}
            for path, lines in kept.get("lines", {}).items()
        },
    )


def _write(found: Covered, digests: Mapping[str, Any], file: Path) -> None:
    lines = {
        path: {str(line): sorted(names) for line, names in by_line.items()}
        for path, by_line in found.lines.items()
    }
    text = json.dumps({**digests, "tests": found.tests, "lines": lines})
    file.write_text(text, encoding="utf-8")
