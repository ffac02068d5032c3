"""Wheels made of what is installed here, so that packs are made and run for real without a package index."""

from __future__ import annotations

import zipfile
from importlib.metadata import distribution
from pathlib import Path


def wheel_of(name: str, folder: Path) -> Path:
    """Write a wheel with the files of the installed distribution *name* into *folder*."""
    found = distribution(name)
    files = [path for path in found.files or [] if ".." not in path.parts and path.suffix != ".pyc"]
    tag_line = (found.read_text("WHEEL") or "").partition("Tag: ")[2]
    path = folder / f"{name.replace('-', '_')}-{found.version}-{tag_line.splitlines()[0]}.whl"
    with zipfile.ZipFile(path, "w") as archive:
        for file in files:
            archive.write(str(file.locate()), str(file))
    return path


def composed_wheel(
    name: str, version: str, files: dict[str, bytes], folder: Path, requires: str = ""
) -> Path:
    """Write a wheel of *files* (path to content) for any Python into *folder*."""
    info = f"{name}-{version}.dist-info"
    metadata = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
    if requires:
        metadata += f"Requires-Dist: {requires}\n"
    whole = {
        **files,
        f"{info}/METADATA": metadata.encode(),
        f"{info}/WHEEL": b"Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = "".join(f"{one},,\n" for one in [*whole, f"{info}/RECORD"])
    path = folder / f"{name}-{version}-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        for one, content in whole.items():
            archive.writestr(one, content)
        archive.writestr(f"{info}/RECORD", record)
    return path
