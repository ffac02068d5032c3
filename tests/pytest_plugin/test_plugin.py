"""The plugin from outside: what a person at a shell sees of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.resources import data_folder

SUITES = str(data_folder("suites"))

MATRIX = """
schema = "trtmatrix.matrix/1"
[run]
builds = 2
[[versions]]
runtime = "onnxruntime"
versions = ["1.18.1", "1.22.1"]
[[block]]
networks = ["mobilenet_v2"]
"""


@pytest.fixture
def matrix(tmp_path: Path) -> Path:
    path = tmp_path / "matrix.toml"
    path.write_text(MATRIX, encoding="utf-8")
    return path


def collected(result: pytest.RunResult) -> list[str]:
    return [line.rpartition("::")[2] for line in result.outlines if "::" in line]


def test_ids_are_readable_and_unique(pytester: pytest.Pytester, matrix: Path) -> None:
    result = pytester.runpytest_inprocess(SUITES, "--collect-only", "-q", f"--matrix={matrix}")
    ids = collected(result)
    assert "test_builds[mobilenet_v2-fp32-b1-clip-onnxruntime-1.18.1]" in ids
    assert "test_latency[mobilenet_v2-fp32-b1-clip-onnxruntime-1.22.1-build1]" in ids
    assert "test_bottlenecks[mobilenet_v2-fp32-b1-clip-onnxruntime-1.22.1-depthwise]" in ids
    assert len(ids) == len(set(ids))
    assert result.ret == 0


def test_the_default_matrix_is_embedded(pytester: pytest.Pytester) -> None:
    result = pytester.runpytest_inprocess(SUITES, "--collect-only", "-q")
    ids = [i for i in collected(result) if i.startswith("test_builds[")]
    assert len(ids) == len(set(ids)) > 10


def test_ini_keys_stand_for_options(pytester: pytest.Pytester, matrix: Path) -> None:
    pytester.makeini(f"[pytest]\nmatrix = {matrix}\nmatrix_builds = 3\n")
    ids = collected(
        pytester.runpytest_inprocess(SUITES, "--rootdir=.", "-c", "tox.ini", "--collect-only", "-q")
    )
    assert "test_latency[mobilenet_v2-fp32-b1-clip-onnxruntime-1.22.1-build2]" in ids
    assert not [i for i in ids if "openvino" in i]


def test_the_option_wins_over_its_ini_key(pytester: pytest.Pytester, matrix: Path) -> None:
    pytester.makeini(f"[pytest]\nmatrix = {matrix}\nmatrix_builds = 3\n")
    arguments = ("--rootdir=.", "-c", "tox.ini", "--collect-only", "-q", "--matrix-builds=1")
    ids = collected(pytester.runpytest_inprocess(SUITES, *arguments))
    assert [i for i in ids if "-build" in i] == [i for i in ids if "-build0]" in i] != []


def test_measuring_in_parallel_is_refused_in_one_line(pytester: pytest.Pytester, matrix: Path) -> None:
    result = pytester.runpytest_subprocess(SUITES, "-n", "2", f"--matrix={matrix}")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*measures one cell at a time: run without -n*"])
    assert "Traceback" not in result.stderr.str()


def test_other_suites_may_use_every_core(pytester: pytest.Pytester) -> None:
    pytester.makepyfile("def test_one(): pass\ndef test_two(): pass")
    pytester.runpytest_subprocess("-n", "2").assert_outcomes(passed=2)


def test_a_mistake_in_the_matrix_is_one_line(pytester: pytest.Pytester, matrix: Path) -> None:
    matrix.write_text(MATRIX.replace("builds", "bulids"), encoding="utf-8")
    result = pytester.runpytest_inprocess(SUITES, "--collect-only", "-q", f"--matrix={matrix}")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(
        ["*matrix.toml: [[]run[]]: unknown key 'bulids'; did you mean 'builds'? [[]unknown-key]"]
    )


def test_builds_must_be_a_number(pytester: pytest.Pytester, matrix: Path) -> None:
    arguments = ("--collect-only", "-q", f"--matrix={matrix}", "--matrix-builds=two")
    result = pytester.runpytest_inprocess(SUITES, *arguments)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*--matrix-builds: expected a whole number from 1 to 10000, found 'two'*"])


def test_tests_of_others_are_left_alone(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        import pytest

        @pytest.fixture
        def cell():
            return "battery"

        @pytest.mark.parametrize("build", [1])
        def test_mine(cell, build):
            assert (cell, build) == ("battery", 1)
        """
    )
    pytester.runpytest_inprocess().assert_outcomes(passed=1)


def test_a_matrix_without_a_test_that_asks_for_a_cell_is_said(
    pytester: pytest.Pytester, matrix: Path
) -> None:
    pytester.makepyfile("def test_other(): pass")
    said = "trtmatrix: nothing is measured: no test asks for a cell (fixture trtmatrix_observed)"
    assert said in pytester.runpytest_inprocess("-q", f"--matrix={matrix}").outlines
    assert said not in pytester.runpytest_inprocess("-q").outlines


def test_a_conftest_may_bring_a_network(pytester: pytest.Pytester, matrix: Path) -> None:
    pytester.makeconftest(
        """
        from harness import hookimpl
        from harness.networks.mobilenet import MobileNetV2

        @hookimpl
        def trtmatrix_networks():
            return [MobileNetV2(width=0.25, name="narrow")]
        """
    )
    pytester.makepyfile("def test_cell(trtmatrix_cell): assert trtmatrix_cell.network == 'narrow'")
    matrix.write_text(MATRIX.replace("mobilenet_v2", "narrow"), encoding="utf-8")
    pytester.runpytest_subprocess(f"--matrix={matrix}").assert_outcomes(passed=2)
