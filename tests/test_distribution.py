"""The package's face: what users and plugins import by the name ``harness``."""

from __future__ import annotations

import subprocess
import sys

import harness
from harness.plugins import registry


def test_the_marker_of_the_face_marks_implementations_for_the_registry() -> None:
    @harness.hookimpl
    def trtmatrix_executors() -> list[object]:
        return []

    assert hasattr(trtmatrix_executors, f"{registry.GROUP}_impl")


def test_the_face_alone_loads_no_room() -> None:
    code = "import sys, harness; print(*sorted(name for name in sys.modules if name.startswith('harness')))"
    done = subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, text=True, timeout=60
    )
    assert done.stdout.split() == ["harness", "harness.distribution"]
