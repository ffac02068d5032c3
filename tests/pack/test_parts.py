"""Parts: joined by cat they are the archive again, and their checksums are those of sha256sum."""

import io
import subprocess
import tarfile
from pathlib import Path

import pytest

from harness.errors import UsageError
from harness.pack.parts import ARCHIVE, CHECKSUMS, part_bytes, write_parts


@pytest.mark.parametrize(
    ("text", "size"),
    [("60M", 60_000_000), ("1G", 10**9), ("2500K", 2_500_000), ("5000000", 5_000_000), ("60MB", 60_000_000)],
)
def test_sizes_are_decimal(text: str, size: int) -> None:
    assert part_bytes(text) == size


@pytest.mark.parametrize("text", ["", "sixty", "60T", "-1M", "999K", "0.5M"])
def test_a_size_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="such as 60M"):
        part_bytes(text)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "root"
    (folder / "objects").mkdir(parents=True)
    (folder / "start.sh").write_text("#!/bin/sh\n")
    (folder / "start.sh").chmod(0o755)
    (folder / "objects" / "a.zst").write_bytes(bytes(range(256)) * 10_000)
    return folder


def test_parts_joined_are_the_archive(root: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    parts = write_parts(root, ["start.sh", "objects/a.zst"], out, 1_000_000)
    assert [p.name for p in parts] == [f"{ARCHIVE}.part{i:03d}" for i in range(3)]
    assert [p.stat().st_size for p in parts[:2]] == [1_000_000] * 2
    joined = b"".join(p.read_bytes() for p in parts)
    with tarfile.open(fileobj=io.BytesIO(joined)) as archive:
        assert archive.getnames() == [f"{ARCHIVE}/start.sh", f"{ARCHIVE}/objects/a.zst"]
        assert archive.getmember(f"{ARCHIVE}/start.sh").mode & 0o111
        stored = archive.extractfile(f"{ARCHIVE}/objects/a.zst")
        assert stored is not None
        assert stored.read() == (root / "objects/a.zst").read_bytes()
        assert {(m.uid, m.uname, m.mtime) for m in archive} == {(0, "", 0)}


def test_the_checksums_are_those_of_sha256sum(root: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    write_parts(root, ["start.sh", "objects/a.zst"], out, 1_000_000)
    done = subprocess.run(
        ["sha256sum", "-c", CHECKSUMS], cwd=out, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.count(": OK") == 3
