"""What TF-TRT 2.14.1 cuts out of each network without a GPU, and that a GPU's cuts are the same."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks.partition_maps import maps_of
from harness.store.archive import folder_of

ROOT = Path(__file__).parents[3]
MAPS = json.loads((ROOT / "tests/data/runtimes/tftrt/partitions.json").read_text(encoding="utf-8"))
ON_GPU = ROOT / "reports/results/tensorflow-tftrt-h200.tar.xz"


@pytest.mark.parametrize(
    ("network", "nhwc", "nchw"),
    [("mobilenet_v1", 140, 144), ("mobilenet_v2", 258, 262), ("inception_v2", 375, 379)],
)
def test_each_network_is_one_segment(network: str, nhwc: int, nchw: int) -> None:
    for words, count, data_format in (("", nhwc, "NHWC"), ("placed_gpu-", nchw, "NCHW")):
        found = MAPS[f"{network}-fp32-b1-clip-{words}tftrt-2.14.1"]
        (segment,) = found["segments"]
        assert segment["nodes"] == count
        assert {kind.split()[1] for kind in segment["ops"] if " " in kind} == {data_format}
        # Two transpositions, each with its order, make the difference.
        assert segment["ops"].get("Transpose", 0) == (2 if data_format == "NCHW" else 0)
        assert found["outside"] == {"Identity": 1, "Placeholder": 1}


def test_a_gpu_cuts_the_same() -> None:
    measured = maps_of(folder_of(ON_GPU))
    assert len(measured) == 3
    assert {cell: one["segments"] for cell, one in measured.items()} == {
        cell: MAPS[cell]["segments"] for cell in measured
    }
