"""The tutorial's runtime in a ``conftest.py``, its worker a file beside it: measured and judged by pytest."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from harness.plugins.reading import observe

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "tutorial" / "plugin.md").read_text(encoding="utf-8")
FILES = dict(re.findall(r"^`([\w.]+)`, .*?\n```\w+\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL))
"""Name to text of each file that the tutorial has its reader write."""
(COMMAND,) = re.findall(r"^pytest (.*)$", PAGE, re.MULTILINE)


@pytest.fixture
def project(pytester: pytest.Pytester) -> Path:
    assert set(FILES) == {"conftest.py", "plain_worker.py", "matrix.toml", "test_plain.py"}
    for name, text in FILES.items():
        (pytester.path / name).write_text(text, encoding="utf-8")
    return pytester.path


def test_it_is_measured_and_judged_with_a_treatment_of_its_own(
    pytester: pytest.Pytester, project: Path
) -> None:
    result = pytester.runpytest_subprocess(*COMMAND.split())
    result.assert_outcomes(passed=4)
    result.stdout.fnmatch_lines(
        ["*test_measured[[]linear_relu6_probe-fp32-b1-clip-3rounds-plain-7[]] PASSED*"]
    )
    # Here the conftest.py is unknown: names and times are read all the same.
    cells = observe([project / "first"]).cells
    assert [seen.cell.treatment.label for seen in cells] == ["fp32-b1-clip", "fp32-b1-clip-3rounds"]
    assert all(build.latency_ms for seen in cells for build in seen.builds)


def test_when_it_raises_its_file_is_named_and_the_other_cell_is_measured(
    pytester: pytest.Pytester, project: Path
) -> None:
    text = FILES["matrix.toml"].replace("rounds = [1, 3]", 'relu6 = ["clip", "relu_sub"]')
    (project / "matrix.toml").write_text(text, encoding="utf-8")
    answer = 'return None if cell.treatment.relu6 == "clip" else "plain knows ReLU6 as a clip only"'
    assert answer in FILES["conftest.py"]
    raising = 'if cell.treatment.relu6 != "clip": raise ArithmeticError("no other form, please")'
    text = FILES["conftest.py"].replace(answer, raising)
    (project / "conftest.py").write_text(text, encoding="utf-8")
    result = pytester.runpytest_subprocess("--matrix=matrix.toml", "--matrix-out=run", "-k", "measured")
    result.assert_outcomes(passed=1, failed=1)
    line = f"*runtime 'plain' of {project / 'conftest.py'}: unsupported() raised ArithmeticError: no other*"
    result.stdout.fnmatch_lines([line])


def test_a_hook_that_there_is_not_is_one_line(pytester: pytest.Pytester, project: Path) -> None:
    text = FILES["conftest.py"].replace("def trtmatrix_runtimes", "def trtmatrix_runtime")
    (project / "conftest.py").write_text(text, encoding="utf-8")
    result = pytester.runpytest_subprocess("--matrix=matrix.toml")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([f"*{project / 'conftest.py'}: cannot be registered: unknown hook*"])
    assert "Traceback" not in result.stderr.str()


def test_a_rule_of_a_name_that_is_taken_is_one_line(pytester: pytest.Pytester, project: Path) -> None:
    rule = """
from harness.analysis.rules.relu6 import Relu6Rule


@hookimpl
def trtmatrix_bottlenecks():
    return [Relu6Rule()]
"""
    (project / "conftest.py").write_text(FILES["conftest.py"] + rule, encoding="utf-8")
    result = pytester.runpytest_subprocess("--matrix=matrix.toml")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    place = project / "conftest.py"
    result.stderr.fnmatch_lines(
        [f"*the bottleneck 'relu6' comes from both trtmatrix and {place}; remove one*"]
    )
    assert "Traceback" not in result.stderr.str()
