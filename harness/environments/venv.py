"""``venv``: a virtual environment of wheels for each version, made once and kept in the cache."""

from __future__ import annotations

import hashlib
import json
import os
import platform
import sys
import sysconfig
from collections.abc import Mapping, Sequence
from pathlib import Path

from harness.distribution import hookimpl
from harness.environments import package_index
from harness.environments.base import Availability, Check, Environment, Prepared, Progress
from harness.environments.c_library import answering, compile_library
from harness.environments.cache import cached, is_cached
from harness.environments.gpus import without_gpu
from harness.environments.installer import Plan, install, python_of
from harness.environments.interpreter import PreparedInterpreter, interpreter_facts
from harness.environments.needs import RuntimeNeeds
from harness.environments.pythons import Interpreter, find_python, running
from harness.errors import NoPythonError

_FACTS = "trtmatrix.json"

_BYTECODE = {"PYTHONDONTWRITEBYTECODE": ""}
"""The folder is ours: the first worker leaves what it compiled, and the others start in half the time."""


class VirtualEnvironment(Environment):
    """Wheels of the asked version beside NumPy, on any Python of this machine that they fit."""

    name = "venv"
    prepares_at_once = 4
    own_processes = True

    def availability(self, runtime: RuntimeNeeds, version: str) -> Availability:
        """Say whether there is a Python for *version*, and a GPU where it needs one."""
        bounds = runtime.pythons(version)
        if find_python(bounds) is not None:
            return without_gpu(runtime, version) or Availability("ok")
        assert bounds is not None
        low, high = (".".join(map(str, release)) for release in bounds)
        return Availability(
            "unsupported",
            f"no wheel of {runtime.name} {version} for Python {running().full}, "
            f"and no Python from {low} to {high} is here",
            f"install Python {high}; the harness may stay on its own",
        )

    def checks(self, runtime: RuntimeNeeds, version: str) -> Sequence[Check]:
        """Return what was looked at: Python and GPU here, and whether the package index has that version."""
        interpreter = find_python(runtime.pythons(version))
        own = super().checks(runtime, version)
        if interpreter is None:
            return own
        plan = plan_for(runtime, version, interpreter)
        if is_cached("venv", key_of(plan)):
            return (
                *own,
                Check(package_index.NAME, "ok", "not needed: this version is installed in the cache"),
            )
        requirement = package_index.of_distribution(plan.requirements, runtime.distribution(version))
        if requirement is None:
            return own
        return (*own, package_index.package_index().check(requirement, interpreter))

    def prepare(self, runtime: RuntimeNeeds, version: str, progress: Progress) -> Prepared:
        """Make *version* ready, from the cache where it was made before.

        :raises UnavailableError: no Python fits, or the wheels cannot be had
        """
        interpreter = find_python(runtime.pythons(version))
        if interpreter is None:
            raise NoPythonError(self.availability(runtime, version).reason)
        plan = plan_for(runtime, version, interpreter)
        folder = make(plan, f"{runtime.name} {version}", progress)
        facts = json.loads((folder / _FACTS).read_text(encoding="utf-8"))
        stubs = runtime.stub_libraries(version)
        if stubs:
            facts["stub_libraries"] = sorted(stubs)
        variables = {
            **_BYTECODE,
            **runtime.environment_variables,
            **loader_variables(runtime, version, folder),
        }
        return PreparedInterpreter(python_of(folder), runtime.worker, variables, facts)


def plan_for(runtime: RuntimeNeeds, version: str, interpreter: Interpreter) -> Plan:
    """Return what is to be installed for *version* (a runtime's ``complete_requirements`` rules out more)."""
    requirements: Sequence[str] = runtime.requirements(version, interpreter.release)
    return Plan(interpreter, tuple(requirements), dependencies=not runtime.complete_requirements)


def make(plan: Plan, title: str, progress: Progress) -> Path:
    """Return the folder of the virtual environment *plan*, made where the cache has none.

    :raises UnavailableError: it cannot be made
    """

    def fill(folder: Path) -> None:
        progress(f"installing {title} for Python {plan.interpreter.full}")
        installer = install(plan, folder)
        facts = interpreter_facts(python_of(folder))
        facts.update(installer=installer, requirements=list(plan.requirements))
        (folder / _FACTS).write_text(json.dumps(facts, indent=1), encoding="utf-8")

    return cached("venv", key_of(plan), fill)


def loader_variables(runtime: RuntimeNeeds, version: str, folder: Path) -> dict[str, str]:
    """Return the variable that has the loader find what *version* opens, its stubs made first.

    :raises UnavailableError: a stub cannot be compiled
    """
    folders = [
        str(path / name) for path in _site_packages(folder) for name in runtime.library_folders(version)
    ]
    folders += [str(_stub(soname, said)) for soname, said in runtime.stub_libraries(version).items()]
    before = os.environ.get("LD_LIBRARY_PATH", "")
    return {"LD_LIBRARY_PATH": os.pathsep.join([*folders, *filter(None, [before])])} if folders else {}


def _stub(soname: str, functions: Mapping[str, int]) -> Path:
    """Return the folder of the stub *soname*, compiled where the cache has none.

    :raises UnavailableError: it cannot be compiled
    """
    text = answering(functions)

    def fill(folder: Path) -> None:
        compile_library(folder / soname, text)

    return cached("stub", hashlib.sha256(f"{soname}\n{text}".encode()).hexdigest()[:16], fill)


def _site_packages(folder: Path) -> list[Path]:
    return sorted(folder.glob("lib/python3*/site-packages"))


def key_of(plan: Plan) -> str:
    """Return the name under which *plan* is cached: a digest over everything that decides its content."""
    content = [
        sorted(plan.requirements),
        plan.dependencies,
        plan.interpreter.full,
        str(plan.interpreter.path),
        sysconfig.get_platform(),
        platform.libc_ver() if sys.platform == "linux" else "",
    ]
    return hashlib.sha256(json.dumps(content).encode()).hexdigest()[:16]


@hookimpl
def trtmatrix_environments() -> Sequence[Environment]:
    """Register the environment of wheels."""
    return [VirtualEnvironment()]
