"""Bringing results home: archives of whole builds, none larger than a transfer can carry."""

from __future__ import annotations

import tarfile
from collections.abc import Sequence
from pathlib import Path


def write_pieces(
    results: Path, members: Sequence[Path], extra: Sequence[Path], target: Path, size: int
) -> list[Path]:
    """Write *members*, folders below *results*, as ``.tar.xz`` of at most *size* bytes into *target*.

    Each archive can be read by itself, and holds the files *extra* too. One build that alone is larger than
    *size* gets an archive of its own, whatever its size.

    :return: the archives
    """
    target.mkdir(parents=True, exist_ok=True)
    made: list[Path] = []
    _write(results, list(members), extra, target, size, made)
    return made


def _write(
    results: Path, members: list[Path], extra: Sequence[Path], target: Path, size: int, made: list[Path]
) -> None:
    stem = extra[0].stem if extra else "results"
    path = target / f"{stem}-{len(made):02d}.tar.xz"
    with tarfile.open(str(path), "w:xz", preset=6) as archive:
        for one in [*extra, *members]:
            archive.add(str(one), arcname=str(one.relative_to(results)))
    if path.stat().st_size > size and len(members) > 1:
        path.unlink()
        half = len(members) // 2
        _write(results, members[:half], extra, target, size, made)
        _write(results, members[half:], extra, target, size, made)
    else:
        made.append(path)
