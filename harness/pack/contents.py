"""The contents of a pack: every file once, large ones as differences to those of the first version.

A pack keeps files by SHA-256. A file of 1 MiB or more is a member of its own, compressed by Zstandard
(RFC 8878); where an earlier version of the same runtime was stored, it is compressed with that version's
large files as prefix (``zstd --patch-from``), which leaves of a neighbouring release a few per cent. Small
files of a site share one compressed tar.
"""

from __future__ import annotations

import hashlib
import io
import shutil
import subprocess
import tarfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import zstandard

from harness.errors import MissingProgramError, ProgramFailedError
from harness.store.documents.plan import PackObject

LARGE_BYTES = 1 << 20
WINDOW_LOG = 31
"""2 GiB: a prefix and the file after it must fit (largest window of Zstandard)."""


@dataclass
class Contents:
    """What has been stored so far, in *folder* (the root of the archive).

    :param level: Zstandard level, 1 to 19
    :param differences: whether later versions are stored as differences
    :param difference_bytes: smallest file that is; below it, reading the prefix costs more than it saves
    :param known: SHA-256 of the files that another pack on the host holds, which are not stored again
    """

    folder: Path
    level: int = 12
    differences: bool = True
    difference_bytes: int = 16 << 20
    known: frozenset[str] = frozenset()
    members: list[str] = field(default_factory=list)
    objects: dict[str, PackObject] = field(default_factory=dict)

    def add_site(self, name: str, folder: Path, base: Prefix | None) -> dict[str, str]:
        """Store the files below *folder*; return relative path to SHA-256.

        :param base: large files of an earlier version, None for the first
        """
        files = {
            path.relative_to(folder).as_posix(): path for path in sorted(folder.rglob("*")) if path.is_file()
        }
        digests = {name: sha256(path) for name, path in files.items()}
        stored = self.objects.keys() | self.known
        new = {digests[name]: path for name, path in files.items() if digests[name] not in stored}
        small = {digest: path for digest, path in new.items() if path.stat().st_size < LARGE_BYTES}
        if small:
            self._store_small(f"{name}.tar.zst", small)
        for digest, path in new.items():
            if digest not in small:
                near = self.differences and not of_cuda(path.relative_to(folder))
                self._store_large(name, digest, path, base if near else None)
        return digests

    def _store_small(self, member: str, files: dict[str, Path]) -> None:
        buffer = io.BytesIO()
        with tarfile.open(fileobj=buffer, mode="w") as archive:
            for digest, path in files.items():
                archive.add(path, arcname=digest, recursive=False, filter=_plain)
        target = self._member(member)
        target.write_bytes(zstandard.ZstdCompressor(level=self.level, threads=-1).compress(buffer.getvalue()))
        for digest, path in files.items():
            self.objects[digest] = PackObject(bytes=path.stat().st_size, member=member)

    def _store_large(self, site: str, digest: str, path: Path, base: Prefix | None) -> None:
        member = f"{site}-{digest[:16]}.zst"
        target = self._member(member)
        size = path.stat().st_size
        fits = base is not None and self.difference_bytes <= size < (1 << WINDOW_LOG) - base.bytes
        prefix = base if fits else None
        compress(path, target, self.level, prefix.path if prefix else None)
        digests = prefix.digests if prefix else ()
        self.objects[digest] = PackObject(bytes=size, member=member, prefix=digests)

    def _member(self, name: str) -> Path:
        self.members.append(f"objects/{name}")
        target = self.folder / "objects" / name
        target.parent.mkdir(parents=True, exist_ok=True)
        return target


@dataclass(frozen=True)
class Prefix:
    """The large files of one site joined in the order of *digests*, in a scratch file."""

    path: Path
    digests: tuple[str, ...]
    bytes: int

    @classmethod
    def join(cls, files: Sequence[tuple[str, Path]], target: Path) -> Prefix:
        """Join *files* (SHA-256 and path) into *target*, the largest first."""
        ordered = sorted(files, key=lambda item: (-item[1].stat().st_size, item[0]))
        with target.open("wb") as out:
            for _, path in ordered:
                with path.open("rb") as source:
                    shutil.copyfileobj(source, out, 1 << 22)
        return cls(target, tuple(digest for digest, _ in ordered), target.stat().st_size)


def of_cuda(relative: Path) -> bool:
    """Say whether a file of a site belongs to the CUDA libraries, which NVIDIA's wheels put below ``nvidia``.

    Neighbouring releases share them whole, and those of two CUDA releases have little in common: as a
    prefix they would only fill the window.
    """
    return relative.parts[0] == "nvidia"


def compress(source: Path, target: Path, level: int, prefix: Path | None) -> None:
    """Compress *source* into one Zstandard frame, with *prefix* as the bytes before it where given.

    :raises UnavailableError: a prefix is given and the program zstd is missing or fails
    """
    if prefix is None:
        parameters = zstandard.ZstdCompressionParameters.from_level(
            level, window_log=27, enable_ldm=True, threads=-1
        )
        with source.open("rb") as data, target.open("wb") as out:
            zstandard.ZstdCompressor(compression_params=parameters).copy_stream(
                data, out, size=source.stat().st_size
            )
        return
    # Python's binding makes a dictionary of a prefix, which finds matches near its end only.
    program = require_zstd()
    command = [program, "-q", "-f", f"-{min(level, 9)}", f"--long={WINDOW_LOG}", f"--patch-from={prefix}"]
    done = subprocess.run(
        [*command, str(source), "-o", str(target)], capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise ProgramFailedError(
            f"zstd cannot store {source.name} as a difference: {done.stderr.strip()[:200]}"
        )


def require_zstd() -> str:
    """Return the program zstd.

    :raises UnavailableError: it is not installed
    """
    program = shutil.which("zstd")
    if program is None:
        raise MissingProgramError(
            "storing versions as differences needs the program 'zstd' (1.4.5 or later); install it, or store "
            "each version whole with --whole"
        )
    return program


def sha256(path: Path) -> str:
    """Return the SHA-256 of a file as hexadecimal digits."""
    with path.open("rb") as data:
        return hashlib.file_digest(data, "sha256").hexdigest()


def _plain(info: tarfile.TarInfo) -> tarfile.TarInfo:
    # Owner and time of this machine are nobody's business and would change the pack from run to run.
    info.uid = info.gid = info.mtime = 0
    info.uname = info.gname = ""
    info.mode = 0o644
    return info
