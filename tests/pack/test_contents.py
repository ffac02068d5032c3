"""Contents of a pack: stored once, as differences where that saves, and unpacked bit for bit."""

import random
import shutil
from pathlib import Path

import pytest

from harness.errors import UnavailableError
from harness.pack.contents import Contents, Prefix, sha256
from harness.pack.host.unpack import Pack, PackError
from tests.pack.pack_composed import write_list

needs_zstd = pytest.mark.skipif(shutil.which("zstd") is None, reason="needs the program zstd")


def _site(folder: Path, large: bytes, small: str) -> Path:
    (folder / "lib").mkdir(parents=True)
    (folder / "lib" / "libbig.so.8").write_bytes(large)
    (folder / "package.py").write_text(small)
    (folder / "same.py").write_text("the same in all versions")
    return folder


@pytest.fixture
def two_versions(tmp_path: Path) -> tuple[Path, Path]:
    """Two sites whose large file of 3 MiB differs in a few bytes."""
    noise = random.Random(1).randbytes(3 << 20)
    changed = noise[:1000] + b"changed" + noise[1000:]
    return _site(tmp_path / "v1", noise, "one"), _site(tmp_path / "v2", changed, "two")


def _store(root: Path, sites: tuple[Path, Path], *, differences: bool) -> Contents:
    contents = Contents(root, level=3, differences=differences, difference_bytes=1 << 20)
    listed = {"v1": contents.add_site("v1", sites[0], None)}
    big = sites[0] / "lib" / "libbig.so.8"
    base = Prefix.join([(sha256(big), big)], root / "prefix")
    listed["v2"] = contents.add_site("v2", sites[1], base)
    (root / "prefix").unlink()
    write_list(root, contents, listed)
    return contents


def _assert_same(left: Path, right: Path) -> None:
    names = sorted(p.relative_to(left) for p in left.rglob("*") if p.is_file())
    assert names == sorted(
        p.relative_to(right) for p in right.rglob("*") if p.is_file() and p.name != ".complete"
    )
    for name in names:
        assert (left / name).read_bytes() == (right / name).read_bytes(), name


@needs_zstd
def test_the_second_version_is_a_small_difference_and_comes_back_bit_for_bit(
    tmp_path: Path, two_versions: tuple[Path, Path]
) -> None:
    contents = _store(tmp_path / "root", two_versions, differences=True)
    second = next(e for e in contents.objects.values() if e.prefix)
    assert (tmp_path / "root/objects" / second.member).stat().st_size < 10_000
    pack = Pack(tmp_path / "root")
    for name, original in zip(("v2", "v1"), reversed(two_versions), strict=True):
        _assert_same(original, pack.site(name))


def test_whole_versions_come_back_bit_for_bit_too(tmp_path: Path, two_versions: tuple[Path, Path]) -> None:
    contents = _store(tmp_path / "root", two_versions, differences=False)
    assert not any(entry.prefix for entry in contents.objects.values())
    pack = Pack(tmp_path / "root")
    _assert_same(two_versions[1], pack.site("v2"))


def test_a_file_of_both_versions_is_stored_once(tmp_path: Path, two_versions: tuple[Path, Path]) -> None:
    contents = _store(tmp_path / "root", two_versions, differences=False)
    assert len(contents.objects) == 5  # two large, two small, one shared
    pack = Pack(tmp_path / "root")
    first, second = pack.site("v1") / "same.py", pack.site("v2") / "same.py"
    assert first.stat().st_ino == second.stat().st_ino


@needs_zstd
def test_a_version_has_arrived_with_its_own_members_and_those_it_differs_from(
    tmp_path: Path, two_versions: tuple[Path, Path]
) -> None:
    contents = _store(tmp_path / "root", two_versions, differences=True)
    pack = Pack(tmp_path / "root")
    assert pack.arrived("v1")
    assert pack.arrived("v2")
    base = next(m for m in contents.members if m.startswith("objects/v1-"))
    whole = (tmp_path / "root" / base).read_bytes()
    (tmp_path / "root" / base).write_bytes(whole[:-1])
    assert not pack.arrived("v1")
    assert not pack.arrived("v2")
    with pytest.raises(PackError, match="add the later parts"):
        pack.site("v2")


def test_a_member_with_other_bytes_is_refused(tmp_path: Path, two_versions: tuple[Path, Path]) -> None:
    root = tmp_path / "root"
    contents = _store(root, two_versions, differences=False)
    first, second = (root / m for m in contents.members if m.endswith(".zst") and ".tar." not in m)
    padding = abs(first.stat().st_size - second.stat().st_size)
    small, large = sorted((first, second), key=lambda p: p.stat().st_size)
    small.write_bytes(large.read_bytes())
    large.write_bytes(b"\0" * padding)
    sizes = {"objects/" + p.name: p.stat().st_size for p in (small, large)}
    pack = Pack(root)
    pack.document["members"].update(sizes)
    with pytest.raises(PackError, match="SHA-256"):
        pack.site("v1" if small.name.startswith("v1") else "v2")


def test_a_list_of_another_schema_is_refused(tmp_path: Path) -> None:
    (tmp_path / "pack.json").write_text('{"schema": "other/1"}')
    with pytest.raises(PackError, match="schema 'other/1'"):
        Pack(tmp_path)
    with pytest.raises(PackError, match="not the list of a pack"):
        Pack(tmp_path / "nowhere")


def test_differences_without_the_program_say_what_to_do(
    tmp_path: Path, two_versions: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(UnavailableError, match="--whole"):
        _store(tmp_path / "root", two_versions, differences=True)
