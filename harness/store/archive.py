"""Bundles as archives of one file (``.tar.xz``): published, and read as their folders are."""

from __future__ import annotations

import lzma
import tarfile
import tempfile
from functools import cache
from pathlib import Path

from harness.errors import DamagedBundleError

SUFFIX = ".tar.xz"


def write_archive(folder: Path, target: Path) -> None:
    """Write the files below *folder* as *target*; the same files give the same bytes.

    :raises OSError: it cannot be written
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(target.name + ".part")
    try:
        with (
            lzma.open(part, "wb", preset=9 | lzma.PRESET_EXTREME) as out,
            tarfile.open(fileobj=out, mode="w") as archive,
        ):
            for path in sorted(path for path in folder.rglob("*") if path.is_file()):
                archive.add(str(path), arcname=path.relative_to(folder).as_posix(), filter=_bare)
        part.replace(target)
    except OSError as error:
        if error.filename in (str(part), None):
            error.filename, error.filename2 = str(target), None
        raise
    finally:
        part.unlink(missing_ok=True)


def _bare(info: tarfile.TarInfo) -> tarfile.TarInfo:
    """Return *info* without owner and times."""
    info.mtime, info.uid, info.gid, info.uname, info.gname, info.mode = 0, 0, 0, "", "", 0o644
    return info


def folder_of(path: Path) -> Path:
    """Return the folder of a bundle: *path* itself, or where the archive that it is was unpacked.

    What was unpacked goes when the process ends.

    :raises InputError: it is no archive of a bundle
    """
    return _unpacked(path.resolve()) if path.is_file() else path


@cache
def _unpacked(path: Path) -> Path:
    scratch = tempfile.TemporaryDirectory(prefix="trtmatrix-")
    _KEPT.append(scratch)
    folder = Path(scratch.name) / path.name.removesuffix(SUFFIX)
    try:
        with tarfile.open(path, mode="r:xz") as archive:
            # `data`: no links out of the folder, no devices, no absolute names.
            archive.extractall(folder, filter="data")
    except (tarfile.TarError, lzma.LZMAError, EOFError) as error:
        raise DamagedBundleError(path, f"not an archive of a bundle ({SUFFIX}): {error}") from None
    return folder


_KEPT: list[tempfile.TemporaryDirectory[str]] = []
"""A folder goes with its object, at the latest when the process ends."""
