"""What tests of visits look at: start one, read what it left."""

from __future__ import annotations

import json
import tarfile
from pathlib import Path
from typing import Any

import zstandard

from harness.pack.host.__main__ import main

CELLS: dict[str, dict[str, Any]] = {
    f"{subject}-{version}": {"subject": subject} for subject in ("v2", "v1") for version in ("8.5", "8.6")
}


def outcomes(results: Path) -> dict[tuple[str, str], dict[str, Any]]:
    """Return the outcomes of all builds, by cell and round."""
    return {
        (path.parent.parent.name, path.parent.name): json.loads(path.read_text())
        for path in results.glob("*/builds/*/*/outcome.json")
    }


def visits(results: Path) -> list[dict[str, Any]]:
    """Return the records of all visits."""
    return [json.loads(path.read_text()) for path in sorted(results.glob("*/visit-*.json"))]


def start(root: Path, results: Path, *more: str) -> int:
    """Start a visit to the pack in *root*; return its exit status."""
    return main(["--pack", str(root), "--results", str(results), *more])


def read(piece: Path) -> dict[str, bytes]:
    """Return the files of an archive by name."""
    with (
        piece.open("rb") as source,
        tarfile.open(fileobj=zstandard.ZstdDecompressor().stream_reader(source), mode="r|") as archive,
    ):
        opened = ((info.name, archive.extractfile(info)) for info in archive)
        return {name: stream.read() for name, stream in opened if stream is not None}
