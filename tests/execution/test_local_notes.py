"""The note of who measures on a device: what it says, who may read it, and that nothing depends on it."""

from __future__ import annotations

import getpass
import json
import os
import re
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import filelock
import pytest

from harness.execution import local
from harness.execution.base import Block, EndedBuild
from harness.execution.local import LocalExecutor, trtmatrix_executors


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where locks and notes lie."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def measured(device: str, look: Any = lambda: None) -> LocalExecutor:
    """Measure nothing on *device*; *look* is called meanwhile."""

    def measure(block: Block) -> Iterator[EndedBuild]:
        assert block.device == device
        look()
        yield from ()

    executor = LocalExecutor()
    assert list(executor.run(Block((), device), measure)) == []
    return executor


def test_a_note_says_which_process_measures_and_is_gone_afterwards(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "argv", ["/usr/bin/trtmatrix", "run", "größe.toml"])
    monkeypatch.setattr(getpass, "getuser", lambda: "mina")
    seen: list[dict[str, object]] = []
    note = folder / "trtmatrix-device-GPU-1.holder"

    def look() -> None:
        assert note.stat().st_mode & 0o777 == 0o644, "other users' runs show it"
        seen.append(json.loads(note.read_text(encoding="utf-8")))

    mask = os.umask(0o077)
    try:
        executor = measured("GPU-1", look)
    finally:
        os.umask(mask)
    (said,) = seen
    assert re.fullmatch(r"\d\d:\d\d:\d\d UTC", str(said.pop("since")))
    assert said == {
        "pid": os.getpid(), "user": "mina", "command": "trtmatrix run größe.toml", "folder": str(Path.cwd()),
    }  # fmt: skip
    assert not note.exists()
    assert executor.waited_seconds == 0.0
    assert executor.name == "local"


def test_since_when_is_said_in_the_time_of_all_machines(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TZ", "XYZ+5:30")
    time.tzset()
    try:
        before = datetime.now(UTC).replace(microsecond=0)
        note = folder / "trtmatrix-device-cpu.holder"
        seen: list[str] = []
        measured("cpu", lambda: seen.append(json.loads(note.read_text(encoding="utf-8"))["since"]))
        at = datetime.strptime(seen[0], "%H:%M:%S UTC").time()
        whole = {(before + timedelta(seconds=n)).time() for n in range(600)}
        assert at in whole
    finally:
        monkeypatch.undo()
        time.tzset()


NOTE = {"pid": 7, "user": "mina", "command": "trtmatrix run", "folder": "/größe", "since": "02:00:00 UTC"}


@pytest.mark.parametrize(
    ("note", "who"),
    [
        (
            json.dumps(NOTE, ensure_ascii=False),
            "another run (process 7 of mina: trtmatrix run, in /größe, since 02:00:00 UTC)",
        ),
        (None, "another run"),
        ("{", "another run"),
        ("[]", "another run"),
        ("{}", "another run"),
    ],
)
@pytest.mark.parametrize(("device", "name"), [("cpu", "the CPU"), ("GPU-1", "GPU-1")])
def test_who_waits_says_for_what_and_for_whom(
    folder: Path, monkeypatch: pytest.MonkeyPatch, note: str | None, who: str, device: str, name: str
) -> None:
    """A note may be torn, of another release, or not there: the lock alone counts."""
    holder = folder / f"trtmatrix-device-{device}.holder"
    if note is not None:
        holder.write_text(note, encoding="utf-8")
    other = filelock.FileLock(folder / f"trtmatrix-device-{device}.lock")
    other.acquire()
    now = [100.0]
    said: list[str] = []

    def say(line: str) -> None:
        said.append(line)
        now[0] += 2.5
        other.release()

    monkeypatch.setattr(local, "time", SimpleNamespace(monotonic=lambda: now[0]))
    acquire = filelock.FileLock.acquire

    def slowly(lock: filelock.FileLock, **more: Any) -> Any:
        now[0] += 4.0
        return acquire(lock, **more)

    monkeypatch.setattr(filelock.FileLock, "acquire", slowly)
    executor = LocalExecutor().telling(say)
    list(executor.run(Block((), device), lambda _block: iter(())))
    assert said == [f"waiting for {name}, on which {who} is measuring", f"{name} is free"]
    assert executor.waited_seconds == 4.0
    list(executor.run(Block((), device), lambda _block: iter(())))
    assert executor.waited_seconds == 4.0, "nobody was there"


def test_a_note_that_cannot_be_written_costs_no_measurement(folder: Path) -> None:
    note = folder / "trtmatrix-device-cpu.holder"
    note.mkdir()
    measured("cpu", lambda: (note / "left").touch())
    assert note.is_dir()


@pytest.mark.parametrize("error", [OSError, KeyError, ImportError])
def test_a_user_without_a_name_is_a_number(monkeypatch: pytest.MonkeyPatch, error: type[Exception]) -> None:
    def nameless() -> str:
        raise error("nobody")

    monkeypatch.setattr(getpass, "getuser", nameless)
    monkeypatch.setattr(os, "getuid", lambda: 1234, raising=False)
    assert local._user() == "1234"
    monkeypatch.delattr(os, "getuid")
    assert local._user() == "unknown"


def test_the_local_executor_is_registered_as_any_other_is() -> None:
    (found,) = trtmatrix_executors()
    assert isinstance(found, LocalExecutor)
    assert found.telling([].append) is not found, "each run has its own"
