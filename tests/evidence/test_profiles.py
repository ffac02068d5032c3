"""Per-layer profiles P1 to P8, in the layouts of docs/reference/formats.md."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from harness.errors import InputError
from harness.evidence.record import Record

Sample = Callable[[str], Record]
Read = Callable[[bytes | str], Record]

# name, total, average, median, percent
PROFILES = {
    "p1_sample.txt": [
        ("stem/conv + stem/relu6", None, 0.081, None, None),
        ("block1/dw/conv + block1/dw/relu6 input r", None, 0.019, None, None),
        ("block1/dw/conv + block1/dw/relu6 input r", None, 0.017, None, None),
        ("block1/dw/conv + block1/dw/relu6", None, 0.064, None, None),
    ],
    "p1_spaced.txt": [
        ("stem/conv + stem/relu6", None, 0.081, None, None),
        ("block1/dw/conv", None, 0.064, None, None),
        ("block1/pw/relu1", None, 2.064, None, None),
    ],
    "p2_sample_5.1.log": [
        ("stem/conv + stem/relu6", 12.37, None, None, 11.4),
        ("block1/pw, (a) + block1/relu6", 96.14, None, None, 88.6),
    ],
    "p4_trtexec_7.0.log": [
        ("stem + stem_relu input reformatter 0", 11.20, 0.01, None, 2.2),
        ("stem + stem_relu", 71.84, 0.09, None, 14.1),
        ("pw_1 || pw_2, [x]", 426.46, 0.53, None, 83.7),
    ],
    "p4_trtexec_8.2.log": [
        ("Conv_0 + Clip_1", 71.84, 0.0885, None, 14.1),
        ("Conv_0 + Clip_1", 437.66, 0.539, None, 85.9),
    ],
    "p4_trtexec_8.4.log": [
        ("stem + PWN(clip_0)", 15.13, 0.0186, 0.0184, 4.9),
        ("{ForeignNode[a...b]}", 293.65, 0.3612, 0.3576, 95.1),
    ],
    "p5_trtexec_10.log": [
        ("/b1/dw/Conv + /b1/dw/Clip", 61.02, 0.0067, 0.0067, 3.4),
        ("__myl_MaxMinCas_myl4_0", 33.85, 0.0037, 0.0037, 1.9),
        ("[CONVOLUTION]-[aten_ops.convolution.default]-[/features/0]", 1699.84, 0.1878, 0.1859, 94.7),
    ],
    "p6_export_profile_7.json": [
        ("stem + stem_relu", 71.84, 0.0884729, None, 14.1),
        ("copy", 0.0, 0.0, None, 0.0),
        ("tiny", 1.2e-05, 1.47783e-08, None, 2.3e-06),
    ],
    "p6_export_profile_8.4.json": [
        ("Reformatting CopyNode for Input Tensor 0 to pw_2", 0.0, 0.0, None, 0.0),
        ("dw_2 + PWN(clip_2)", 64.118, 0.102589, 0.1024, 2.3),
        ("dw_2 + PWN(clip_2)", 32.5, 0.052, 0.0519, 1.2),
    ],
    "p6_unescaped_names.json": [
        ('a "quoted" \\path', 5.5, 0.55, 0.5, 50.0),
        ("b", 5.5, 0.55, 0.5, 50.0),
    ],
    "p7_name_ms.csv": [("stem", None, 0.01024, None, None), ("block1/dw, fused", None, 0.5, None, None)],
    "p7_cudla.csv": [("stem, fused", None, 0.25, None, None), ("pw_1", None, 0.7, None, None)],
    "p8_inline.txt": [
        ("block3/pw/conv + block3/pw/relu6", None, 0.058, None, 2.914),
        ("block3/dw", None, 0.313, None, 15.7),
    ],
}
PROFILES["p1_total_first.txt"] = PROFILES["p1_sample.txt"]

# iterations and total as printed
HEADS = {
    "p1_sample.txt": (None, 0.181),
    "p1_total_first.txt": (None, 0.181),
    "p1_spaced.txt": (None, 2.209),
    "p2_sample_5.1.log": (100, 108.51),
    "p4_trtexec_7.0.log": (812, 509.50),
    "p4_trtexec_8.2.log": (812, 509.50),
    "p4_trtexec_8.4.log": (813, 308.78),
    "p5_trtexec_10.log": (9050, 1794.71),
    "p6_export_profile_7.json": (812, None),
    "p8_inline.txt": (None, None),
}

# The eleven rows of the question: ms, share and cumulative share of one block on TensorRT 5
PREFIX = "FeatureExtractor/MobilenetV2/expanded_conv_5/"
ELEVEN_ROWS = [
    ("expand/Conv2D", 0.073, 0.191, 84.892),
    ("expand/Relu6", 0.058, 0.152, 89.569),
    ("expand/Relu6/relu1", 0.055, 0.144, 91.052),
    (f"expand/Relu6/sub1 + {PREFIX}expand/Relu6/relu2", 0.076, 0.199, 84.115),
    ("depthwise/depthwise", 0.313, 0.820, 50.349),
    ("depthwise/depthwise input reformatter 0", 0.125, 0.326, 76.855),
    ("depthwise/depthwise output reformatter 0", 0.130, 0.340, 75.521),
    ("depthwise/Relu6", 0.058, 0.151, 90.174),
    ("depthwise/Relu6/relu1", 0.050, 0.130, 92.406),
    (f"depthwise/Relu6/sub1 + {PREFIX}depthwise/Relu6/relu2", 0.076, 0.200, 83.716),
    (f"project/Conv2D + {PREFIX}add", 0.070, 0.184, 85.457),
]


@pytest.mark.parametrize("name", sorted(PROFILES))
def test_rows_are_as_printed(sample: Sample, name: str) -> None:
    record = sample(name)
    rows = [(r.name, r.total_ms, r.average_ms, r.median_ms, r.percent) for r in record.profile]
    assert rows == PROFILES[name]
    assert [row.position for row in record.profile] == list(range(len(rows)))
    assert record.facts.kinds == ("profile",)
    assert record.facts.engines == 1
    assert record.warnings == ()


@pytest.mark.parametrize("name", sorted(HEADS))
def test_iterations_and_total(sample: Sample, name: str) -> None:
    record = sample(name)
    assert (record.iterations, record.total_ms) == HEADS[name]


def test_the_eleven_rows(sample: Sample) -> None:
    record = sample("eleven_rows.txt")
    rows = [(r.name, r.average_ms, r.percent, r.cumulative_percent) for r in record.profile]
    assert rows == [(PREFIX + name, ms, percent, total) for name, ms, percent, total in ELEVEN_ROWS]
    assert record.warnings == ()
    reformatters = sum(ms for name, ms, _, _ in ELEVEN_ROWS if "reformatter" in name)
    assert reformatters == pytest.approx(0.255)


def test_few_decimals_are_recomputed_from_the_total(sample: Sample) -> None:
    row = sample("p4_trtexec_7.0.log").profile[0]
    assert row.average_ms == 0.01
    assert row.typical_ms == 11.20 / 812


def test_jetson_runs_become_samples(sample: Sample) -> None:
    record = sample("p3_jetson.log")
    assert [(row.name, row.samples_ms) for row in record.profile] == [
        ("block1/dw/conv + block1/dw/relu6", (0.41225, 0.40225)),
        ("block1 - pw", (0.11225, 0.11025)),
    ]
    assert record.iterations == 2
    assert record.profile[0].average_ms == pytest.approx(0.40725)
    assert [(time.gpu_ms, time.host_ms) for time in record.times] == [(10.90232, 11.20417)]
    assert record.warnings == ()


def test_a_single_jetson_run_stays_as_printed(read: Read) -> None:
    record = read("[TRT]   layer a - 0.500000 ms\n[TRT]   layer network time - 0.500000 ms\n")
    assert [(row.average_ms, row.samples_ms) for row in record.profile] == [(0.5, ())]
    assert record.total_ms == 0.5


def test_samples_of_a_profiler_dump(sample: Sample) -> None:
    stem, depthwise, pointwise = sample("p7_samples.json").profile
    assert stem.samples_ms == (0.010239999741315842, 0.011264000087976456, 0.010751999914646149)
    assert stem.median_ms == 0.010751999914646149
    assert (depthwise.average_ms, pointwise.average_ms) == (0.5, 0.25)


def test_two_profiles_are_two_engines(read: Read, sample: Sample) -> None:
    text = Path(sample("p4_trtexec_8.4.log").file).read_bytes()
    record = read(text + text.replace(b"813", b"900"))
    assert [row.engine for row in record.profile] == [0, 0, 1, 1]
    assert record.facts.engines == 2
    assert (record.iterations, record.total_ms) == (None, None)
    heads = record.as_json()["profile"]
    assert isinstance(heads, dict)
    assert [head["iterations"] for head in heads["profiles"]] == [813, 900]


def test_a_row_whose_last_field_is_broken_is_joined(read: Read) -> None:
    text = (
        "=== Profile (10 iterations ) ===\n"
        " Layer   Time (ms)   Avg. Time (ms)   Time \n%\n"
        "  conv1       10.00           1.0000    100.\n0\n"
        "  Total       10.00           1.0000    100.0\n"
    )
    record = read(text)
    assert [(row.name, row.percent) for row in record.profile] == [("conv1", 100.0)]
    assert record.total_ms == 10.0


def test_a_table_without_its_last_row_says_so(read: Read, sample: Sample) -> None:
    lines = Path(sample("p5_trtexec_10.log").file).read_text().splitlines()
    text = "\n".join(lines[:-1]) + "\n"
    record = read(text)
    assert len(record.profile) == 3
    assert record.total_ms is None
    assert [(w.line, "Total" in w.text) for w in record.warnings] == [(2, True)]


def test_lines_that_end_in_milliseconds_are_no_profile(read: Read) -> None:
    record = read(
        "Original: 3 layers\nIt took 12.5 ms\nEngine generation completed in 1.5 seconds.\nmin: 1.5 ms\n"
    )
    assert record.profile == ()


def test_inline_rows_may_be_quoted_without_line_end(read: Read) -> None:
    record = read("a : 0.5ms(1.5%) >>99.5%<<")
    assert [(row.average_ms, row.cumulative_percent) for row in record.profile] == [(0.5, 99.5)]
    assert record.warnings == ()


def test_a_description_of_a_run_is_no_profile(read: Read) -> None:
    with pytest.raises(InputError, match="no output of TensorRT was recognised"):
        read('{"tensorrt": "8.6.0", "batch": 1, "build_seconds": 25.3}')


@pytest.mark.parametrize("value", ["-5.0", "NaN", '"5"', "null"])
def test_a_layer_time_that_is_none_is_left_out_and_said(read: Read, value: str) -> None:
    rows = f'{{"name": "a", "timeMs": 1.0, "averageMs": 0.5, "medianMs": {value}, "percentage": 100.0}}'
    found = read(f'[{{"count": 2}}, {rows}]')
    (row,) = found.profile
    assert (row.average_ms, row.median_ms) == (0.5, None)
    assert any("layer 'a': medianMs is no time: " in warning.text for warning in found.warnings)
