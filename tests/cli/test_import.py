"""``trtmatrix import``: recordings and the eleven rows into a bundle, and what cannot be imported."""

from __future__ import annotations

import argparse
import json
import shutil
from dataclasses import replace
from pathlib import Path

import onnx
import pytest

from harness.cli import import_
from harness.errors import TrtmatrixError
from harness.networks.mobilenet import MobileNetV2
from harness.networks.onnx_export import to_onnx
from harness.observations.records import CellObservation
from harness.plugins.reading import observe
from harness.store.bundle import Bundle
from harness.store.parquet import read_table
from tests.attribution.recorded import RECORDINGS, V1_FP16, V2_850, V2_860
from tests.attribution.recorded_rows import ROWS, printed

OLD = "unknown-unknown-bunknown-unknown-tensorrt-5"
NEW = "mobilenet_v2-fp32-b1-clip-core-tensorrt-8.6.0"


def trtmatrix_import(*arguments: str | Path) -> int:
    parser = argparse.ArgumentParser(exit_on_error=False)
    import_.add_parser(parser.add_subparsers())
    parsed = parser.parse_args(["import", *map(str, arguments)])
    return int(parsed.func(parsed))


def cells(run: Path) -> dict[str, CellObservation]:
    return {cell.cell.id: cell for cell in observe([run]).cells}


@pytest.fixture
def rows(tmp_path: Path) -> Path:
    path = tmp_path / "rows.txt"
    path.write_text("\n".join(map(printed, ROWS)) + "\n")
    return path


@pytest.fixture
def run(tmp_path: Path) -> Path:
    return tmp_path / "run"


def test_three_recordings_and_the_eleven_rows_stand_side_by_side(
    run: Path, rows: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in (V2_850, V2_860, V1_FP16):
        assert trtmatrix_import("--out", run, RECORDINGS / name) == 0
    assert trtmatrix_import("--out", run, "--tensorrt", "5", "--profile", rows) == 0
    printed_lines = capsys.readouterr().out
    assert "1x1 convolutions: 35 of 35 on a GEMM kernel, 0 on gemm_as_conv1x1, 0 unknown" in printed_lines
    assert (
        "depthwise convolutions: 17, 0.112 ms; 1 reformat around them, 0.005 ms more: 4 % of both"
        in printed_lines
    )
    answer = "depthwise convolutions: 1, 0.313 ms; 2 reformats around them, 0.255 ms more: 45 % of both"
    assert answer in printed_lines
    assert "depthwise/depthwise: 2 reformats, 0.255 ms beside 0.313 ms of its convolution" in printed_lines
    assert "expand/Relu6: in pieces, 3 layers, 0.189 ms" in printed_lines
    assert "depthwise/Relu6: in pieces, 3 layers, 0.184 ms" in printed_lines
    found = cells(run)
    assert {cell.status for cell in found.values()} == {"recorded"}
    assert {cell.digest for cell in found.values()} == {"unknown"}
    assert {cell.cell.environment for cell in found.values()} == {"recorded"}
    (new,) = found[NEW].builds
    assert new.latency_ms == pytest.approx(0.348, abs=0.001)
    assert new.engine is not None
    assert (new.engine.unattributed_ms, new.engine.partial) == (0.0, False)
    assert new.evidence is not None
    assert new.evidence.tactics
    assert (new.host, new.facts["gpu"]) == ("unknown", "NVIDIA H200")
    (old,) = found[OLD].builds
    assert old.engine is not None
    assert old.engine.partial
    assert old.latency_ms is None
    tables = {row["cell"] for row in read_table(run / "layer_times.parquet")}
    assert tables == set(found)


@pytest.fixture
def own(tmp_path: Path) -> Path:
    """A small MobileNet whose nodes are called as PyTorch's exports are, and a profile of three of them."""
    small = MobileNetV2(width=0.25, resolution=32, classes=11, calibrated=False, name="small")
    model = to_onnx(small.graph(), 13)
    for number, node in enumerate(model.graph.node):
        node.name = f"{node.op_type}_{number}"
    onnx.save(model, str(tmp_path / "own.onnx"))
    rows = {
        "Conv_0 + Clip_1": 0.02,
        "Reformatting CopyNode for Input Tensor 0 to Conv_2 + Clip_3": 0.01,
        "Conv_2 + Clip_3": 0.03,
        "Conv_4": 0.01,
    }
    path = tmp_path / "own.txt"
    path.write_text("".join(f"{name} : {ms:.3f}ms\n" for name, ms in rows.items()))
    return path


def test_the_file_behind_an_engine_says_which_layers_are_depthwise(
    run: Path, own: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    answer = "depthwise convolutions: 1, 0.030 ms; 1 reformat around them, 0.010 ms more: 25 % of both"
    beside = "Conv_2: 1 reformat, 0.010 ms beside 0.030 ms of its convolution"
    trtmatrix_import("--out", run / "unknown", own)
    said = capsys.readouterr().out
    assert answer not in said
    assert beside in said
    assert "import again into a new folder with --network model.onnx" in said
    trtmatrix_import("--out", run / "named", "--network", "mobilenet_v2", own)
    assert "most layers have other names than the ops of 'mobilenet_v2'" in capsys.readouterr().out
    file = own.with_suffix(".onnx")
    trtmatrix_import("--out", run / "own", "--network", file, own)
    assert answer in capsys.readouterr().out
    file.unlink()
    (cell,) = cells(run / "own").values()
    (build,) = cell.builds
    assert build.engine is not None
    assert build.engine.unattributed_ms == 0, "the run itself keeps what the network is"


def test_another_file_of_the_same_name_is_refused(run: Path, own: Path) -> None:
    file = own.with_suffix(".onnx")
    trtmatrix_import("--out", run, "--network", file, own)
    trtmatrix_import("--out", run, "--network", file, "--build", "1", own)
    other = MobileNetV2(width=0.25, resolution=32, classes=12, calibrated=False, name="small")
    onnx.save(to_onnx(other.graph(), 13), str(file))
    with pytest.raises(TrtmatrixError, match="has another network called 'own'; rename the file"):
        trtmatrix_import("--out", run, "--network", file, "--build", "2", own)
    with pytest.raises(TrtmatrixError, match="--shape needs a file with --network"):
        trtmatrix_import("--out", run, "--shape", "x=1x3", "--build", "2", own)


def test_what_is_not_stated_stays_unknown(run: Path, rows: Path) -> None:
    trtmatrix_import("--out", run, "--profile", rows)
    (found,) = cells(run).values()
    assert (found.cell.network, found.cell.version, found.cell.treatment.batch) == (
        "unknown",
        "unknown",
        None,
    )
    said = found.cell.treatment.as_json()
    assert {value for key, value in said.items() if key != "batch"} == {"unknown"}


def test_the_command_line_goes_before_meta_json_and_meta_json_before_the_files(run: Path) -> None:
    trtmatrix_import(
        "--out",
        run,
        "--precision",
        "tf32",
        "--batch",
        "unknown",
        "--tensorrt",
        "8.6.0.12",
        RECORDINGS / V2_860,
    )
    trtmatrix_import("--out", run, "--log", RECORDINGS / V2_860 / "build.log.gz")
    ids = list(cells(run))
    assert ids[0] == "mobilenet_v2-tf32-bunknown-clip-core-tensorrt-8.6.0.12"
    assert ids[1].startswith("unknown-unknown-bunknown-unknown-tensorrt-8.6")


def test_another_build_of_the_same_cell(run: Path) -> None:
    trtmatrix_import("--out", run, RECORDINGS / V2_860)
    trtmatrix_import("--out", run, RECORDINGS / V2_860)
    trtmatrix_import("--out", run, "--build", "3", RECORDINGS / V2_860)
    assert [build.build for build in cells(run)[NEW].builds] == [0, 3]


def test_other_files_do_not_replace_a_build(run: Path, tmp_path: Path) -> None:
    trtmatrix_import("--out", run, RECORDINGS / V2_860)
    other = tmp_path / "other"
    other.mkdir()
    for path in (RECORDINGS / V2_860).iterdir():
        if path.name != "build.log.gz":
            shutil.copyfile(path, other / path.name)
    with pytest.raises(TrtmatrixError, match=r"build 0 of .* is there already, from other files"):
        trtmatrix_import("--out", run, other)


def test_raw_files_are_kept_as_they_came(run: Path) -> None:
    trtmatrix_import("--out", run, RECORDINGS / V2_860)
    kept = Bundle.open(run).build_folder(NEW, 0) / "evidence"
    for path in kept.iterdir():
        assert path.read_bytes() == (RECORDINGS / V2_860 / path.name).read_bytes()
    assert {path.name for path in kept.iterdir()} == {
        "build.log.gz",
        "layers.json.gz",
        "profile.json",
        "times.json",
    }


def test_an_alias_map_ties_foreign_names(run: Path, tmp_path: Path) -> None:
    profile = tmp_path / "profile.json"
    profile.write_text(
        json.dumps(
            [
                {"count": 2},
                {"name": "stem", "timeMs": 1, "averageMs": 0.5, "percentage": 60.0},
                {"name": "part2/expand", "timeMs": 1, "averageMs": 0.5, "percentage": 40.0},
            ]
        )
    )
    aliases = tmp_path / "aliases.toml"
    aliases.write_text(
        "[aliases]\nstem = 'Conv/Conv2D'\n'part(\\d+)/expand$' = 'expanded_conv_\\1/expand/Conv2D'\n"
    )
    trtmatrix_import("--out", run, "--network", "mobilenet_v2", "--profile", profile, "--aliases", aliases)
    (build,) = next(iter(cells(run).values())).builds
    assert build.engine is not None
    assert [layer.source_ops for layer in build.engine.layers] == [
        ("Conv/Conv2D",),
        ("expanded_conv_2/expand/Conv2D",),
    ]


def test_one_file_and_its_report_in_one_command(run: Path, rows: Path, tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    assert trtmatrix_import(rows, "--out", run, "--report", page) == 0
    assert "0.255" in page.read_text(encoding="utf-8")


def test_rows_that_leave_convolutions_out_are_a_part(run: Path, tmp_path: Path) -> None:
    profile = tmp_path / "profile.txt"
    profile.write_text("Conv/Conv2D                              0.081ms\nTime over all layers: 0.081\n")
    trtmatrix_import("--out", run, "--network", "mobilenet_v2", "--profile", profile)
    (build,) = next(iter(cells(run).values())).builds
    assert build.engine is not None
    assert build.engine.partial


def test_a_measured_cell_of_the_same_name_keeps_its_place(run: Path) -> None:
    trtmatrix_import("--out", run, RECORDINGS / V2_860)
    bundle = Bundle.open(run)
    (record,) = bundle.cells()
    bundle.set_cell(replace(record.cell, environment="docker"), "measured")
    bundle.save()
    trtmatrix_import("--out", run, RECORDINGS / V2_860)
    assert list(cells(run)) == [NEW, f"{NEW}-recorded"]


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        ([], "nothing to import: name a folder or a file"),
        (["{tmp}/missing"], "missing: no such folder"),
        (["--profile", "{tmp}/missing.json"], "missing.json: "),
        (["--build", "-1", "--profile", "{rows}"], "--build: expected a number from 0, found -1"),
        (["--batch", "0", "--profile", "{rows}"], "--batch: expected a whole number above 0"),
        (["--tensorrt", "8/6", "--profile", "{rows}"], "--tensorrt: '8/6' is no name"),
        (["--aliases", "{tmp}/missing.toml", "--profile", "{rows}"], "missing.toml: cannot be read"),
        (["--aliases", "{rows}", "--profile", "{rows}"], "rows.txt: not JSON"),
        (
            ["--network", "mobilenet_v2", "--aliases", "{bad}", "--profile", "{rows}"],
            r"alias '\(': not a name",
        ),
        (["--profile", "{bad}"], "bad.toml: "),
    ],
)
def test_what_cannot_be_imported_is_one_clear_line(
    run: Path, rows: Path, tmp_path: Path, arguments: list[str], problem: str
) -> None:
    bad = tmp_path / "bad.toml"
    bad.write_text('"(" = "x"\n')
    filled = [text.format(tmp=tmp_path, rows=rows, bad=bad) for text in arguments]
    with pytest.raises(TrtmatrixError, match=problem) as caught:
        trtmatrix_import("--out", run, *filled)
    assert "\n" not in str(caught.value)
    assert not run.exists()


def test_a_meta_json_with_nonsense_is_one_clear_line(run: Path, tmp_path: Path, rows: Path) -> None:
    folder = tmp_path / "recording"
    folder.mkdir()
    shutil.copyfile(rows, folder / "rows.txt")
    (folder / "meta.json").write_text('{"precision": "fp12"}')
    with pytest.raises(TrtmatrixError, match=r"meta\.json: precision: 'fp12' is none of"):
        trtmatrix_import("--out", run, folder)
    (folder / "meta.json").write_text("{")
    with pytest.raises(TrtmatrixError, match=r"meta\.json: not JSON"):
        trtmatrix_import("--out", run, folder)


SUMMARY = (
    "=== Performance summary ===\nThroughput: 812.5 qps\n"
    "GPU Compute Time: min = 1.2 ms, max = 1.3 ms, mean = 1.25 ms, median = 1.25 ms\n"
    "Total GPU Compute Time: 3 s\n"
)
PROFILE = "conv1 : 0.5ms(50%) >>50%<<\nconv2 : 0.5ms(50%) >>100%<<\n"


@pytest.mark.parametrize(
    ("commands", "rows", "builds"),
    [
        ([None, None], "", [[0], [0]]),
        (["trtexec --onnx=a", "trtexec --onnx=a"], "", [[0, 1]]),
        (["trtexec --onnx=a", "trtexec --onnx=b"], "", [[0], [0]]),
        (
            ["trtexec --onnx=a", "trtexec --onnx=b", "trtexec  --onnx=a", "trtexec --onnx=b"],
            "",
            [[0, 1], [0, 1]],
        ),
        ([None, None], PROFILE, [[0, 1]]),
        (["trtexec --onnx=a", "trtexec --onnx=a --fp16"], PROFILE, [[0], [0]]),
        (["trtexec --onnx=a", None], "", [[0], [0]]),
    ],
)
def test_engines_of_one_file_are_pooled_only_by_a_sign(
    commands: list[str | None],
    rows: str,
    builds: list[list[int]],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    log = tmp_path / "runs.log"
    log.write_text(
        "".join(
            (f"&&&& RUNNING TensorRT.trtexec # {command}\n" if command else "") + SUMMARY + rows
            for command in commands
        )
    )
    run = tmp_path / "run"
    trtmatrix_import("--out", run, "--log", log)
    found = [[build.build for build in cell.builds] for cell in cells(run).values()]
    assert sorted(found) == sorted(builds)
    said = "neither layers nor a command line" in "".join(capsys.readouterr())
    assert said == (None in commands and not rows)
