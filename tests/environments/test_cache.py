"""The cache: made once, whoever asks; never half."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest

from harness.environments.cache import cache_folder, cached
from harness.errors import UnavailableError


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache of the test's own."""
    monkeypatch.setenv("TRTMATRIX_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def test_the_variable_names_the_folder(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert cache_folder() == folder
    monkeypatch.delenv("TRTMATRIX_CACHE")
    assert cache_folder().name == "trtmatrix"
    assert cache_folder().is_absolute()


def test_a_folder_is_made_once_even_by_many(folder: Path) -> None:
    made: list[Path] = []

    def make(target: Path) -> None:
        made.append(target)
        time.sleep(0.2)
        (target / "file").write_text("whole")

    found: list[Path] = []
    threads = [threading.Thread(target=lambda: found.append(cached("kind", "key", make))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert made == [folder / "kind" / "key"]
    assert found == [folder / "kind" / "key"] * 4


def test_a_failure_leaves_nothing(folder: Path) -> None:
    def broken(target: Path) -> None:
        (target / "file").write_text("half")
        raise RuntimeError("no")

    with pytest.raises(RuntimeError):
        cached("kind", "key", broken)
    assert not (folder / "kind" / "key").exists()


def test_what_a_death_left_is_made_again(folder: Path) -> None:
    (folder / "kind" / "key").mkdir(parents=True)
    (folder / "kind" / "key" / "file").write_text("half")
    cached("kind", "key", lambda target: (target / "other").touch())
    assert sorted(path.name for path in (folder / "kind" / "key").iterdir()) == [".complete", "other"]


def test_a_cache_that_cannot_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("TRTMATRIX_CACHE", str(tmp_path / "file"))
    with pytest.raises(UnavailableError, match=r"cannot write the cache folder .*; set TRTMATRIX_CACHE"):
        cached("kind", "key", lambda _: None)
