"""The memories that the workers of a block share: the machine's, and that of the GPU they run on."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from harness.execution import memory
from harness.execution.memory import Room

GIB = 1 << 30


@pytest.fixture
def free(monkeypatch: pytest.MonkeyPatch) -> dict[str, tuple[int, int]]:
    """Free and total bytes by device, to be changed."""
    found = {"machine": (90 * GIB, 100 * GIB), "GPU-1": (70 * GIB, 80 * GIB)}

    def virtual_memory() -> SimpleNamespace:
        available, total = found["machine"]
        return SimpleNamespace(available=available, total=total, free=GIB, used=GIB)

    monkeypatch.setattr(memory, "psutil", SimpleNamespace(virtual_memory=virtual_memory))
    monkeypatch.setattr(memory, "free_gpu_memory", found.get)
    return found


def test_on_a_cpu_the_machine_s_memory_decides(free: dict[str, tuple[int, int]]) -> None:
    room = Room("cpu")
    free["machine"] = (60 * GIB, 100 * GIB)
    free["GPU-1"] = (0, 80 * GIB)
    assert room.for_one_more(), "60 left: one takes 30, a fifth more while it builds, and 10 stay free"
    assert not room.for_one_more(coming=1), "two of them do not fit"


def test_on_a_gpu_both_memories_have_to_hold_one_more(free: dict[str, tuple[int, int]]) -> None:
    room = Room("GPU-1")
    assert room.for_one_more()
    free["GPU-1"] = (40 * GIB, 80 * GIB)
    assert not room.for_one_more(), "40 left, one takes 30 and a fifth more, and 8 stay free"
    free["GPU-1"] = (70 * GIB, 80 * GIB)
    assert room.for_one_more(), "what one took is known, and fits again"
    free["machine"] = (9 * GIB, 100 * GIB)
    assert not room.for_one_more(), "the machine's own is short"
