"""What is a profile and what only looks like one: frames, and evidence where the frame was left out."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from harness.errors import InputError
from harness.evidence.record import Record

Read = Callable[[bytes | str], Record]

OPTIONS = """\
[03/14/2032-09:26:53] [I] === Inference Options ===
[03/14/2032-09:26:53] [I] Duration: 3s (+ 200ms warm up)
[03/14/2032-09:26:53] [I] Sleep time: 0ms
[03/14/2032-09:26:53] [I] Idle time: 0ms
[03/14/2032-09:26:53] [I] Streams: 1
"""
TABLE = """\
[03/14/2032-09:26:53] [I] === Profile (40 iterations ) ===
[03/14/2032-09:26:53] [I]        Layer   Time (ms)   Avg. Time (ms)   Median Time (ms)   Time %
[03/14/2032-09:26:53] [I]   head/conv0        8.00           0.2000             0.1990     80.0
[03/14/2032-09:26:53] [I]      tail/fc        2.00           0.0500             0.0498     20.0
[03/14/2032-09:26:53] [I]        Total       10.00           0.2500             0.2488    100.0
"""


def rows(record: Record) -> list[tuple[str, float | None]]:
    return [(row.name, row.typical_ms) for row in record.profile]


def test_options_are_no_layers(read: Read) -> None:
    record = read(OPTIONS + TABLE)
    assert rows(record) == [("head/conv0", 0.199), ("tail/fc", 0.0498)]
    assert (record.iterations, record.total_ms, record.facts.engines) == (40, 10.0, 1)
    assert record.warnings == ()


@pytest.mark.parametrize(
    "text",
    [
        "frame 7\nload 3.10 ms\ncrop 0.80 ms\nsend: 2.25 ms\nframe 8\nload 3.20 ms\ncrop 0.70 ms\n",
        "Sleep time: 0ms\nIdle time: 0ms\n",
        "64 bytes from 192.0.2.7: icmp_seq=1 ttl=57 time 11.4 ms\nreply from 192.0.2.7 in 12.1 ms\n",
        "conv1 0.5 ms\n",
        "quarter   12.50   0.1250   3.1\n",
        "2032-03-14,17\n2032-03-15,19\n2032-03-16,23\n",
        "name,timestamp,items\nann,17,3\nbob,19,4\n",
        "Ann,12\nBob,14\nCem,15\n",
        '{"batch": 4, "latency_ms": 3.2}',
        '{"Kernel": [3, 3], "Stride": [2, 2]}',
        '{"PoolSize": [2, 2], "Stride": [2, 2], "PaddingMode": "kEXPLICIT_ROUND_UP", "BlendFactor": 0}',
        '{"mean": [0.485, 0.456, 0.406], "std": [0.229, 0.224, 0.225]}',
        '{"widths": [96, 128.5], "rate": 0.001, "epochs": 90}',
        '[{"latencyMs": 3.5, "batch": 2}, {"latencyMs": 3.7, "batch": 4}]',
        "layer cake - 3.5 ms\n",
    ],
)
def test_numbers_without_a_frame_are_no_profile(read: Read, text: str) -> None:
    with pytest.raises(InputError, match="no output of TensorRT was recognised"):
        read(text)


@pytest.mark.parametrize(
    ("text", "missing"),
    [
        ("load 3.10 ms\ncrop 0.80 ms\n", "no 'Time over all layers'"),
        ('{"load": 3.5, "crop": 0.8}', "no names of layers"),
        ("  conv1   12.50   0.1250   3.1\n", "no header"),
    ],
)
def test_what_is_refused_says_what_was_missing(read: Read, text: str, missing: str) -> None:
    with pytest.raises(InputError, match=missing):
        read(text)


def test_timers_below_and_above_a_profile_are_no_rows_of_it(read: Read) -> None:
    sample = (
        "dock/conv1                               0.412ms\ndock/fc                                  0.091ms\n"
    )
    record = read(
        "load 2.5 ms\ncrop 1.5 ms\n" + sample + "Time over all layers: 0.503\nsend 0.4 ms\nsave 9 ms\n"
    )
    assert rows(record) == [("dock/conv1", 0.412), ("dock/fc", 0.091)]
    assert (record.total_ms, record.facts.engines) == (0.503, 1)
    spaced = "load 2.5 ms\ncrop 1.5 ms\nfilter/a 0.4 ms\nfilter/b 0.2 ms\nTime over all layers: 0.6 ms\n"
    assert rows(read(spaced)) == [("filter/a", 0.4), ("filter/b", 0.2)]


def test_rows_that_do_not_add_up_to_their_total_say_so(read: Read) -> None:
    record = read("filter/a 0.4 ms\nfilter/b 0.2 ms\nTime over all layers: 9.6 ms\n")
    assert [warning.text for warning in record.warnings] == [
        "the rows that begin here do not add up to the total printed with them"
    ]


def test_names_of_layers_are_evidence_enough(read: Read) -> None:
    record = read("conv1 + relu1 0.4 ms\nconv2 input reformatter 0: 0.2 ms\npool5 = 0.1 ms\n")
    assert rows(record) == [("conv1 + relu1", 0.4), ("conv2 input reformatter 0", 0.2), ("pool5", 0.1)]
    assert "no total line" in record.warnings[0].text


@pytest.mark.parametrize(
    "form", ["layer {}  consuming {} ms", "Layer: {} takes {} ms", "{} cost {}ms", "{} = {} ms", "{}\t{} ms"]
)
def test_words_around_every_name_are_none_of_it(read: Read, form: str) -> None:
    text = form.format("fir/conv1", "0.25") + "\n" + form.format("fir/pool", "0.5") + "\n"
    assert rows(read(text + "Time over all layers: 0.75 ms\n")) == [("fir/conv1", 0.25), ("fir/pool", 0.5)]


def test_rows_of_a_table_quoted_without_its_header(read: Read) -> None:
    first = (
        "   bay/stem + bay/act       30.60           0.0612     22.5\n"
        "              bay/dw1       46.55           0.0931     34.2\n"
    )
    record = read(first)
    assert [(r.name, r.total_ms, r.average_ms, r.percent) for r in record.profile] == [
        ("bay/stem + bay/act", 30.6, 0.0612, 22.5),
        ("bay/dw1", 46.55, 0.0931, 34.2),
    ]
    assert "without its header" in record.warnings[0].text
    last = (
        "      55.08       0.0612       0.0606      22.5   bay/stem + bay/act\n"
        "      83.79       0.0931       0.0922      34.2   bay/dw1\n"
    )
    assert [(r.name, r.median_ms) for r in read("some words\n" + last + "more words\n").profile] == [
        ("bay/stem + bay/act", 0.0606),
        ("bay/dw1", 0.0922),
    ]


def test_rows_whose_numbers_no_number_of_iterations_explains_are_no_table(read: Read) -> None:
    with pytest.raises(InputError):
        read("conv1   30.60   0.0612   22.5\nconv2   46.55   0.0131   34.2\n")


def test_the_total_row_closes_rows_without_a_header(read: Read) -> None:
    record = read(
        "conv1   30.60   0.0612   60.0\nconv2   20.40   0.0408   40.0\nTotal   51.00   0.1020   100.0\n"
    )
    assert (record.total_ms, len(record.profile)) == (51.0, 2)


def test_one_layer_of_the_inspector_is_a_layer(read: Read) -> None:
    record = read(
        '{"Name": "bay/conv3", "LayerType": "CaskConvolution", "Kernel": [3, 3], "Stride": [2, 2],'
        ' "OutMaps": 40, "Inputs": [], "Outputs": [], "TacticValue": "0x1"}'
    )
    assert (record.facts.kinds, record.profile) == (("engine_layers",), ())
    (layer,) = record.engine_layers
    assert (layer.name, layer.attributes["kernel"], layer.attributes["out_maps"]) == ("bay/conv3", [3, 3], 40)


def test_layers_of_the_inspector_one_object_a_line_are_one_engine(read: Read) -> None:
    record = read('{"Name": "a", "LayerType": "X"}\n{"Name": "b", "LayerType": "Y"}\n')
    assert [(layer.name, layer.position) for layer in record.engine_layers] == [("a", 0), ("b", 1)]
    assert record.facts.engines == 1


def test_samples_by_layer_are_known_by_names_or_by_single_precision(read: Read) -> None:
    assert rows(read('{"conv1": [0.5, 0.25, 0.75], "block/relu": [0.125, 0.1]}'))[0] == ("conv1", 0.5)
    assert len(read('{"x": [0.010239999741315842, 0.011264000087976456]}').profile) == 1


@pytest.mark.parametrize(
    ("table", "expected"),
    [
        ("layer;ms\nconv1;0,25\nfc;0,5\n", [("conv1", 0.25), ("fc", 0.5)]),
        ("layer\ttime\nconv1\t0.25\nfc\t0.5\n", [("conv1", 0.25), ("fc", 0.5)]),
        ("name,avg_ms,share\nconv, a,0.25,33.3%\nfc,0.5,66.7 %\n", [("conv, a", 0.25), ("fc", 0.5)]),
        (
            "conv1,0.25\nconv2 + relu2,0.5\npool1,0.75\n",
            [("conv1", 0.25), ("conv2 + relu2", 0.5), ("pool1", 0.75)],
        ),
    ],
)
def test_tables_with_other_delimiters_and_more_columns(
    read: Read, table: str, expected: list[tuple[str, float]]
) -> None:
    assert rows(read(table)) == expected


MARKDOWN = """\
Measured on the old card:

| Layer | Time (ms) | Avg. Time (ms) | Median Time (ms) | Time % |
|---|---:|---:|---:|---:|
| `head/conv0` | 8.00 | 0.2000 | 0.1990 | 80.0 |
| a \\|\\| b | 2.00 | 0.0500 | 0.0498 | 20.0 |
| Total | 10.00 | 0.2500 | 0.2488 | 100.0 |
"""


def test_a_table_in_markdown(read: Read) -> None:
    record = read(MARKDOWN)
    assert rows(record) == [("head/conv0", 0.199), ("a || b", 0.0498)]
    assert record.total_ms == 10.0


def test_decimal_commas_and_other_blanks_in_a_table(read: Read) -> None:
    text = TABLE.replace("   ", " \u00a0 ")
    assert rows(read(text)) == [("head/conv0", 0.199), ("tail/fc", 0.0498)]
    lines = TABLE.splitlines(keepends=True)
    commas = "".join(lines[:2] + [line.replace(".", ",") for line in lines[2:]])
    assert rows(read(commas)) == [("head/conv0", 0.199), ("tail/fc", 0.0498)]


LISTING = [
    ("old/block5/pw", 0.142, 0.811, 41.207),
    ("old/block5/dw input reformatter 0", 0.096, 0.549, 58.102),
    ("old/block5/3\u00d73 + relu", 0.388, 2.217, 18.664),
]


@pytest.mark.parametrize(
    "form",
    [
        "{} : {:.3f}ms({:.3f}%) >>{:.3f}%<<",
        "{:<60}:   {:.3f}ms({:.3f}%)   >>{:.3f}%<<",
        "{:<60}:\t{:.3f} ms ( {:.3f} % )\t>> {:.3f} % <<",
        "{}\t\t:\t{:.3f}\u00a0ms ( {:.3f} %)\t>> {:.3f} %<<",
        "    {}:{:.3f}ms({:.3f}%)>>{:.3f}%<<",
        "{}\uff1a{:.3f}ms\uff08{:.3f}\uff05\uff09 >>{:.3f}%<<",
        "> {} : {:.3f}ms({:.3f}%) >>{:.3f}%<<",
        "{} : {:.3f}ms({:.3f}%) \u00bb{:.3f}%\u00ab",
    ],
)
def test_the_listing_of_forums_however_it_is_padded(read: Read, form: str) -> None:
    record = read("".join(form.format(*row) + "\n" for row in LISTING))
    found = [(r.name, r.average_ms, r.percent, r.cumulative_percent) for r in record.profile]
    assert found == LISTING
    assert record.facts.engines == 1


@pytest.mark.parametrize(
    "cut", ["{} : {:.3f}ms({:.3f}%)", "{} : {:.3f}ms({:.3f}%) >>", "{} : {:.3f}ms({:.3f}%) >>4"]
)
def test_the_listing_of_forums_with_its_last_column_cut(read: Read, cut: str) -> None:
    record = read("".join(cut.format(*row) + "\n" for row in LISTING))
    found = [(r.name, r.average_ms, r.percent, r.cumulative_percent) for r in record.profile]
    assert found == [(*row[:3], None) for row in LISTING]
