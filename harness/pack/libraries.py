"""Which shared libraries a folder of wheels names but does not hold, and which symbols it wants of them.

Read with ``objdump -p`` (needed libraries and version references) and ``nm -D`` (undefined symbols with their
version) of GNU binutils; formats as printed by binutils 2.30 and later.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from harness.errors import MissingProgramError, ProgramFailedError

# Libraries of the C and C++ run time and of the driver: a host with a GPU has them, a pack never brings them.
_OF_THE_HOST = re.compile(
    r"^(ld-linux.*|linux-vdso|libc|libm|libdl|librt|libpthread|libutil|libstdc\+\+|libgcc_s|libcuda|libnvidia-.*"
    r"|libz)\.so\b"
)
_NEEDED = re.compile(r"^\s+NEEDED\s+(\S+)", re.MULTILINE)
_SONAME = re.compile(r"^\s+SONAME\s+(\S+)", re.MULTILINE)
_REQUIRED_FROM = re.compile(r"^\s+required from (\S+):", re.MULTILINE)
_VERSION_NAME = re.compile(r"^\s+0x[0-9a-f]+ 0x[0-9a-f]+ \d+ (\S+)", re.MULTILINE)
_UNDEFINED = re.compile(r"^\s+[Uw] (\S+?)@{1,2}(\S+)$", re.MULTILINE)


@dataclass(frozen=True)
class Missing:
    """A library that is named and not there.

    :param soname: as the loader asks for it (``libcudnn.so.8``)
    :param symbols: version node (``libcudnn.so.8``) to the names wanted of it, sorted
    :param needed_by: file names of the libraries that ask
    """

    soname: str
    symbols: dict[str, tuple[str, ...]]
    needed_by: tuple[str, ...]


@dataclass(frozen=True)
class _Object:
    """What one shared object provides and asks for."""

    path: Path
    soname: str
    needed: tuple[str, ...]
    nodes: dict[str, tuple[str, ...]]  # library asked for -> version nodes


def shared_objects(folder: Path) -> list[Path]:
    """Return the ELF shared objects below *folder*, sorted by path."""
    found = []
    for path in sorted(folder.rglob("*.so*")):
        if path.is_file() and not path.is_symlink():
            with path.open("rb") as file:
                if file.read(4) == b"\x7fELF":
                    found.append(path)
    return found


def missing_libraries(objects: Iterable[Path]) -> list[Missing]:
    """Return the libraries that *objects* name, that are not among them and that no host brings, by soname.

    :raises UnavailableError: binutils is missing
    """
    read = [_read(path) for path in objects]
    present = {o.soname for o in read} | {o.path.name for o in read}
    asked: dict[str, list[_Object]] = {}
    for one in read:
        for soname in one.needed:
            if soname not in present and not _OF_THE_HOST.match(soname):
                asked.setdefault(soname, []).append(one)
    return [_missing(soname, askers) for soname, askers in sorted(asked.items())]


def needed(path: Path) -> tuple[str, ...]:
    """Return the sonames *path* asks for, those that every host brings left out."""
    return tuple(name for name in _read(path).needed if not _OF_THE_HOST.match(name))


def _missing(soname: str, askers: list[_Object]) -> Missing:
    wanted: dict[str, set[str]] = {}
    for one in askers:
        nodes = one.nodes.get(soname, ())
        for symbol, node in _UNDEFINED.findall(binutils("nm", "-D", "--undefined-only", one.path)):
            if node in nodes:
                wanted.setdefault(node, set()).add(symbol)
    return Missing(
        soname,
        {node: tuple(sorted(names)) for node, names in sorted(wanted.items())},
        tuple(sorted(o.path.name for o in askers)),
    )


def _read(path: Path) -> _Object:
    head = binutils("objdump", "-p", path)
    soname = _SONAME.search(head)
    # The references follow one "required from" line for each library, so the text is cut at those lines.
    pieces = _REQUIRED_FROM.split(head)
    nodes = {
        library: tuple(_VERSION_NAME.findall(body))
        for library, body in zip(pieces[1::2], pieces[2::2], strict=True)
    }
    return _Object(path, soname.group(1) if soname else path.name, tuple(_NEEDED.findall(head)), nodes)


def binutils(program: str, *arguments: str | Path) -> str:
    """Run a program of GNU binutils and return what it printed.

    :raises UnavailableError: it is not installed, or it cannot read the file
    """
    if shutil.which(program) is None:
        raise MissingProgramError(
            f"packing needs '{program}' of GNU binutils to read shared libraries; install binutils"
        )
    done = subprocess.run([program, *map(str, arguments)], capture_output=True, text=True, check=False)
    if done.returncode:
        raise ProgramFailedError(
            f"{program} cannot read {arguments[-1]}: {done.stderr.strip().splitlines()[-1:]}"
        )
    return done.stdout
