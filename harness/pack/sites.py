"""Sites: for each version the folder of its installed wheels, made here for the host's interpreter.

``uv pip install --target`` resolves and unpacks wheels for another Python without running it. The CUDA
libraries that a version names (cuBLAS, cuDNN: gigabytes) come along where a cell's tactic sources need them;
otherwise placeholders satisfy the loader (:mod:`harness.pack.placeholders`).
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from importlib.metadata import Distribution, PathDistribution
from pathlib import Path

from packaging.requirements import Requirement

from harness.environments.indexes import uv_variables
from harness.environments.installer import last_words
from harness.environments.pythons import uv_binary
from harness.errors import InstallFailedError, MissingProgramError
from harness.pack.libraries import Missing, missing_libraries, shared_objects
from harness.pack.placeholders import compile_placeholder

PLACEHOLDERS = "placeholder-libraries"
"""Folder of a site that holds its placeholders."""

# Library of the CUDA toolkit to the stem of the distribution that brings it (stem-cu11, stem-cu12).
_BROUGHT_BY = {"libcublas": "nvidia-cublas", "libcublasLt": "nvidia-cublas", "libcudnn": "nvidia-cudnn"}
_CUDA_NAMES = sorted({f"{stem}-cu{major}" for stem in _BROUGHT_BY.values() for major in (11, 12, 13)})
_PLATFORMS = ("x86_64-manylinux_2_17", "x86_64-manylinux_2_28")
_CUDA_MAJOR = re.compile(r"^nvidia-[a-z-]+-cu(\d+)$")

Say = Callable[[str], None]


@dataclass(frozen=True)
class Wheels:
    """Where wheels come from and which Python they are for.

    :param python: major and minor version
    :param find_links: folders of wheels, looked at besides the package index
    :param offline: take wheels from *find_links* only
    """

    python: tuple[int, int]
    find_links: tuple[Path, ...] = ()
    offline: bool = False


@dataclass(frozen=True)
class Site:
    """A folder of installed wheels.

    :param placeholders: sonames that are placeholders in it
    :param packages: distribution name to version
    """

    name: str
    folder: Path
    placeholders: tuple[str, ...]
    packages: dict[str, str]

    def library_folders(self) -> list[str]:
        """Return the folders that the loader must search, relative to the site, placeholders last."""
        found = {path.parent.relative_to(self.folder).as_posix() for path in shared_objects(self.folder)}
        # Extension modules load from where Python finds them: only what is linked against has to be found.
        linked = {name for name in found if _holds_libraries(self.folder / name)}
        return sorted(linked - {PLACEHOLDERS}) + ([PLACEHOLDERS] if PLACEHOLDERS in found else [])


def make_site(
    name: str,
    requirements: Sequence[str],
    wheels: Wheels,
    folder: Path,
    *,
    real: bool,
    dependencies: bool = True,
    opened: Sequence[str] = (),
    left_out: Sequence[str] = (),
    say: Say,
) -> Site:
    """Install *requirements* into *folder* and complete the libraries they name.

    :param real: bring the real CUDA libraries instead of placeholders
    :param dependencies: False where *requirements* are complete
    :param opened: sonames that are opened and never called, which are placeholders where no wheel brings them
    :param left_out: files to leave out, as shell patterns of their paths in the site
    :raises UnavailableError: the wheels cannot be had
    """
    stated = [line for line in requirements if Requirement(line).name in _CUDA_NAMES]
    first = [line for line in requirements if line not in stated]
    say(f"{name}: installing {', '.join(first)}")
    install(first, wheels, folder, left_out=_CUDA_NAMES, dependencies=dependencies)
    missing = _missing_of_cuda(folder)
    if real and missing:
        wanted = [*stated, *cuda_requirements(missing, cuda_suffix(folder))]
        say(f"{name}: installing {', '.join(wanted)}")
        install(wanted, wheels, folder)
        missing = _missing_of_cuda(folder)
    there = {path.name for path in shared_objects(folder)}
    missing += [Missing(soname, {}, ()) for soname in opened if soname not in there]
    for library in missing:
        compile_placeholder(library, folder / PLACEHOLDERS)
    held = packages(folder)
    for path in [path for path in folder.rglob("*") if _fits(path.relative_to(folder).as_posix(), left_out)]:
        if path.is_file():
            path.unlink()
    for cache in folder.rglob("__pycache__"):
        shutil.rmtree(cache)
    return Site(name, folder, tuple(m.soname for m in missing), held)


def _fits(name: str, patterns: Sequence[str]) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in patterns)


def _missing_of_cuda(folder: Path) -> list[Missing]:
    # A placeholder comes before the host's own libraries: only for those that hosts do not have.
    found = missing_libraries(shared_objects(folder))
    return [library for library in found if library.soname.partition(".so")[0] in _BROUGHT_BY]


def install(
    requirements: Sequence[str],
    wheels: Wheels,
    folder: Path,
    *,
    left_out: Sequence[str] = (),
    dependencies: bool = True,
) -> None:
    """Install *requirements* for ``wheels.python`` into *folder* without the distributions *left_out*.

    :raises UnavailableError: uv is missing, or there is no wheel for any platform tag tried
    """
    uv = uv_binary()
    if uv is None:
        raise MissingProgramError("packing needs the program 'uv'; install it (pip install uv)")
    command = [uv, "pip", "install", "--quiet", "--target", str(folder), "--only-binary", ":all:"]
    command += ["--python-version", f"{wheels.python[0]}.{wheels.python[1]}", "--link-mode", "copy"]
    for place in wheels.find_links:
        command += ["--find-links", str(place)]
    command += ["--no-index"] if wheels.offline else []
    command += [] if dependencies else ["--no-deps"]
    with tempfile.TemporaryDirectory() as scratch:
        if left_out:
            overrides = Path(scratch) / "overrides.txt"
            # An override whose marker is never true takes a distribution out of the resolution.
            lines = [f"{name}; sys_platform == 'none of ours'\n" for name in left_out]
            overrides.write_text("".join(lines), encoding="utf-8")
            command += ["--override", str(overrides)]
        problem = ""
        for platform in _PLATFORMS:
            done = subprocess.run(
                [*command, "--python-platform", platform, *requirements],
                capture_output=True,
                text=True,
                check=False,
                env={**os.environ, **uv_variables()},
            )
            if done.returncode == 0:
                return
            problem = last_words(done.stderr)
    raise InstallFailedError(f"no wheels of {', '.join(requirements)} for Python {wheels.python[0]}."
                           f"{wheels.python[1]} on Linux x86_64: {problem}")  # fmt: skip


def packages(folder: Path) -> dict[str, str]:
    """Return name and version of the distributions installed in *folder*."""
    return {d.metadata["Name"]: d.version for d in _distributions(folder)}


def cuda_suffix(folder: Path) -> str:
    """Return ``cu11`` or ``cu12``: what the distributions in *folder* call their CUDA dependencies.

    :raises UnavailableError: they name none
    """
    for distribution in _distributions(folder):
        for line in distribution.requires or []:
            if found := _CUDA_MAJOR.match(Requirement(line).name):
                return f"cu{found.group(1)}"
    raise InstallFailedError(
        f"no distribution in {folder.name} says which CUDA it is for; use placeholder libraries"
    )


def cuda_requirements(missing: Sequence[Missing], suffix: str) -> list[str]:
    """Return requirements that bring the *missing* libraries: ``nvidia-cudnn-cu11>=8,<9`` for libcudnn.so.8.

    The wheel of TensorRT 8.6.0 asks for any ``nvidia-cudnn-cu12``, and the newest is one major release too
    new for it: the soname is what decides.
    """
    wanted = set()
    for library in missing:
        stem, _, major = library.soname.partition(".so.")
        if stem in _BROUGHT_BY and major.isdigit():
            wanted.add(f"{_BROUGHT_BY[stem]}-{suffix}>={major},<{int(major) + 1}")
    return sorted(wanted)


def _holds_libraries(folder: Path) -> bool:
    return any(re.match(r"^lib.*\.so(\.|$)", path.name) for path in folder.iterdir())


def _distributions(folder: Path) -> list[Distribution]:
    return [PathDistribution(path) for path in sorted(folder.glob("*.dist-info"))]
