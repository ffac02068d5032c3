"""Builder logs whose beginning, headers or choices were cut off: nothing is dropped, nothing is made up."""

from __future__ import annotations

from collections.abc import Callable

from harness.evidence.record import Record

Read = Callable[[bytes | str], Record]
STARS = "*************** Autotuning format combination: Float(9) -> Float(9) ***************\n"


def chosen(record: Record) -> list[tuple[str, str | None, str]]:
    return [(row.layer, row.runner, row.tactic) for row in record.tactics if row.chosen]


def by_layer(record: Record) -> dict[str, int]:
    counts: dict[str, int] = {}
    for row in record.tactics:
        counts[row.layer] = counts.get(row.layer, 0) + 1
    return counts


def test_tactics_before_the_first_header_are_of_an_unknown_layer(read: Read) -> None:
    record = read(
        "Tactic 31 time 0.5\nTactic 32 time 0.4\n--------------- Timing moss/conv(1)\nTactic 0 time 0.6\n"
        "--------------- Chose 1 (0)\n"
    )
    assert by_layer(record) == {"unknown": 2, "moss/conv": 1}
    assert record.facts.lines.used == 5
    assert "begins in the middle" in record.warnings[0].text


def test_tactics_after_a_choice_are_a_block_of_their_own(read: Read) -> None:
    record = read(
        STARS + "--------------- Timing Runner: moss/a (CaskConvolution)\nTactic: 5 Time: 0.2\n"
        ">>>>>>>>>>>>>>> Chose Runner Type: CaskConvolution Tactic: 5\n"
        "Tactic: 6 Time: 0.4\nTactic: 7 Time: 0.3\n"
        ">>>>>>>>>>>>>>> Chose Runner Type: CaskConvolution Tactic: 7\n"
        + STARS
        + "--------------- Timing Runner: moss/b (CaskConvolution)\nTactic: 8 Time: 0.1\n"
    )
    assert by_layer(record) == {"moss/a": 1, "unknown": 2, "moss/b": 1}
    assert ("moss/a", "CaskConvolution", "5") in chosen(record)


def test_a_chosen_tactic_that_was_not_shown_has_no_time(read: Read) -> None:
    record = read(
        "--------------- Timing moss/conv(14)\nTactic 41 time 0.5\n--------------- Timing moss/conv(1)\n"
        "Tactic 0 time 0.7\n--------------- Chose 2 (107)\n"
    )
    assert chosen(record) == [("moss/conv", "2", "107")]
    assert [row.time_ms for row in record.tactics] == [0.5, 0.7, None]


def test_a_last_layer_with_one_option_is_decided(read: Read) -> None:
    record = read("--------------- Timing moss/softmax(10)\nTactic 0 is the only option, timing skipped\n")
    assert chosen(record) == [("moss/softmax", "10", "0")]
    assert record.warnings == ()


LAYER = "Layer(CaskConvolution): moss/a, Tactic: 5, x[Float(1,3,8,8)] -> y[Float(1,8,8,8)]\n"


def test_a_list_that_leaves_out_no_ops_is_not_cut(read: Read) -> None:
    log = "After reformat layers: 3 layers\nEngine Layer Information:\n" + LAYER
    assert "ends after 1 of 3" in read(log).warnings[0].text
    assert read(log + "Builder timing cache: created 4 entries, 0 hit(s)\n").warnings == ()


def test_the_version_in_the_last_line_of_a_run(read: Read) -> None:
    record = read(
        "[I] Throughput: 801.2 qps\n&&&& PASSED TensorRT.trtexec [TensorRT v8503] # trtexec --onnx=a.onnx\n"
    )
    assert record.facts.tensorrt == "8503"


def test_a_lone_value_belongs_to_no_section_above_it(read: Read) -> None:
    record = read(
        "[I] Host Latency\n[I] mean: 2.2 ms (end to end 2.3 ms)\n[I] median: 2.1 ms (end to end 2.2 ms)\n"
        "[I] throughput: 440 qps\n[I] walltime: 3 s\n--\n[I] median: 0.4 ms\n"
        "[I] GPU Compute\n[I] median: 2 ms\n[I] total compute time: 2.8 s\n"
    )
    (summary,) = record.summary
    assert (summary.latency_ms["median"], summary.gpu_ms["median"], summary.enqueue_ms) == (2.1, 2.0, {})


def test_a_line_that_is_its_prefix_alone(read: Read) -> None:
    stamp = "[03/14/2032-09:26:53] [I]"
    record = read(
        f"{stamp} Average on 10 runs - GPU latency: 0.05 ms - Host latency: 0.06 ms (enqueue 0.01 ms)\n"
        f"{stamp}\n"
        f"{stamp} === Performance summary ===\n{stamp} Throughput: 15900 qps\n"
        f"{stamp} GPU Compute Time: min = 0.05 ms, max = 0.06 ms, mean = 0.055 ms, median = 0.054 ms\n"
        f"{stamp} Total GPU Compute Time: 2.9 s\n"
    )
    (summary,) = record.summary
    assert (summary.throughput_qps, summary.gpu_ms["median"]) == (15900, 0.054)
