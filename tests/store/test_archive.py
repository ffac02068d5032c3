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
    assert found.parent.name.startswith("trtmatrix-"), "who finds it left over knows whose it is"


def test_an_archive_looks_back_as_far_as_xz_can(run: Path, tmp_path: Path) -> None:
    """Builds of a bundle are alike, and lie megabytes apart: the window of the usual level ends before."""
    write_archive(run, tmp_path / "run.tar.xz")
    content = (tmp_path / "run.tar.xz").read_bytes()
    filter_id, window = content[14], content[16]  # of the first block's header
    assert filter_id == 0x21
    assert (2 | window & 1) << (window // 2 + 11) == 64 << 20


def test_an_archive_without_its_usual_name_is_read_too(run: Path, tmp_path: Path) -> None:
    write_archive(run, tmp_path / "other.xz")
    found = folder_of(tmp_path / "other.xz")
    assert (found.name, (found / "manifest.json").read_text()) == ("other.xz", "{}")


def test_an_archive_is_one_whatever_it_is_called_from(
    run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_archive(run, tmp_path / "run.tar.xz")
    monkeypatch.chdir(tmp_path)
    assert folder_of(Path("run.tar.xz")) == folder_of(tmp_path / "run.tar.xz")


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


def test_an_archive_that_breaks_off_names_itself_and_leaves_nothing(
    run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_arguments: object, **_more: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(tarfile.TarFile, "add", full)
    target = tmp_path / "new" / "run.tar.xz"
    with pytest.raises(OSError, match="No space left") as caught:
        write_archive(run, target)
    assert (caught.value.filename, caught.value.filename2) == (str(target), None)
    assert list(target.parent.iterdir()) == []


def test_a_file_that_cannot_be_read_is_named_and_not_the_archive(
    run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*_arguments: object, **_more: object) -> None:
        raise PermissionError(13, "Permission denied", str(run / "manifest.json"))

    monkeypatch.setattr(tarfile.TarFile, "add", refused)
    with pytest.raises(OSError, match="Permission denied") as caught:
        write_archive(run, tmp_path / "run.tar.xz")
    assert caught.value.filename == str(run / "manifest.json")


def test_what_cannot_be_written_leaves_nothing_and_names_the_file_that_was_asked_for(
    run: Path, tmp_path: Path
) -> None:
    target = tmp_path / "run.tar.xz"
    (tmp_path / "run.tar.xz.part").mkdir()
    with pytest.raises(OSError, match="run") as caught:
        write_archive(run, target)
    assert caught.value.filename in (str(target), str(target) + ".part")
    assert not target.exists()
