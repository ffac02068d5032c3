"""What TF-TRT cuts out of each network without a GPU, by release, and that a GPU's cuts are the same."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks.partition_maps import MAPS, PAGE, maps_of, page
from harness.errors import InputError
from harness.store.archive import folder_of

ROOT = Path(__file__).parents[3]
CUT = json.loads(MAPS.read_text(encoding="utf-8"))
ON_GPU = ROOT / "reports/results/tensorflow-tftrt-h200.tar.xz"


@pytest.mark.parametrize("release", ["1.15.0", "2.12.1", "2.13.1", "2.14.1"])
@pytest.mark.parametrize(
    ("network", "nhwc", "nchw", "nchw_of_1_15"),
    [
        ("mobilenet_v1", 140, 144, 144),
        ("mobilenet_v2", 258, 262, 262),
        ("inception_v2", 375, 379, 388),  # 1.15 keeps the axis of each of its concats apart
    ],
)
def test_each_network_is_one_segment(
    network: str, nhwc: int, nchw: int, nchw_of_1_15: int, release: str
) -> None:
    old = release.startswith("1.")
    # 1.15 turns images to NCHW wherever a GPU is; later ones only where nodes are placed on it.
    plain = (nchw_of_1_15, "NCHW") if old else (nhwc, "NHWC")
    placed = (nchw_of_1_15 if old else nchw, "NCHW")
    for words, (count, data_format) in (("", plain), ("placed_gpu-", placed)):
        found = CUT[f"{network}-fp32-b1-clip-{words}tftrt-{release}"]
        (segment,) = found["segments"]
        assert segment["nodes"] == count
        assert {kind.split()[1] for kind in segment["ops"] if " " in kind} == {data_format}
        # Two transpositions, each with its order, make the difference.
        assert segment["ops"].get("Transpose", 0) == (2 if data_format == "NCHW" else 0)
        assert found["outside"] == {"Identity": 1, "Placeholder": 1}


def test_a_gpu_cuts_the_same() -> None:
    measured = maps_of(folder_of(ON_GPU))
    both = measured.keys() & CUT.keys()
    assert len(both) >= 3
    assert {cell: measured[cell]["segments"] for cell in both} == {
        cell: CUT[cell]["segments"] for cell in both
    }


def test_the_page_is_made_of_the_maps() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(CUT)


def test_a_torn_partition_is_one_line_with_the_path_to_the_field(tmp_path: Path) -> None:
    folder = tmp_path / "builds" / "cell" / "0" / "evidence"
    folder.mkdir(parents=True)
    document = {"schema": "trtmatrix.partition/1", "outside": [], "segments": [{"name": "TRTEngineOp_0"}]}
    (folder / "partition.json").write_text(json.dumps(document))
    with pytest.raises(InputError, match=r"partition\.json: segments\[0\]: .*inputs"):
        maps_of(tmp_path)
