"""Bringing results home: archives of whole builds, none larger than a transfer can carry."""

from __future__ import annotations

import tarfile
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO

import zstandard

LEVEL = 9
"""Level of Zstandard for results: mostly text, which it shrinks to a tenth."""


def write_pieces(
    results: Path, members: Sequence[Path], extra: Sequence[Path], target: Path, size: int, first: int = 0
) -> list[Path]:
    """Write *members*, folders below *results*, as ``.tar.zst`` of at most *size* bytes into *target*.

    Each archive can be read by itself, and holds the files *extra* too. One build that alone is larger than
    *size* gets an archive of its own, whatever its size. An archive appears under its name when it is whole.

    :param first: number of the first archive
    :return: the archives
    """
    target.mkdir(parents=True, exist_ok=True)
    made: list[Path] = []
    _write(results, list(members), extra, target, size, made, first)
    return made


def _write(
    results: Path,
    members: list[Path],
    extra: Sequence[Path],
    target: Path,
    size: int,
    made: list[Path],
    first: int,
) -> None:
    stem = extra[0].stem if extra else "results"
    path = target / f"{stem}-{first + len(made):02d}.tar.zst"
    part = path.with_suffix(".part")
    # All processors: time on a GPU host is dear, and the archives are made within it.
    compressor = zstandard.ZstdCompressor(level=LEVEL, threads=-1)
    with part.open("wb") as out, compressor.stream_writer(out) as stream:
        _fill(stream, results, [*extra, *members])
    if part.stat().st_size > size and len(members) > 1:
        part.unlink()
        half = len(members) // 2
        _write(results, members[:half], extra, target, size, made, first)
        _write(results, members[half:], extra, target, size, made, first)
    else:
        part.replace(path)
        made.append(path)


def _fill(stream: BinaryIO, results: Path, members: Sequence[Path]) -> None:
    with tarfile.open(fileobj=stream, mode="w|") as archive:
        for one in members:
            archive.add(str(one), arcname=str(one.relative_to(results)))
