"""A Python that moves: the tree of a CPython of this machine, cut to what a worker needs.

The tree starts anywhere with ``PYTHONHOME=<tree>`` and ``LD_LIBRARY_PATH=<tree>/lib``. Libraries that its
extension modules load and that no host is sure to have (libffi, liblzma, libssl ...) come along in ``lib``.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from harness.environments.pythons import find_python
from harness.errors import BadOptionError, PackPythonError
from harness.pack.libraries import needed, shared_objects

OLDEST = (3, 8)
"""Oldest Python that the pack's own part on the host runs on."""

# Nothing a worker imports, and more than half of the tree.
_LEFT_OUT = {
    "test", "tests", "idlelib", "tkinter", "turtledemo", "ensurepip", "lib2to3", "site-packages",
    "__pycache__", "pydoc_data",
}  # fmt: skip
_LEFT_OUT_FILES = re.compile(
    r"^(_tkinter|_test|_ctypes_test|xxlimited|turtle\.py|nis\.|readline\.|_curses|_dbm|_gdbm)"
)

_ASK = """
import json, platform, sys, sysconfig
print(json.dumps({"version": list(sys.version_info[:3]), "prefix": sys.base_prefix,
  "stdlib": sysconfig.get_path("stdlib"), "libdir": sysconfig.get_config_var("LIBDIR"),
  "library": sysconfig.get_config_var("INSTSONAME"),
  "shared": bool(sysconfig.get_config_var("Py_ENABLE_SHARED")),
  "machine": platform.machine(), "glibc": platform.libc_ver()[1]}))
"""


@dataclass(frozen=True)
class Interpreter:
    """A CPython of this machine.

    :param executable: the real program, no shim
    :param version: major, minor, micro
    :param glibc: release of the C library it was run with; the GPU host needs this one or a later one
    """

    executable: Path
    version: tuple[int, int, int]
    stdlib: Path
    library: Path | None
    machine: str
    glibc: str

    @property
    def minor(self) -> tuple[int, int]:
        """Major and minor version, as wheels are named by."""
        return self.version[:2]

    @property
    def name(self) -> str:
        """``python3.9``."""
        return f"python{self.version[0]}.{self.version[1]}"


def ask(executable: str | Path) -> Interpreter | None:
    """Ask *executable* what it is; None where it does not run or is no CPython with a standard library."""
    try:
        done = subprocess.run(
            [str(executable), "-I", "-c", _ASK], capture_output=True, text=True, timeout=20, check=True
        )
        facts = json.loads(done.stdout)
    except (OSError, subprocess.SubprocessError, ValueError):
        return None
    major, minor, micro = facts["version"]
    # The program may be a shim or a venv's link: the tree is the one of the base prefix.
    program = Path(facts["prefix"]) / "bin" / f"python{major}.{minor}"
    library = Path(facts["libdir"]) / facts["library"] if facts["shared"] else None
    if not program.exists() or (library is not None and not library.exists()):
        return None
    return Interpreter(
        program, (major, minor, micro), Path(facts["stdlib"]), library, facts["machine"], facts["glibc"]
    )


def choose(ranges: Sequence[tuple[tuple[int, int], tuple[int, int]]], wanted: Path | None) -> Interpreter:
    """Return one interpreter that lies in every range (lowest and highest version).

    :param wanted: the user's own choice, taken if it fits
    :raises UsageError: *wanted* does not run or does not fit
    :raises UnavailableError: none of this machine fits
    """
    lowest, highest = max([OLDEST, *(r[0] for r in ranges)]), min(r[1] for r in ranges)
    span = f"Python {lowest[0]}.{lowest[1]} to {highest[0]}.{highest[1]}"
    if lowest > highest:
        raise PackPythonError(
            "no single Python has wheels of all these versions; make one pack for each group"
        )
    if wanted is not None:
        one = ask(wanted)
        if one is None or not lowest <= one.minor <= highest:
            raise BadOptionError(f"{wanted} cannot be packed: these versions need {span}")
        return one
    found = find_python((lowest, highest))
    answer = ask(found.path) if found is not None else None
    if answer is None:
        raise PackPythonError(
            f"no {span} on this machine; install one (uv python install) or name it with --python"
        )
    return answer


def copy_tree(python: Interpreter, target: Path) -> None:
    """Write the movable tree of *python* into *target* (created), with the libraries its modules load."""
    library = target / "lib"
    (target / "bin").mkdir(parents=True)
    shutil.copy2(python.executable, target / "bin" / python.name)
    shutil.copytree(python.stdlib, library / python.name, ignore=_ignored, symlinks=False)
    (library / python.name / "site-packages").mkdir()
    if python.library is not None:
        shutil.copy2(python.library, library / python.library.name)
    _bring_libraries(python, target)


def _ignored(folder: str, names: list[str]) -> set[str]:
    out = {name for name in names if name in _LEFT_OUT or _LEFT_OUT_FILES.match(name)}
    if Path(folder).name.startswith("python"):
        out |= {name for name in names if name.startswith("config-")}
    return out


def _bring_libraries(python: Interpreter, target: Path) -> None:
    """Copy what the modules load, and what those load in turn, from where this machine's loader finds it."""
    for module in [python.executable, *shared_objects(python.stdlib / "lib-dynload")]:
        if _LEFT_OUT_FILES.match(module.name) or not needed(module):
            continue
        for line in subprocess.run(
            ["ldd", str(module)], capture_output=True, text=True, check=True
        ).stdout.splitlines():
            found = re.match(r"\s*(\S+) => (/\S+)", line)
            if found and _moves(found[1]) and not (target / "lib" / found[1]).exists():
                shutil.copy2(Path(found[2]).resolve(), target / "lib" / found[1])


def _moves(soname: str) -> bool:
    # glibc belongs to the host's loader: a foreign libc beside it crashes every program.
    return not re.match(
        r"^(libc|libm|libdl|librt|libpthread|libutil|libresolv|libnsl|libcrypt|ld-linux.*)\.so\b", soname
    )
