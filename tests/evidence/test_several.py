"""Several of one thing in one file: each is kept, in order, under an engine of its own."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from harness.evidence.record import Record

Read = Callable[[bytes | str], Record]
SAMPLES = Path(__file__).parents[1] / "data" / "evidence"


def text_of(name: str) -> str:
    return (SAMPLES / name).read_text()


@pytest.mark.parametrize("name", ["s3_7.0.log", "s4_7.2.log", "s5_8.0.log", "s7_8.5.log"])
def test_summaries_follow_each_other(read: Read, name: str) -> None:
    text = text_of(name)
    (one,) = read(text).summary
    again = read(text + text)
    assert [row.engine for row in again.summary] == [0, 1]
    assert [row.gpu_ms for row in again.summary] == [one.gpu_ms, one.gpu_ms]
    assert again.facts.engines == 2


def test_summary_and_profile_of_one_engine_stay_together(read: Read) -> None:
    both = text_of("s7_8.5.log") + text_of("p4_trtexec_8.4.log")
    record = read(both + both)
    assert [row.engine for row in record.summary] == [0, 1]
    assert [head.engine for head in record.profiles] == [0, 1]


@pytest.mark.parametrize("name", ["p6_export_profile_7.json", "p6_export_profile_8.4.json", "times_8.6.json"])
def test_exports_appended_to_one_file(read: Read, name: str) -> None:
    text = text_of(name)
    one, three = read(text), read(text * 3)
    assert three.facts.engines == 3
    assert [row.name for row in three.profile] == [row.name for row in one.profile] * 3
    assert [row.engine for row in three.times] == [e for e in range(3) for _ in one.times]
    assert [head.iterations for head in three.profiles] == [head.iterations for head in one.profiles] * 3
    assert three.warnings == one.warnings


def test_a_profile_and_times_in_one_file_are_of_one_engine(read: Read) -> None:
    record = read(text_of("p6_export_profile_8.4.json") + text_of("times_8.6.json"))
    assert (record.facts.engines, record.facts.kinds) == (1, ("profile", "times"))


def test_builds_of_tensorrt_4_in_one_log(read: Read) -> None:
    def build(layer: str) -> str:
        return (
            f"[TensorRT] INFO: --------------- Timing {layer}(14)\n"
            "[TensorRT] INFO: Tactic 0 time 0.31\n"
            "[TensorRT] INFO: Tactic 7 time 0.27\n"
            "[TensorRT] INFO: --------------- Chose 14 (7)\n"
            "[TensorRT] INFO: Data initialization and engine generation completed in 0.5 seconds.\n"
        )

    record = read(build("oak/conv1") + build("ash/conv1") + build("elm/conv1"))
    assert [(row.engine, row.layer) for row in record.tactics if row.chosen] == [
        (0, "oak/conv1"),
        (1, "ash/conv1"),
        (2, "elm/conv1"),
    ]


def test_lists_of_layers_follow_each_other(read: Read) -> None:
    names = "Layer Information:\nLayers:\n{}/conv\n{}/fc\n\nBindings:\nx\n"
    record = read(names.format("a", "a") + "Starting\n" + names.format("b", "b"))
    assert [(layer.engine, layer.name) for layer in record.engine_layers] == [
        (0, "a/conv"),
        (0, "a/fc"),
        (1, "b/conv"),
        (1, "b/fc"),
    ]
    text = text_of("e6_polygraphy.log")
    assert read(text + text).facts.engines == 2


def test_tables_with_a_header_each(read: Read) -> None:
    record = read("name,ms\nisle/a,0.12\nisle/b,0.03\nname,ms\nrock/a,0.51\n")
    assert [(row.engine, row.name) for row in record.profile] == [(0, "isle/a"), (0, "isle/b"), (1, "rock/a")]
    assert [(head.engine, head.layers, head.line) for head in record.profiles] == [(0, 2, 1), (1, 1, 4)]


def test_a_listing_that_begins_again_below_other_words(read: Read) -> None:
    listing = "sea/pw : 0.142ms(0.811%) >>41.207%<<\nsea/dw : 0.388ms(2.217%) >>18.664%<<\n"
    record = read("the old card\n" + listing + "the new card\n" + listing)
    assert [row.engine for row in record.profile] == [0, 0, 1, 1]
    assert read(listing + "and then\n" + "sea/act : 0.1ms(1%) >>9%<<\n").facts.engines == 1


def test_places_and_numbers_of_rows_in_the_record(read: Read) -> None:
    text = text_of("p4_trtexec_8.4.log")
    profile = read(text + text).as_json()["profile"]
    assert isinstance(profile, dict)
    count = len(text.splitlines())
    assert [(p["rows"], p["line"]) for p in profile["profiles"]] == [(2, 3), (2, 3 + count)]
