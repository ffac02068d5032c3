"""Bundles as archives: what lies in the folder comes back, and the same files give the same bytes."""

from __future__ import annotations

import os
import tarfile
from pathlib import Path

import pytest

from harness.errors import DamagedBundleError
from harness.store.archive import folder_of, write_archive


@pytest.fixture
def run(tmp_path: Path) -> Path:
    folder = tmp_path / "run"
    (folder / "builds" / "a").mkdir(parents=True)
    (folder / "manifest.json").write_text("{}", encoding="utf-8")
    (folder / "builds" / "a" / "samples").write_bytes(bytes(range(256)) * 9)
    (folder / "empty").mkdir()
    return folder


def test_what_is_archived_comes_back(run: Path, tmp_path: Path) -> None:
    target = tmp_path / "new" / "folder" / "run.tar.xz"
    write_archive(run, target)
    found = folder_of(target)
    assert found.name == "run"
    assert {path.relative_to(found): path.read_bytes() for path in found.rglob("*") if path.is_file()} == {
        path.relative_to(run): path.read_bytes() for path in run.rglob("*") if path.is_file()
    }
    assert folder_of(target) == found, "unpacked once"
    assert folder_of(run) == run
    assert [path.name for path in target.parent.iterdir()] == ["run.tar.xz"]


def test_the_same_files_give_the_same_bytes_whoever_has_them(run: Path, tmp_path: Path) -> None:
    write_archive(run, tmp_path / "one.tar.xz")
    for path in run.rglob("*"):
        path.chmod(0o700)
        os.utime(path, (1, 1))
    write_archive(run, tmp_path / "two.tar.xz")
    assert (tmp_path / "one.tar.xz").read_bytes() == (tmp_path / "two.tar.xz").read_bytes()
    with tarfile.open(tmp_path / "one.tar.xz") as archive:
        members = archive.getmembers()
    assert [one.name for one in members] == ["builds/a/samples", "manifest.json"]
    assert {(one.mtime, one.uid, one.gid, one.uname, one.gname, one.mode) for one in members} == {
        (0, 0, 0, "", "", 0o644)
    }


def test_a_file_that_is_no_archive_is_named(tmp_path: Path) -> None:
    for name, content in (("text.tar.xz", b"no archive"), ("short.tar.xz", b"\xfd7zXZ\x00\x00\x04")):
        path = tmp_path / name
        path.write_bytes(content)
        with pytest.raises(DamagedBundleError, match=r"not an archive of a bundle \(\.tar\.xz\)") as caught:
            folder_of(path)
        assert caught.value.path == str(path)


def test_an_archive_that_would_write_elsewhere_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "bad.tar.xz"
    with tarfile.open(path, "w:xz") as archive:
        archive.addfile(tarfile.TarInfo("../outside"))
    with pytest.raises(DamagedBundleError):
        folder_of(path)


def test_what_cannot_be_written_leaves_nothing_and_names_the_file_that_was_asked_for(
    run: Path, tmp_path: Path
) -> None:
    target = tmp_path / "run.tar.xz"
    (tmp_path / "run.tar.xz.part").mkdir()
    with pytest.raises(OSError, match="run") as caught:
        write_archive(run, target)
    assert caught.value.filename in (str(target), str(target) + ".part")
    assert not target.exists()
