"""Samples of both forms: what a conversation leaves, and what the release before wrote."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.errors import InputError
from harness.store.documents.base import read_document
from harness.store.documents.samples import Samples as Document
from harness.store.documents.samples import publish_samples, read_samples, read_whole
from harness.worker.samples import NAME, SCHEMA, Samples
from harness.worker.stopping import PassEnd

TIMES = st.lists(st.floats(0.001, 1e6), min_size=1, max_size=4)
SLICES = st.lists(st.tuples(st.sampled_from(["latency", "cuda_graph"]), TIMES), min_size=1, max_size=6)


@given(taken=SLICES)
def test_what_is_written_by_hand_is_read_as_it_was_taken(
    tmp_path_factory: object, taken: list[tuple[str, list[float]]]
) -> None:
    folder = tmp_path_factory.mktemp("samples")  # type: ignore[attr-defined]
    samples = Samples(process=3)
    for name, values in taken:
        samples.add(name, {"clock": "gpu", "latency_ms": values, "start_ns": [1] * len(values)})
    samples.end("latency", PassEnd("interval", 0.005))
    samples.write(str(folder))
    found = read_samples(folder)
    assert [(one.pass_name, one.latency_ms) for one in found] == taken
    for name in ("latency", "cuda_graph"):
        mine = [one for one in found if one.pass_name == name]
        assert [(one.process, one.cycle, one.slice) for one in mine] == [(3, n, 0) for n in range(len(mine))]
    (end,) = read_document(folder / NAME, Document).passes
    assert (end.pass_name, end.stopped_by, end.relative_half_width) == ("latency", "interval", 0.005)
    assert json.loads((folder / NAME).read_text())["schema"] == SCHEMA


def test_slices_taken_alone_stand_beside_the_others_and_are_counted(tmp_path: Path) -> None:
    samples, further = Samples(), Samples(process=1)
    taken = {"clock": "host", "latency_ms": [1.5]}
    samples.add("latency", taken, cycle=4, place=1)
    for one in (samples, samples, further):
        one.add_alone("latency", taken)
    samples.join(further)
    samples.write(str(tmp_path))
    result = {"schema": "trtmatrix.result/2", "status": "ok", "slices": 3}
    (tmp_path / "result.json").write_text(json.dumps(result), encoding="utf-8")
    found = read_whole(tmp_path)
    assert [(one.process, one.cycle) for one in found.alone] == [(0, 0), (0, 1), (1, 0)]
    assert [(one.process, one.cycle, one.slice) for one in found.slices] == [(0, 4, 1)]
    (tmp_path / "result.json").write_text(json.dumps({**result, "slices": 1}), encoding="utf-8")
    with pytest.raises(InputError, match="3 slices, where the worker answered 1"):
        read_whole(tmp_path)


def test_windows_of_the_release_before_are_slices_of_one_process(tmp_path: Path) -> None:
    window = {"pass": "latency", "clock": "host", "start_ns": None, "latency_ms": [1, 2.5], "host_ms": None}
    rows = [{**window, "window": number} for number in range(3)]
    (tmp_path / NAME).write_text(json.dumps({"windows": rows}), encoding="utf-8")
    (tmp_path / "result.json").write_text(json.dumps({"protocol": 1, "windows": 3}), encoding="utf-8")
    found = read_samples(tmp_path)
    assert [(one.process, one.cycle, one.slice, one.latency_ms) for one in found] == [
        (0, number, 0, [1.0, 2.5]) for number in range(3)
    ]


def stored(folder: Path, *slices: dict[str, object], answered: int | None = None) -> Path:
    """A build folder with these slices, in the present form."""
    data = {"schema": "trtmatrix.samples/2", "slices": list(slices)}
    (folder / NAME).write_text(json.dumps(data), encoding="utf-8")
    if answered is not None:
        result = {"schema": "trtmatrix.result/2", "status": "ok", "slices": answered}
        (folder / "result.json").write_text(json.dumps(result), encoding="utf-8")
    return folder


@pytest.mark.parametrize(
    ("column", "values"),
    [
        ("latency_ms", [1e-9, 999_999_999_999.0]),
        ("start_ns", [0, 2**63 - 1]),
        ("enqueue_ms", [0.0, None]),
        ("host_ms", [None, 999_999_999_999.0]),
        ("throttled", [True, None]),
    ],
)
def test_what_a_worker_may_have_measured_is_read(
    tmp_path: Path, column: str, values: list[float | None]
) -> None:
    row = {"pass": "latency", "latency_ms": [1.0, 2.0], column: values}
    (found,) = read_samples(stored(tmp_path, row))
    assert getattr(found, column) == values
    assert (found.process, found.cycle, found.slice, found.clock) == (0, 0, 0, "unknown")


@pytest.mark.parametrize(
    ("column", "values", "said"),
    [
        ("latency_ms", [1.0, 0.0], "expected `float` > 0.0"),
        ("latency_ms", [1.0, 1e12], "expected `float` < 1000000000000.0"),
        ("start_ns", [0, -1], "expected `int` >= 0"),
        ("start_ns", [0, 2**63], "expected `int` <= 9223372036854775807"),
        ("enqueue_ms", [0.0, -1e-9], "expected `float` >= 0.0"),
        ("cpu_ms", [0.0, -1.0], "expected `float` >= 0.0"),
        ("host_ms", [None, 1e12], "expected `float` < 1000000000000.0"),
    ],
)
def test_what_no_worker_measures_is_named_with_its_place(
    tmp_path: Path, column: str, values: list[float | None], said: str
) -> None:
    good = {"pass": "latency", "latency_ms": [1.0, 2.0]}
    with pytest.raises(InputError) as caught:
        read_samples(stored(tmp_path, good, {**good, column: values}))
    assert (caught.value.problem, caught.value.where) == (said, f"slices[1].{column}[1]")
    assert caught.value.path == str(tmp_path / NAME)


@pytest.mark.parametrize(
    ("column", "values"), [("throttled", [True]), ("start_ns", [1, 2, 3]), ("host_ms", [])]
)
def test_columns_that_differ_in_length_are_named_with_their_slice(
    tmp_path: Path, column: str, values: list[float]
) -> None:
    good = {"pass": "latency", "latency_ms": [1.0, 2.0]}
    with pytest.raises(InputError) as caught:
        read_samples(stored(tmp_path, good, {**good, column: values}))
    assert (caught.value.problem, caught.value.where) == ("columns differ in length", "slices[1]")
    assert caught.value.path == str(tmp_path / NAME)


def test_a_slice_that_was_lost_is_missed(tmp_path: Path) -> None:
    good = {"pass": "latency", "latency_ms": [1.0, 2.0]}
    assert len(read_samples(stored(tmp_path, good, good, answered=2))) == 2
    with pytest.raises(InputError) as caught:
        read_samples(stored(tmp_path, good, answered=2))
    assert caught.value.problem == (
        "1 slices, where the worker answered 2; delete this build and resume the run"
    )
    (tmp_path / NAME).unlink()
    with pytest.raises(InputError, match="no such file, where the worker answered 2"):
        read_samples(tmp_path)
    (tmp_path / "result.json").unlink()
    assert read_samples(tmp_path) == []


def published(folder: Path, **row: object) -> dict[str, object]:
    """Return what is left of one slice, and of the same one taken alone."""
    whole = {"pass": "latency", "latency_ms": [1.00004999, 2.0], **row}
    data = {"schema": "trtmatrix.samples/2", "slices": [whole], "alone": [whole]}
    (folder / NAME).write_text(json.dumps(data), encoding="utf-8")
    publish_samples(folder)
    found = json.loads((folder / NAME).read_text(encoding="utf-8"))
    (kept,), (alone,) = found["slices"], found["alone"]
    assert kept == alone
    return dict(kept)


def test_starts_are_published_in_whole_milliseconds_rounded_down(tmp_path: Path) -> None:
    starts = [1_790_000_000_123_456_789, 999_999]
    assert published(tmp_path, start_ns=starts)["start_ns"] == [1_790_000_000_123_000_000, 0]
    assert published(tmp_path)["start_ns"] is None


def test_beside_events_of_the_gpu_the_host_s_clock_is_published_in_tenths_of_a_microsecond(
    tmp_path: Path,
) -> None:
    row = {"enqueue_ms": [0.12345678, None], "host_ms": [1.00005001, 2.5], "cpu_ms": [0.12345678, None]}
    on_gpu = published(tmp_path, clock="gpu", **row)
    assert (on_gpu["enqueue_ms"], on_gpu["host_ms"]) == ([0.1235, None], [1.0001, 2.5])
    assert on_gpu["latency_ms"] == [1.00004999, 2.0], "the GPU's own times are what is measured"
    assert on_gpu["cpu_ms"] == row["cpu_ms"]
    on_host = published(tmp_path, clock="host", **row)
    assert {name: on_host[name] for name in row} == row, "here they are what is measured"
    assert published(tmp_path, clock="gpu")["host_ms"] is None


def test_a_build_without_samples_is_published_without(tmp_path: Path) -> None:
    publish_samples(tmp_path)
    assert list(tmp_path.iterdir()) == []
