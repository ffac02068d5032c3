"""A base image made from an interpreter of this machine: standard library and shared libraries.

No registry is asked. What a wheel may expect of the system beside the C library (PEP 599 lists it) comes
along where this machine has it.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import re
import shutil
import subprocess
import tarfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from harness.environments.docker import loader_cache
from harness.environments.docker.labels import CONTENT, KIND, PYTHON, REPOSITORY
from harness.environments.pythons import Interpreter
from harness.errors import BaseImageError, BrokenPythonError

PREFIX = "/usr/local"
# Of the standard library: what no worker needs, and what belongs to the interpreter's own users.
_LEFT_OUT = frozenset(
    {
        "test",
        "tests",
        "idlelib",
        "tkinter",
        "turtledemo",
        "ensurepip",
        "site-packages",
        "__pycache__",
        "lib2to3",
    }
)
# Libraries that wheels may take from the system (PEP 599); those that end in a version only, so that glibc's
# separate parts of old releases come along where they are separate.
_EXPECTED = ("libstdc++.so.6", "libgcc_s.so.1", "libm.so.6", "libdl.so.2", "librt.so.1", "libpthread.so.0")
_MORE = ("libutil.so.1", "libz.so.1", "libnsl.so.1", "libresolv.so.2", "libcrypt.so.1")
_LDD = re.compile(r"^\s*(?P<name>\S+) => (?P<path>/\S+) \(0x", re.MULTILINE)
_LOADER = re.compile(r"^\s*(?P<path>/\S*ld[-\w.]*\.so\S*) \(0x", re.MULTILINE)
_FORMAT = "3"  # changes whenever the content made of the same interpreter does


@dataclass(frozen=True)
class Member:
    """One file of the image: where it lies there, and where it comes from."""

    target: str
    source: Path


@dataclass(frozen=True)
class Tree:
    """What a base image is made of: :param digest: over names, sizes and times of all members"""

    interpreter: Interpreter
    members: tuple[Member, ...]
    digest: str

    @property
    def tag(self) -> str:
        """Name of the image."""
        return f"{REPOSITORY}/base-python{self.interpreter.full}:{self.digest[:12]}"

    @property
    def changes(self) -> list[str]:
        """Dockerfile instructions for the import, labels included."""
        labels = {KIND: "base", CONTENT: self.digest, PYTHON: self.interpreter.full}
        return [
            f"ENV PATH={PREFIX}/bin:/usr/bin:/bin",
            f'CMD ["{PREFIX}/bin/python3"]',
            *(f"LABEL {key}={json.dumps(value)}" for key, value in labels.items()),
        ]


def collect(interpreter: Interpreter) -> Tree:
    """Return the tree of *interpreter*: program, standard library, shared libraries.

    :raises UnavailableError: it cannot be read, or its libraries cannot be listed (no ldd)
    """
    prefix, library, dynamic = _ask(interpreter)
    name = f"python{interpreter.release[0]}.{interpreter.release[1]}"
    program = prefix / "bin" / name
    program = program if program.exists() else interpreter.path
    members = [Member(f"{PREFIX}/bin/{name}", program.resolve())]
    members += [Member(f"{PREFIX}/lib/{name}/{rel}", path) for rel, path in _files(library)]
    if library not in dynamic.parents:  # Debian and Fedora keep compiled modules elsewhere
        members += [Member(f"{PREFIX}/lib/{name}/lib-dynload/{rel}", path) for rel, path in _files(dynamic)]
    compiled = [m.source for m in members if ".so" in m.source.name]
    shell = [Path(found)] if (found := shutil.which("sh")) else []  # for a template's own RUN lines
    members += [Member("/bin/sh", path.resolve()) for path in shell]
    members += _libraries([program, *shell, *compiled])
    unique = {member.target: member for member in members}
    digest = hashlib.sha256(_FORMAT.encode())
    for target, member in sorted(unique.items()):
        status = member.source.stat()
        digest.update(f"{target} {status.st_size} {status.st_mtime_ns}\n".encode())
    return Tree(interpreter, tuple(unique.values()), digest.hexdigest())


def write_archive(tree: Tree, file: Path) -> None:
    """Write the root file system of *tree* as the tar archive *file*."""
    name = f"python{tree.interpreter.release[0]}.{tree.interpreter.release[1]}"
    with tarfile.open(file, mode="w", format=tarfile.GNU_FORMAT) as tar:
        for folder, mode in (
            ("tmp", 0o1777),
            ("root", 0o700),
            ("etc", 0o755),
            ("proc", 0o755),
            ("dev", 0o755),
        ):
            _folder(tar, folder, mode)
        for member in tree.members:
            _file(tar, member)
        for link in ("python3", "python"):
            entry = tarfile.TarInfo(f"{PREFIX}/bin/{link}".lstrip("/"))
            entry.type, entry.linkname = tarfile.SYMTYPE, name
            tar.addfile(entry)
        _text(tar, "etc/passwd", "root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\n")
        _text(tar, "etc/group", "root:x:0:\nnogroup:x:65534:\n")


def _ask(interpreter: Interpreter) -> tuple[Path, Path, Path]:
    code = (
        "import json, sys, sysconfig as s; print(json.dumps([sys.base_prefix, s.get_path('stdlib'), "
        "s.get_config_var('DESTSHARED') or s.get_path('platstdlib') + '/lib-dynload']))"
    )
    try:
        answer = subprocess.run(
            [str(interpreter.path), "-I", "-c", code], capture_output=True, text=True, timeout=30, check=True
        )
        prefix, library, dynamic = (Path(p) for p in json.loads(answer.stdout))
    except (OSError, subprocess.SubprocessError, ValueError) as error:
        raise BrokenPythonError(f"the Python at {interpreter.path} does not run: {error}") from error
    return prefix, library, dynamic


def _files(folder: Path) -> Iterator[tuple[str, Path]]:
    for root, names, files in os.walk(folder):
        names[:] = sorted(n for n in names if n not in _LEFT_OUT and not n.startswith("config-"))
        for name in sorted(files):
            path = Path(root) / name
            # Static libraries and object files are for those who build Python.
            if path.suffix not in (".a", ".o", ".pyc") and path.is_file():
                yield path.relative_to(folder).as_posix(), path


def _libraries(programs: Iterable[Path]) -> list[Member]:
    listed = _ldd([str(path) for path in programs])
    found = {match["name"]: Path(match["path"]) for match in _LDD.finditer(listed)}
    if "libc.so.6" not in found:
        raise BaseImageError(
            "a base image cannot be made of this Python: its libraries are not those of glibc; name a base "
            "image in TRTMATRIX_DOCKER_BASE"
        )
    known = loader_cache.read()
    for name in (*_EXPECTED, *_MORE):
        if name in known:
            found.setdefault(name, known[name])
    # The loader searches the folder of the C library without being told to.
    home = found["libc.so.6"].parent
    loaders = {match["path"] for match in _LOADER.finditer(listed)}
    extra = [Path(found_path) for found_path in found.values()]
    more = {m["name"]: Path(m["path"]) for m in _LDD.finditer(_ldd([str(path) for path in extra]))}
    return [
        *(Member(f"{home}/{name}", path.resolve()) for name, path in {**more, **found}.items()),
        *(Member(path, Path(path).resolve()) for path in sorted(loaders)),
    ]


def _ldd(paths: list[str]) -> str:
    try:
        answer = subprocess.run(["ldd", *paths], capture_output=True, text=True, timeout=120)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise BaseImageError(
            f"a base image needs ldd to list libraries: {error}; name a base image in TRTMATRIX_DOCKER_BASE"
        ) from error
    return answer.stdout


def _folder(tar: tarfile.TarFile, name: str, mode: int) -> None:
    entry = tarfile.TarInfo(name)
    entry.type, entry.mode = tarfile.DIRTYPE, mode
    tar.addfile(entry)


def _file(tar: tarfile.TarFile, member: Member) -> None:
    entry = tarfile.TarInfo(member.target.lstrip("/"))
    status = member.source.stat()
    entry.size, entry.mtime = status.st_size, int(status.st_mtime)
    entry.mode = 0o755 if status.st_mode & 0o111 or ".so" in member.source.name else 0o644
    with member.source.open("rb") as source:
        tar.addfile(entry, source)


def _text(tar: tarfile.TarFile, name: str, content: str) -> None:
    data = content.encode()
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode = len(data), 0o644
    tar.addfile(entry, io.BytesIO(data))
