"""Documents beside the evidence of a build, there or not; and which inferences of a profile count."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.errors import InputError
from harness.store.documents.base import Document, write_document
from harness.store.documents.partition import OutsideNode, Partition, PartitionNode, Segment, read_partition
from harness.store.documents.profile import ProfileRound, ProfileRuns, counted, read_profile_runs
from harness.store.documents.published import GainRecord

PARTITION = Partition(
    segments=[Segment(name="TRTEngineOp_0", inputs=["x"], nodes=[PartitionNode(name="conv", op="Conv2D")])],
    outside=[OutsideNode(name="x", op="Placeholder")],
)
RUNS = ProfileRuns(
    way="behind an enqueue", clock="gpu", rounds=[ProfileRound(round=0, settle=1, inference_ms=[1.0])]
)


@pytest.mark.parametrize(
    ("read", "name", "document"),
    [(read_partition, "partition.json", PARTITION), (read_profile_runs, "profile_runs.json", RUNS)],
)
def test_what_was_left_is_read_and_what_was_not_is_none(
    tmp_path: Path, read: Callable[[Path], Document | None], name: str, document: Document
) -> None:
    assert read(tmp_path) is None
    write_document(tmp_path / name, document)
    assert read(tmp_path) == document
    (tmp_path / name).write_text("{", encoding="utf-8")
    with pytest.raises(InputError) as caught:
        read(tmp_path)
    assert caught.value.path == str(tmp_path / name)


def test_a_profile_of_several_engines_has_a_file_each(tmp_path: Path) -> None:
    write_document(tmp_path / "profile_runs-1.json", RUNS)
    assert read_profile_runs(tmp_path) is None
    assert read_profile_runs(tmp_path, "-1") == RUNS


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), max_size=5), st.integers(0, 40))
def test_inferences_count_but_those_that_settle_as_far_as_the_trace_goes(
    rounds: list[tuple[int, int]], told: int
) -> None:
    profile = ProfileRuns(
        way="x",
        clock="gpu",
        rounds=[
            ProfileRound(round=number, settle=settle, inference_ms=[1.0] * count)
            for number, (settle, count) in enumerate(rounds)
        ],
    )
    kinds = [counts for settle, count in rounds for counts in [False] * settle + [True] * count]
    assert counted(profile, told) == [n for n, counts in enumerate(kinds[:told]) if counts]


def gain(factor: float, interval: tuple[float, float] | None) -> GainRecord:
    return GainRecord(
        remedy="cuda_graph", runtime="tensorrt", version="8.6.0", network="mobilenet_v2", device="H200",
        value="", factor=factor, interval=interval, builds=3,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("factor", "interval", "told", "words"),
    [
        (0.8, (0.79, 0.805), True, "\N{MINUS SIGN}20.0 % (\N{MINUS SIGN}21.0 to \N{MINUS SIGN}19.5)"),
        (0.99, (0.9, 1.0), False, "\N{MINUS SIGN}1.0 % (\N{MINUS SIGN}10.0 to +0.0)"),
        (0.99, (0.9, 0.999), True, "\N{MINUS SIGN}1.0 % (\N{MINUS SIGN}10.0 to \N{MINUS SIGN}0.1)"),
        (1.1, (1.05, 1.2), False, "+10.0 % (+5.0 to +20.0)"),
        (0.8, None, False, "\N{MINUS SIGN}20.0 %"),
    ],
)
def test_a_gain_is_told_where_its_interval_leaves_out_none(
    factor: float, interval: tuple[float, float] | None, told: bool, words: str
) -> None:
    found = gain(factor, interval)
    assert (found.told, found.words) == (told, words)
