"""Unpacking on the host: each file once, checked by its SHA-256, as soon as its members have arrived."""

from __future__ import annotations

import fcntl
import hashlib
import io
import json
import os
import shutil
import tarfile
from pathlib import Path
from typing import Any

import zstandard

WINDOW_BYTES = 1 << 31
SCHEMA = "trtmatrix.pack/1"


class PackError(Exception):
    """The pack cannot be used as it lies here; the message is one line for the user."""


class Pack:
    """An archive that lies in *root*, whole or as far as it has arrived.

    :param base: the unpacked pack that this one was made on top of, whose Python and files it uses
    """

    def __init__(self, root: Path, base: Pack | None = None) -> None:
        self.root, self.base = root, base
        path = root / "pack.json"
        try:
            self.document: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise PackError(f"{path}: not the list of a pack: {error}") from None
        if self.document.get("schema") != SCHEMA:
            raise PackError(
                "{}: schema {!r}, expected {!r}".format(path, self.document.get("schema"), SCHEMA)
            )
        wanted = self.document.get("base")
        if wanted is not None and (base is None or base.document.get("id") != wanted):
            raise PackError(f"this pack goes with the pack {wanted}; name its folder with --base")
        self._prefix: tuple[tuple[str, ...], bytes] = ((), b"")

    @property
    def python(self) -> Path:
        """The program that workers are started with; its tree is two folders up."""
        if self.base is not None:
            return self.base.python
        # The program keeps its folder's name: the tree may lie anywhere.
        return self.root / "python" / "bin" / str(self.document["python"]["name"])

    def arrived(self, site: str) -> bool:
        """Say whether every member that *site* is made of is here, whole."""
        if (self.root / "sites" / site / ".complete").exists():
            return True
        return self._has(set(self.document["sites"][site]["files"].values()))

    def _has(self, digests: set[str]) -> bool:
        objects = self.document["objects"]
        mine = digests & objects.keys()
        mine |= {one for digest in mine for one in objects[digest]["from"] if one in objects}
        others = {one for digest in mine for one in objects[digest]["from"]} | digests
        others -= objects.keys()
        if others and (self.base is None or not self.base._has(others)):
            return False
        return all(self._whole(member) for member in {objects[digest]["member"] for digest in mine})

    def site(self, name: str) -> Path:
        """Return the folder of the site *name*, made from its members where it is missing.

        :raises PackError: a member is missing, torn, or not what the pack's list says
        """
        folder = self.root / "sites" / name
        if not (folder / ".complete").exists():
            whose = self.root if self.base is None else self.base.root
            with (whose / "unpack.lock").open("w") as stream:
                fcntl.flock(stream, fcntl.LOCK_EX)  # visits on several GPUs share what is unpacked
                if not (folder / ".complete").exists():
                    self._make_site(name, folder)
        return folder

    def _make_site(self, name: str, folder: Path) -> None:
        if not self.arrived(name):
            raise PackError(f"{name}: not all of its members have arrived; add the later parts")
        shutil.rmtree(folder, ignore_errors=True)
        files = self.document["sites"][name]["files"]
        for digest in sorted(set(files.values()), key=self._order):
            self.object(digest)
        for relative, digest in files.items():
            target = folder / relative
            target.parent.mkdir(parents=True, exist_ok=True)
            link(self.object(digest), target)
        (folder / ".complete").touch()

    def object(self, digest: str) -> Path:
        """Return the file with SHA-256 *digest*, unpacked where it is missing."""
        if digest not in self.document["objects"] and self.base is not None:
            return self.base.object(digest)
        target = self.root / "store" / digest
        if not target.exists():
            target.parent.mkdir(exist_ok=True)
            entry = self.document["objects"][digest]
            if entry["member"].endswith(".tar.zst"):
                self._unpack_small(entry["member"])
            else:
                self._unpack_large(digest, entry, target)
        return target

    def _unpack_small(self, member: str) -> None:
        with self._member(member).open("rb") as source:
            data = decompressor(None).decompress(source.read(), max_output_size=0)
        with tarfile.open(fileobj=io.BytesIO(data)) as archive:
            for info in archive:
                stream = archive.extractfile(info)
                if stream is None or "/" in info.name:
                    raise PackError(f"{member}: unexpected entry '{info.name}'")
                content = stream.read()
                self._check(info.name, hashlib.sha256(content).hexdigest())
                target = self.root / "store" / info.name
                temporary = target.with_suffix(".part")
                temporary.write_bytes(content)
                temporary.replace(target)

    def _unpack_large(self, digest: str, entry: dict[str, Any], target: Path) -> None:
        prefix = self._joined(tuple(entry["from"])) if entry["from"] else None
        temporary = target.with_suffix(".part")
        found = hashlib.sha256()
        with self._member(entry["member"]).open("rb") as source, temporary.open("wb") as out:
            for piece in decompressor(prefix).read_to_iter(source, write_size=1 << 22):
                found.update(piece)
                out.write(piece)
        self._check(digest, found.hexdigest())
        temporary.replace(target)

    def _joined(self, digests: tuple[str, ...]) -> bytes:
        # Neighbouring files share one prefix of a gigabyte: it is read once.
        if self._prefix[0] != digests:
            self._prefix = (digests, b"".join(self.object(one).read_bytes() for one in digests))
        return self._prefix[1]

    def _order(self, digest: str) -> tuple[int, list[str], str]:
        entry = self.document["objects"].get(digest, {"from": []})
        return len(entry["from"]), entry["from"], digest

    def _member(self, name: str) -> Path:
        if not self._whole(name):
            raise PackError(f"objects/{name}: missing or torn; bring its part again")
        return self.root / "objects" / name

    def _whole(self, name: str) -> bool:
        path = self.root / "objects" / name
        try:
            return bool(path.stat().st_size == self.document["members"]["objects/" + name])
        except FileNotFoundError:
            return False

    def _check(self, expected: str, found: str) -> None:
        if expected != found:
            raise PackError(f"SHA-256 of an unpacked file is {found[:16]}, expected {expected[:16]}")


def decompressor(prefix: bytes | None) -> zstandard.ZstdDecompressor:
    """Return a Zstandard decompressor for frames that were made with *prefix* (bytes or None) before them."""
    if prefix is None:
        return zstandard.ZstdDecompressor(max_window_size=WINDOW_BYTES)
    before = zstandard.ZstdCompressionDict(prefix, dict_type=zstandard.DICT_TYPE_RAWCONTENT)
    return zstandard.ZstdDecompressor(dict_data=before, max_window_size=WINDOW_BYTES)


def link(source: Path, target: Path) -> None:
    """Make *target* the file *source*, without its bytes twice where the file system allows."""
    try:
        os.link(source, target)
    except OSError:  # a base pack may lie on another file system
        shutil.copy2(source, target)
