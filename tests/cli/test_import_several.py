"""``trtmatrix import`` of summaries, of files with several engines, and of folders with other files."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import pytest

from harness.cli import import_
from harness.errors import TrtmatrixError
from harness.observations.records import CellObservation
from harness.plugins.reading import observe

SUMMARY = """\
[I] === Performance summary ===
[I] Throughput: {qps} qps
[I] Latency: min = 2 ms, max = 3 ms, mean = 2.5 ms, median = 2.4 ms, percentile(99%) = 2.9 ms
[I] GPU Compute Time: min = 1 ms, max = 2 ms, mean = 1.5 ms, median = {median} ms, percentile(99%) = 1.9 ms
[I] Total GPU Compute Time: 2.9 s
"""
TABLE = """\
[I] === Profile (40 iterations ) ===
[I]        Layer   Time (ms)   Avg. Time (ms)   Time %
[I]    {0}/conv0        8.00           0.2000     80.0
[I]       {0}/fc        2.00           0.0500     20.0
[I]        Total       10.00           0.2500    100.0
"""


def trtmatrix_import(*arguments: str | Path) -> int:
    parser = argparse.ArgumentParser(exit_on_error=False)
    import_.add_parser(parser.add_subparsers())
    parsed = parser.parse_args(["import", *map(str, arguments)])
    return int(parsed.func(parsed))


def cells(run: Path) -> list[CellObservation]:
    return list(observe([run]).cells)


@pytest.fixture
def run(tmp_path: Path) -> Path:
    return tmp_path / "run"


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "trtexec.log"


def test_a_summary_alone_is_a_latency_without_samples(
    run: Path, log: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log.write_text(SUMMARY.format(qps=640, median=1.25))
    trtmatrix_import("--out", run, "--tensorrt", "8.5.2", "--log", log)
    assert "1.25 ms: median GPU compute time of the printed summary, no samples" in capsys.readouterr().out
    (cell,) = cells(run)
    assert [build.latency_ms for build in cell.builds] == [1.25]
    assert "printed summary: median GPU compute time, no samples" in cell.reason
    assert cell.builds[0].facts["latency_from"] == "printed summary: median GPU compute time, no samples"


def test_single_inferences_go_before_a_summary(run: Path, log: Path, tmp_path: Path) -> None:
    log.write_text(SUMMARY.format(qps=640, median=1.25))
    times = tmp_path / "times.json"
    times.write_text(json.dumps([{"computeMs": 1.5, "latencyMs": 2.0}] * 3))
    trtmatrix_import("--out", run, "--log", log, "--times", times)
    (cell,) = cells(run)
    assert (cell.builds[0].latency_ms, cell.reason) == (1.5, "imported from files")


def test_runs_of_one_network_in_one_log_are_builds_of_one_cell(run: Path, log: Path) -> None:
    log.write_text(
        "".join(SUMMARY.format(qps=640, median=m) + TABLE.format("bay") for m in (1.25, 1.5, 1.75))
    )
    trtmatrix_import("--out", run, "--build", "2", "--log", log)
    (cell,) = cells(run)
    assert [(build.build, build.latency_ms) for build in cell.builds] == [(2, 1.25), (3, 1.5), (4, 1.75)]
    assert [len(build.engine.layers) for build in cell.builds if build.engine] == [2, 2, 2]


def test_engines_of_other_layers_are_cells_of_their_own(run: Path, log: Path) -> None:
    log.write_text(TABLE.format("bay") + TABLE.format("fen"))
    trtmatrix_import("--out", run, "--log", log)
    first, second = cells(run)
    assert [layer.name for layer in first.builds[0].engine.layers] == ["bay/conv0", "bay/fc"]  # type: ignore[union-attr]
    assert [layer.name for layer in second.builds[0].engine.layers] == ["fen/conv0", "fen/fc"]  # type: ignore[union-attr]
    assert second.cell.repeat == "engine1"


def test_one_engine_of_several(run: Path, log: Path) -> None:
    log.write_text(SUMMARY.format(qps=640, median=1.25) + SUMMARY.format(qps=320, median=2.5))
    trtmatrix_import("--out", run, "--engine", "1", "--log", log)
    (cell,) = cells(run)
    assert [build.latency_ms for build in cell.builds] == [2.5]
    with pytest.raises(TrtmatrixError, match="the files describe 2, from 0"):
        trtmatrix_import("--out", run, "--engine", "2", "--log", log)


def test_other_files_of_a_folder_are_left_out_and_said(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "kept"
    folder.mkdir()
    (folder / "config.json").write_text('{"batch": 4, "latency_ms": 3.2, "sizes": [96, 128]}')
    (folder / "trtexec.log").write_text(TABLE.format("bay"))
    trtmatrix_import("--out", run, folder)
    assert "left out: " in (said := capsys.readouterr().err)
    assert "config.json" in said
    (cell,) = cells(run)
    assert [layer.name for layer in cell.builds[0].engine.layers] == ["bay/conv0", "bay/fc"]  # type: ignore[union-attr]
    assert not (cell.builds[0].folder / "evidence" / "config.json").exists()  # type: ignore[operator]


def test_a_folder_of_other_files_alone_is_refused(run: Path, tmp_path: Path) -> None:
    folder = tmp_path / "kept"
    folder.mkdir()
    (folder / "config.json").write_text('{"batch": 4, "latency_ms": 3.2}')
    with pytest.raises(TrtmatrixError, match="no output of TensorRT"):
        trtmatrix_import("--out", run, folder)


def test_copies_of_the_dla_are_reformats(run: Path, log: Path) -> None:
    log.write_text(
        "[I] === Profile (100 iterations ) ===\n"
        "[I]                 Layer   Time (ms)   Avg. Time (ms)   Time %\n"
        "[I]           data to nvm        2.00           0.0200     20.0\n"
        "[I]         {a/b,a/c,a/d}        6.00           0.0600     60.0\n"
        "[I]          d from nvm_x        1.00           0.0100     10.0\n"
        "[I]      data copy finish        1.00           0.0100     10.0\n"
        "[I]                 Total       10.00           0.1000    100.0\n"
    )
    trtmatrix_import("--out", run, "--log", log)
    (cell,) = cells(run)
    engine = cell.builds[0].engine
    assert engine is not None
    assert [layer.name for layer in engine.layers if layer.role.name == "REFORMAT"] == [
        "data to nvm",
        "data copy finish",
    ]
