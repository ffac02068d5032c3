"""``trtmatrix parse``: records as text, JSON and lines."""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from pathlib import Path

import pytest

from harness.cli.parse import add_parser, main, run

DATA = Path(__file__).parents[1] / "data"
ELEVEN = str(DATA / "evidence" / "eleven_rows.txt")
LOG = str(DATA / "recordings" / "8.5.1.7.v2.fp32.b1" / "build.log.gz")
KEYS = [
    "schema",
    "file",
    "kinds",
    "tensorrt",
    "driver",
    "plugins",
    "engines",
    "profile",
    "tactics",
    "skipped_runners",
    "engine_layers",
    "times",
    "summary",
    "lines",
    "warnings",
]


def test_json_of_one_file_is_an_object(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--json", "--tensorrt", "5", ELEVEN]) == 0
    record = json.loads(capsys.readouterr().out)
    assert list(record) == KEYS
    assert (record["file"], record["tensorrt"], record["kinds"]) == (ELEVEN, "5", ["profile"])
    row = record["profile"]["layers"][4]
    assert row == {
        "engine": 0,
        "name": "FeatureExtractor/MobilenetV2/expanded_conv_5/depthwise/depthwise",
        "total_ms": None,
        "average_ms": 0.313,
        "median_ms": None,
        "percent": 0.82,
        "cumulative_percent": 50.349,
    }
    assert record["lines"] == {"read": 11, "used": 11, "ignored": 0}


def test_json_of_several_files_is_an_array(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--json", ELEVEN, LOG]) == 0
    records = json.loads(capsys.readouterr().out)
    assert [record["kinds"] for record in records] == [["profile"], ["builder_log", "engine_layers"]]
    # what a file prints stands above what the user says
    assert records[1]["tensorrt"] == "8.5.1"


def test_jsonl_has_the_rows_of_the_record(capsys: pytest.CaptureFixture[str]) -> None:
    main(["--json", LOG])
    record = json.loads(capsys.readouterr().out)
    main(["--jsonl", LOG])
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert (lines[0]["row"], lines[-1]["row"]) == ("file", "end")
    for kind in ("tactics", "skipped_runners", "engine_layers", "times", "summary"):
        rows = [
            {key: value for key, value in line.items() if key != "row"}
            for line in lines
            if line["row"] == kind
        ]
        assert rows == record[kind]
    assert lines[-1]["lines"] == record["lines"]


def test_text_names_the_slowest_layer_first(capsys: pytest.CaptureFixture[str]) -> None:
    main([ELEVEN])
    out = capsys.readouterr().out.splitlines()
    assert out[0].endswith("profile; TensorRT version not printed; 1 engine")
    assert "0.313 ms  0.82 %" in out[2]


@pytest.mark.parametrize("form", ["--json", "--jsonl"])
def test_an_unknown_file_is_one_line_and_code_2(
    form: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("nothing of interest\n")
    assert main([form, str(path)]) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert "no output of TensorRT was recognised" in error
    assert main([form, str(tmp_path / "missing")]) == 2
    assert "no such file" in capsys.readouterr().err


@pytest.mark.parametrize("form", ["--json", "--jsonl"])
def test_what_has_no_end_is_not_read(form: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([form, "/dev/zero"]) == 2
    assert "/dev/zero: is a device; expected a file or a pipe" in capsys.readouterr().err


@pytest.mark.parametrize("text", ['{"Layers": 3}', '{"Bindings": 1.5}', '{"Layers": 0.25, "Bindings": {}}'])
def test_layers_that_are_no_list_are_no_layer_times(
    text: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "layers.json"
    path.write_text(text)
    assert main(["--json", str(path)]) == 2
    assert "no output of TensorRT was recognised" in capsys.readouterr().err


def test_add_parser_sets_the_function() -> None:
    parser = argparse.ArgumentParser()
    add_parser(parser.add_subparsers())
    assert parser.parse_args(["parse", "a.log", "--json"]).func is run


def test_runs_as_a_module() -> None:
    command = [sys.executable, "-m", "harness.cli.parse", ELEVEN]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "11 layers" in done.stdout


def test_several_profiles_and_summaries_are_told_apart(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "two.log"
    table = "=== Profile (40 iterations ) ===\n Layer   Time (ms)   Avg. Time (ms)   Time %\n"
    rows = "  {0}/a       10.00           0.2500    100.0\n  Total       10.00           0.2500    100.0\n"
    path.write_text(table + rows.format("x") + "[I] Throughput: 9 qps\n" + table + rows.format("y"))
    assert main([str(path)]) == 0
    printed = capsys.readouterr().out
    assert "profile of engine 0: 1 layer, 40 iterations, from line 2" in printed
    assert "profile of engine 1: 1 layer, 40 iterations, from line 7" in printed
    assert "summary of engine 0: GPU times not printed, 9 qps" in printed
