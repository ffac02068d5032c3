"""Composed samples: each in the exact layout of its version, with made-up figures."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import pytest

from harness.evidence.reader import read_file, read_stream
from harness.evidence.record import Record, RecordSink

SAMPLES = Path(__file__).parents[1] / "data" / "evidence"


@pytest.fixture
def sample() -> Callable[[str], Record]:
    """Read a composed sample by its file name."""
    return lambda name: read_file(SAMPLES / name)


@pytest.fixture
def read() -> Callable[[bytes | str], Record]:
    """Read content as if it were a file."""

    def read_content(content: bytes | str) -> Record:
        data = content.encode() if isinstance(content, str) else content
        sink = RecordSink()
        return sink.record("memory", read_stream(io.BytesIO(data), sink, name="memory"))

    return read_content
