"""Samples of both forms: what a conversation leaves, and what the release before wrote."""

from __future__ import annotations

import json
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from harness.store.documents.base import read_document
from harness.store.documents.samples import Samples as Document
from harness.store.documents.samples import read_samples
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


def test_windows_of_the_release_before_are_slices_of_one_process(tmp_path: Path) -> None:
    window = {"pass": "latency", "clock": "host", "start_ns": None, "latency_ms": [1, 2.5], "host_ms": None}
    rows = [{**window, "window": number} for number in range(3)]
    (tmp_path / NAME).write_text(json.dumps({"windows": rows}), encoding="utf-8")
    (tmp_path / "result.json").write_text(json.dumps({"protocol": 1, "windows": 3}), encoding="utf-8")
    found = read_samples(tmp_path)
    assert [(one.process, one.cycle, one.slice, one.latency_ms) for one in found] == [
        (0, number, 0, [1.0, 2.5]) for number in range(3)
    ]
