from __future__ import annotations

import errno
import locale
import os
import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.errors import InputError
from harness.store.files import read_json, write_json, write_text


def test_json_is_written_whole_or_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "er" / "a.json"
    write_json(path, {"a": 1})
    with pytest.raises(ValueError, match="not JSON compliant"):
        write_json(path, {"a": float("nan")})
    assert read_json(path) == {"a": 1}
    assert [p.name for p in path.parent.iterdir()] == ["a.json"]


@pytest.mark.parametrize("content", ['{"a": ' + "[" * 100_000, '{"a": ' + "9" * 6_000 + "}"])
def test_json_too_deep_or_too_long_to_be_read_is_one_line(tmp_path: Path, content: str) -> None:
    path = tmp_path / "a.json"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(InputError, match="not JSON that can be read: ") as caught:
        read_json(path)
    assert caught.value.path == str(path)


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.json")
    with pytest.raises(InputError, match="expected a regular file"):
        read_json(tmp_path / "a.json")


def test_links_are_written_through_and_devices_to(tmp_path: Path) -> None:
    target, link, device = tmp_path / "deep" / "b.txt", tmp_path / "a.txt", tmp_path / "device"
    target.parent.mkdir()
    target.write_text("old", encoding="utf-8")
    link.symlink_to(target)
    device.symlink_to(os.devnull)
    write_text(link, "new")
    write_text(device, "gone")
    assert link.is_symlink()
    assert target.read_text(encoding="utf-8") == "new"
    assert Path(os.devnull).is_char_device()


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), JSON))
def test_what_is_written_is_read(data: dict[str, object]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        write_json(Path(folder) / "a.json", data)
        assert read_json(Path(folder) / "a.json") == data


def test_json_is_text_that_people_can_read(tmp_path: Path) -> None:
    write_json(tmp_path / "a.json", {"name": "Grüße", "list": [1]})
    assert (tmp_path / "a.json").read_bytes().decode() == '{\n "name": "Grüße",\n "list": [\n  1\n ]\n}\n'


def test_others_may_read_what_is_written(tmp_path: Path) -> None:
    before = os.umask(0o077)
    try:
        write_text(tmp_path / "a.txt", "text")
    finally:
        os.umask(before)
    assert (tmp_path / "a.txt").stat().st_mode & 0o777 == 0o644


def test_half_a_surrogate_pair_is_escaped(tmp_path: Path) -> None:
    write_text(tmp_path / "a.txt", "a\ud800b\n")
    assert (tmp_path / "a.txt").read_bytes() == b"a\\ud800b\n"


def test_files_are_utf_8_whatever_the_system_s_own_encoding_is(tmp_path: Path) -> None:
    before = locale.setlocale(locale.LC_CTYPE)
    locale.setlocale(locale.LC_CTYPE, "C")
    try:
        write_json(tmp_path / "a.json", {"name": "Grüße"})
        assert read_json(tmp_path / "a.json") == {"name": "Grüße"}
        os.mkfifo(tmp_path / "pipe")
        reading = os.open(tmp_path / "pipe", os.O_RDONLY | os.O_NONBLOCK)
        write_text(tmp_path / "pipe", "Grüße\ud800")
        assert os.read(reading, 100) == "Grüße\\ud800".encode()
        os.close(reading)
    finally:
        locale.setlocale(locale.LC_CTYPE, before)
    assert "Grüße".encode() in (tmp_path / "a.json").read_bytes()


def test_a_folder_in_which_nothing_may_be_made_is_named(tmp_path: Path) -> None:
    """The file that would have been renamed is nobody's business."""
    (tmp_path / "a.txt").mkdir()
    (tmp_path / "b.txt").symlink_to(tmp_path / "a.txt" / "deep" / "b.txt")
    with pytest.raises(OSError, match=r"a\.txt") as caught:
        write_text(tmp_path / "a.txt", "text")
    assert (caught.value.filename, caught.value.filename2) == (str(tmp_path / "a.txt"), None)
    write_text(tmp_path / "b.txt", "through a link that pointed nowhere")
    assert (tmp_path / "a.txt" / "deep" / "b.txt").is_file()


def test_a_disk_that_is_full_is_named_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_text(tmp_path / "a.txt", "old")

    def full(_handle: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left") as caught:
        write_text(tmp_path / "a.txt", "new")
    assert caught.value.filename == str(tmp_path / "a.txt")
    assert [path.name for path in tmp_path.iterdir()] == ["a.txt"]
    assert (tmp_path / "a.txt").read_text(encoding="utf-8") == "old"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
def test_a_device_that_takes_nothing_is_named(tmp_path: Path) -> None:
    (tmp_path / "out").symlink_to("/dev/full")
    with pytest.raises(OSError, match="No space left") as caught:
        write_text(tmp_path / "out", "x" * 100_000)
    assert caught.value.filename == str(tmp_path / "out")


def test_a_folder_that_cannot_be_made_keeps_its_own_name(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(OSError, match="file") as caught:
        write_text(tmp_path / "file" / "b" / "a.txt", "text")
    assert str(caught.value.filename).startswith(str(tmp_path / "file"))


@pytest.mark.parametrize(
    ("content", "line", "said"),
    [
        (b"[1]", None, "expected a JSON object, found list"),
        (b"null", None, "expected a JSON object, found NoneType"),
        (b'{"a": 1,\n "b": }', 2, "not JSON: Expecting value"),
        (b"\xff\xfe{}", None, "cannot be read: 'utf-8' codec can't decode"),
    ],
)
def test_what_is_no_json_object_is_named_with_its_line(
    tmp_path: Path, content: bytes, line: int | None, said: str
) -> None:
    path = tmp_path / "a.json"
    path.write_bytes(content)
    with pytest.raises(InputError) as caught:
        read_json(path)
    assert caught.value.problem.startswith(said)
    assert (caught.value.path, caught.value.line) == (str(path), line)


def test_a_file_that_is_not_there_and_a_folder(tmp_path: Path) -> None:
    for path, said in ((tmp_path / "none.json", "no such file"), (tmp_path, "expected a regular file")):
        with pytest.raises(InputError) as caught:
            read_json(path)
        assert (caught.value.path, caught.value.problem) == (str(path), said)


def test_a_device_is_written_to_whatever_the_text(tmp_path: Path) -> None:
    (tmp_path / "out").symlink_to(os.devnull)
    write_text(tmp_path / "out", "a\ud800b")
    assert (tmp_path / "out").is_symlink()
