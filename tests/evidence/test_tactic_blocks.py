"""Blocks of a tactic search that are taken as one say what their lines say one by one."""

from __future__ import annotations

import gzip
import io
import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.evidence.prefixes import Prefixes
from harness.evidence.reader import read_stream
from harness.evidence.record import Record, RecordSink
from harness.evidence.tactic_blocks import Block, TacticBlocks

DATA = Path(__file__).parents[1] / "data"
LOGS = {
    path.parent.name: gzip.decompress(path.read_bytes()).decode().splitlines()
    for path in sorted((DATA / "recordings").glob("*/build.log.gz"))
}
PREFIXES = ["[TRT] [V] ", "[11/22/2032-10:11:{:02d}] [V] [TRT] ", "[TensorRT] VERBOSE: ", ""]


def read(text: str, *, blocks: bool = True) -> Record:
    sink = RecordSink()
    with pytest.MonkeyPatch.context() as patch:
        if not blocks:
            patch.setattr(TacticBlocks, "walk", lambda *_: None)
        return sink.record("x", read_stream(io.BytesIO(text.encode()), sink, name="x"))


def blocks_of(text: str) -> list[Block]:
    return [part for part in TacticBlocks(Prefixes()).walk(text.encode()) or () if isinstance(part, Block)]


@pytest.mark.parametrize("name", LOGS)
def test_a_recording_is_read_alike(name: str) -> None:
    text = "\n".join(LOGS[name]) + "\n"
    assert read(text) == read(text, blocks=False)
    assert sum(block.text.count(b"\n") for block in blocks_of(text)) > len(LOGS[name]) / 2


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(sorted(LOGS)), st.sampled_from(PREFIXES), st.data())
def test_a_log_with_lines_lost_doubled_and_moved_is_read_alike(
    name: str, prefix: str, data: st.DataObject
) -> None:
    lines = LOGS[name]
    start = data.draw(st.integers(0, len(lines) - 200))
    lines = [
        line.replace("[TRT] [V] ", prefix.format(i // 40 % 60))
        for i, line in enumerate(lines[start : start + 200])
        if line.startswith("[TRT] [V] ")
    ]
    for _ in range(data.draw(st.integers(0, 8))):
        at, to = data.draw(st.integers(0, len(lines) - 1)), data.draw(st.integers(0, len(lines) - 1))
        match data.draw(st.sampled_from(["lose", "double", "move", "cut", "blank"])):
            case "lose" if len(lines) > 1:
                del lines[at]
            case "double":
                lines.insert(to, lines[at])
            case "cut":
                lines[at] = lines[at][: data.draw(st.integers(len(prefix), max(len(prefix), len(lines[at]))))]
            case "blank":
                lines[at] += " "
            case _:
                lines.insert(to, lines.pop(at))
    text = "*** Autotuning x ***\nTactic: 1 Time: 2.5\n" + "\n".join(lines) + "\n"
    assert read(text) == read(text, blocks=False)


def test_rows_as_they_were_printed() -> None:
    text = (
        "[V] *************** Autotuning format combination: a -> b ***************\n"
        "[V] --------------- Timing Runner: conv (x) (CaskConvolution[0x80000009])\n"
        "[V] Tactic Name: k1 numSplitK: 1 numBuffers: 0 numKernels: 1 Tactic: 0x0000000000000001 Time: 0.5\n"
        "[V] conv (x) Set Tactic Name: k2 Tactic: 0x0000000000000002\n"
        "[V] Tactic: 0x0000000000000002 Time: 0.25\n"
        "[V] conv (x) Set Tactic Name: k3 Tactic: 0x0000000000000003\n"
        "[V] Tactic: 0x0000000000000004 Time: 1.125\n"
        "[V] Fastest Tactic: 0x0000000000000002 Time: 0.25\n"
        "[V] >>>>>>>>>>>>>>> Chose Runner Type: CaskConvolution Tactic: 0x0000000000000001\n"
    )
    assert [block.runner for block in blocks_of(text)] == ["CaskConvolution"]
    record = read(text)
    assert [(row[1], row[2], row[3], row[6:]) for row in record.tactic_rows] == [
        ("conv (x)", "CaskConvolution", "a -> b", ("k1", 0.5, False, True)),
        ("conv (x)", "CaskConvolution", "a -> b", ("k2", 0.25, True, False)),
        ("conv (x)", "CaskConvolution", "a -> b", (None, 1.125, False, False)),
    ]


@pytest.mark.parametrize("time", ["inf", "1e-05", "0.00001", "5", "0.10", "3.40282e+38", "0.123456789012"])
def test_a_time_that_python_writes_otherwise_is_left_to_the_readers_of_lines(time: str) -> None:
    text = (
        f"--------------- Timing Runner: conv (Reformat)\nTactic: 1 Time: 0.5\nTactic: 2 Time: {time}\n"
        "Tactic: 3 Time: 0.75\n"
    )
    assert blocks_of(text)[0].times == ["0.5"]
    record = read(text)
    assert [row[7] for row in record.tactic_rows][::2] == [0.5, 0.75]
    assert record == read(text, blocks=False)


def test_the_text_of_the_record_is_its_json() -> None:
    record = read("\n".join(LOGS["8.6.0.v2.fp32.b1"]) + "\n")
    assert json.loads("".join(record.json_pieces())) == json.loads(json.dumps(record.as_json()))
    assert len(record.tactic_rows) == len(list(record.tactic_rows)) == len(record.tactics)
