"""Shared libraries of a few kilobytes, compiled where a loader asks for one that is not there."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path

from harness.errors import MissingProgramError, ProgramFailedError


def compile_library(target: Path, source: str, *, symbols: str = "", otherwise: str = "") -> Path:
    """Write the shared library *target*, whose soname is its file name, and return it.

    :param source: C; :param symbols: version script of the linker, all symbols bare without one
    :param otherwise: what to do where there is no compiler, besides installing one
    :raises UnavailableError: there is no C compiler, or it refuses
    """
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None:
        raise MissingProgramError(
            f"no C compiler to make a placeholder of {target.name}; install gcc"
            + (f", or {otherwise}" if otherwise else "")
        )
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        code, script = Path(scratch) / "library.c", Path(scratch) / "library.map"
        code.write_text(source, encoding="ascii")
        script.write_text(symbols, encoding="ascii")
        command = [compiler, "-shared", "-fPIC", "-Os", "-s", "-nostdlib", "-o", str(target), str(code)]
        command += [f"-Wl,-soname,{target.name}"]
        command += [f"-Wl,--version-script={script}"] if symbols else []
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise ProgramFailedError(
            f"the C compiler refused the placeholder of {target.name}: {done.stderr.strip()[:200]}"
        )
    return target


def answering(functions: Mapping[str, int]) -> str:
    """Return the C source of functions that take nothing and return their number."""
    return "".join(f"int {name}(void) {{ return {value}; }}\n" for name, value in sorted(functions.items()))
