"""The commands `pack` and `collect`: bad input is one line, and what they need is said."""

from pathlib import Path

import pytest

from harness.cli import build_parser, main
from harness.cli.pack import order_of
from harness.matrix.file import read_matrix
from harness.resources import data_folder

MATRIX = """
schema = "trtmatrix.matrix/1"
[[versions]]
runtime = "tensorrt"
versions = ["{version}"]
environment = "venv"
[[block]]
networks = ["mobilenet_v2"]
tactic_sources = ["{sources}"]
"""


def _matrix(folder: Path, version: str = "8.6.0", sources: str = "core") -> str:
    path = folder / "matrix.toml"
    path.write_text(MATRIX.format(version=version, sources=sources))
    return str(path)


def test_a_part_size_that_is_none_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["pack", _matrix(tmp_path), "-o", str(tmp_path / "out"), "--part-size", "big"]) == 2
    assert capsys.readouterr().err == (
        "trtmatrix: part size 'big': expected a size of 1M or more, such as 60M [bad-option]\n"
    )


TWO = ["tensorrt==8.5.3.1", "tensorrt==8.6.0"]


def test_versions_and_a_network_are_packed_without_a_matrix_file() -> None:
    words = ["pack", *TWO, "mobilenet_v1", "--tactic-sources", "core", "--builds", "4", "-o", "out"]
    order = order_of(build_parser().parse_args(words))[0]
    assert [cell.id for cell in order.cells] == [
        f"mobilenet_v1-fp32-b1-clip-core-tensorrt-{version}" for version in ("8.5.3.1", "8.6.0")
    ]
    assert len({cell.beside for cell in order.cells}) == 1, "measured side by side"
    assert (order.builds, order.matrix.baseline) == (4, "8.5.3.1")
    assert order.settings.measure.maximum_seconds == 1.5


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (TWO[:1], "name at least two versions"),
        ([*TWO, "own.onnx"], "'own.onnx': name a network of your own in a matrix file"),
        (["keras==1", "keras==2"], "'keras' is no runtime here; known are"),
        (["tensorrt_core", "mobilenet_v2"], "'tensorrt_core' and 'mobilenet_v2': name one matrix file"),
        (["tensorrt_core", "--tactic-sources", "core"], "--tactic-sources goes with RUNTIME==VERSION"),
        ([*TWO, "--builds", "0"], "--builds: expected a whole number from 1 to"),
    ],
)
def test_other_words_are_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], words: list[str], message: str
) -> None:
    assert main(["pack", *words, "-o", str(tmp_path / "out")]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert message in line
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("asked", ["x", "", "nan", "9", "99.0", "9.0.1"])
def test_a_compute_capability_that_nobody_knows_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], asked: str
) -> None:
    words = ["pack", _matrix(tmp_path), "-o", str(tmp_path / "out"), "--compute-capability", asked]
    assert main(words) == 2
    assert f"--compute-capability: '{asked}' is not known; known are " in capsys.readouterr().err


@pytest.mark.parametrize("out", ["out", "results/out"])
def test_results_that_are_none_are_not_copied(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], out: str
) -> None:
    results = tmp_path / "results"
    results.mkdir()
    (results / "link").symlink_to("nowhere")
    assert main(["collect", str(results), "--out", str(tmp_path / out)]) == 2
    assert "expected a folder of results, found no plan-*.json in it" in capsys.readouterr().err


def test_results_are_not_copied_into_themselves(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    results = tmp_path / "results"
    results.mkdir()
    (results / "link").symlink_to("nowhere")
    (results / "plan-a.json").write_text('{"schema": "trtmatrix.pack/1", "id": "abc", "jobs": {}}')
    assert main(["collect", str(results), "--out", str(results / "run")]) == 2
    assert "plan-a.json: object missing required field `python`" in capsys.readouterr().err
    assert max(len(path.parts) for path in results.rglob("*")) - len(results.parts) < 4


def test_a_version_that_cannot_run_on_the_host_is_named_before_anything_is_fetched(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    matrix = _matrix(tmp_path, "5.1.5")
    assert main(["pack", matrix, "-o", str(tmp_path / "out"), "--compute-capability", "9.0"]) == 2
    said = capsys.readouterr().err.splitlines()
    assert said[0].startswith("mobilenet_v2-fp32-b1-clip-core-tensorrt-5.1.5: left out: ")
    assert (
        said[-1]
        == "trtmatrix: no cell of this matrix can be packed; the lines above say why [nothing-chosen]"
    )
    assert not (tmp_path / "out").exists()


def test_placeholders_do_not_serve_all_tactic_sources(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    matrix = _matrix(tmp_path, sources="all")
    assert main(["pack", matrix, "-o", str(tmp_path / "out"), "--libraries", "placeholder"]) == 2
    assert "need the real cuBLAS and cuDNN" in capsys.readouterr().err


def test_images_need_an_engine_which_is_known_before_a_wheel_is_fetched(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path / 'none.sock'}")
    matrix = _matrix(tmp_path)
    text = MATRIX.format(version="8.6.0", sources="core").replace('"venv"', '["venv", "docker"]')
    Path(matrix).write_text(text)
    assert main(["pack", matrix, "-o", str(tmp_path / "out"), "--containers"]) == 3
    said = capsys.readouterr().err.splitlines()
    assert said[0] == "images to save: tensorrt 8.6.0; cells in containers: 1"
    assert len(said) == 2
    assert said[1].endswith("[no-docker-engine]")
    assert not (tmp_path / "out").exists()


def test_wheels_that_cannot_be_had_are_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "wheels").mkdir()
    command = ["pack", _matrix(tmp_path), "-o", str(tmp_path / "out"), "--offline"]
    assert main([*command, "--wheels", str(tmp_path / "wheels")]) == 3
    said = capsys.readouterr().err.splitlines()
    assert said[-1].startswith("trtmatrix: ")
    assert [path.name for path in (tmp_path / "out").glob("*")] == []


def test_collecting_nothing_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["collect", str(tmp_path / "nothing.tar.zst"), "--out", str(tmp_path / "run")]) == 2
    assert capsys.readouterr().err.endswith(
        "nothing.tar.zst: no such archive or folder of results [no-such-file]\n"
    )
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("name", ["tensorrt_core", "tensorrt_wide", "tensorrt_formats"])
def test_the_matrix_files_made_for_packs_name_wheels_only(name: str) -> None:
    matrix = read_matrix(data_folder("suites") / f"{name}.toml")
    (versions,) = matrix.versions
    assert (versions.runtime, versions.environments) == ("tensorrt", ("venv",))
    assert set(versions.versions) <= {"8.5.1.7", "8.5.2.2", "8.5.3.1", "8.6.0"}
