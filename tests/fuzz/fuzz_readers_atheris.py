"""Coverage-guided fuzzing of the readers.

Run: ``python tests/fuzz/fuzz_readers_atheris.py CORPUS [-max_total_time=60]``. Needs atheris.
CORPUS is a folder that libFuzzer fills; start it with copies of ``tests/data/evidence``.
"""

from __future__ import annotations

import io
import json
import sys

import atheris

with atheris.instrument_imports(include=["harness.evidence"]):
    from harness.errors import InputError
    from harness.evidence.reader import read_stream
    from harness.evidence.record import RecordSink


def one_input(data: bytes) -> None:
    """A record with valid JSON, or one error of one line."""
    sink = RecordSink()
    try:
        record = sink.record("input", read_stream(io.BytesIO(data), sink, name="input"))
    except InputError as error:
        if "\n" in str(error):
            raise AssertionError("an error of more than one line") from error
        return
    json.loads("".join(record.json_pieces()))


if __name__ == "__main__":
    atheris.Setup(sys.argv, one_input)
    atheris.Fuzz()
