from __future__ import annotations

import re
from pathlib import Path

import pytest

from harness.errors import InputError
from harness.matrix.file import Measure, read_matrix

GOOD = """
schema = "trtmatrix.matrix/1"
description = "two versions"
exclude = ["*-fp16-b8-*"]
[run]
builds = 5
seed = 7
[measure]
maximum_seconds = 2
passes = ["cuda_graph"]
[limits]
seconds = 60
[policy]
baseline = "8.5.3.1"
fail_on = ["regressed"]
[networks]
mine = "models/mine.onnx"
[options.tensorrt]
workspace_mib = 256
[[versions]]
runtime = "tensorrt"
versions = ["8.5.3.1", "8.6.0"]
repeat = ["8.6.0"]
[[block]]
networks = ["mine"]
precision = ["fp32", "fp16"]
batch = [1, 8]
"""


def matrix(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "matrix.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_everything_a_file_can_say(tmp_path: Path) -> None:
    found = read_matrix(matrix(tmp_path, GOOD))
    assert (found.builds, found.seed, found.exclude) == (5, 7, ("*-fp16-b8-*",))
    assert found.measure == Measure(maximum_seconds=2.0, passes=("cuda_graph",))
    assert found.limits == {"seconds": 60.0}
    assert (found.baseline, found.fail_on) == ("8.5.3.1", ("regressed",))
    assert found.networks == {"mine": tmp_path / "models/mine.onnx"}
    assert found.options == {"tensorrt": {"workspace_mib": 256}}
    assert found.versions[0].repeat == ("8.6.0",)
    assert [(t.precision, t.batch) for t in found.blocks[0].treatments] == [
        ("fp32", 1),
        ("fp16", 1),
        ("fp32", 8),
        ("fp16", 8),
    ]


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("builds = 5", "bulids = 5", r"\[run\]: unknown key 'bulids'; did you mean 'builds'\?"),
        ("builds = 5", "builds = 0", r"\[run\]: key 'builds': expected a whole number from 1 to 10000"),
        ("builds = 5", "builds = 100000000", r"key 'builds': expected a whole number from 1 to 10000"),
        ("builds = 5", "cpu = -1", r"\[run\]: key 'cpu': expected the number of a CPU, 0 or more"),
        ("seconds = 60", "seconds = nan", r"\[limits\]: key 'seconds': expected a finite number, found nan"),
        ("seconds = 60", "seconds = inf", r"key 'seconds': expected a finite number, found inf"),
        ("batch = [1, 8]", "batch = [99999999999]", r"key 'batch': expected a whole number from 1 to 4096"),
        ('precision = ["fp32", "fp16"]', "precision = []", r"key 'precision': is empty: leave it out"),
        ("batch = [1, 8]", "batch = []", r"key 'batch': is empty: leave it out"),
        ("builds = 5", "builds = true", r"key 'builds': expected a whole number, found true or false"),
        ("builds = 5", 'builds = "5"', r"key 'builds': expected a whole number, found a string"),
        ("seconds = 60", "seconds = -1", r"\[limits\]: key 'seconds': expected a number above 0"),
        (
            '"fp16"]',
            '"fp17"]',
            r"\[\[block\]\] 1: key 'precision': unknown value 'fp17'; did you mean 'fp16'",
        ),
        ("batch = [1, 8]", "batch = [1, 1]", r"key 'batch': names one thing twice"),
        ("batch = [1, 8]", "batch = [0]", r"key 'batch': expected a whole number from 1 to 4096"),
        ('repeat = ["8.6.0"]', 'repeat = ["9"]', r"\[\[versions\]\] 1: key 'repeat': '9' is not among"),
        ('runtime = "tensorrt"\n', "", r"\[\[versions\]\] 1: key 'runtime': is missing"),
        ("matrix/1", "matrix/9", r"key 'schema': expected 'trtmatrix.matrix/1', found 'trtmatrix.matrix/9'"),
        ("[[block]]", "[block]", r"\[block\]: expected \[\[block\]\] tables"),
        ('"regressed"]', '"worse"]', r"\[policy\]: key 'fail_on': unknown value 'worse'"),
        ('baseline = "8.5.3.1"', "material = 1", r"\[policy\]: key 'material': expected a share above 0"),
        ('baseline = "8.5.3.1"', "material = 0.0", r"\[policy\]: key 'material': expected a share above 0"),
        ('baseline = "8.5.3.1"', 'material = "1 %"', r"\[policy\]: key 'material': expected a number"),
        ("[run]", "[run", r"not TOML"),
    ],
)
def test_a_mistake_names_file_table_and_key(tmp_path: Path, old: str, new: str, message: str) -> None:
    assert old in GOOD
    path = matrix(tmp_path, GOOD.replace(old, new, 1))
    with pytest.raises(InputError, match=message) as caught:
        read_matrix(path)
    assert str(caught.value).startswith(str(path))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (GOOD.encode("utf-16"), "not UTF-8: save it as that"),
        (b"a = " + b"[" * 50_000, "not TOML that can be read"),
        (b"a = " + b"9" * 5_000, "not TOML that can be read"),
    ],
)
def test_what_is_no_toml_is_one_line(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "m.toml"
    path.write_bytes(content)
    with pytest.raises(InputError, match=message):
        read_matrix(path)


def test_a_policy_may_fail_on_nothing(tmp_path: Path) -> None:
    assert '"regressed"]' in GOOD
    text = re.sub(r"fail_on = \[[^]]*\]", "fail_on = []", GOOD)
    assert read_matrix(matrix(tmp_path, text)).fail_on == ()


def test_what_is_material_is_a_share(tmp_path: Path) -> None:
    assert read_matrix(matrix(tmp_path, GOOD)).material == 0.01
    text = GOOD.replace('baseline = "8.5.3.1"', "material = 0.005", 1)
    assert read_matrix(matrix(tmp_path, text)).material == 0.005


def test_a_byte_order_mark_is_no_content(tmp_path: Path) -> None:
    path = tmp_path / "m.toml"
    path.write_bytes(b"\xef\xbb\xbf" + GOOD.encode("utf-8"))
    assert read_matrix(path).builds == 5


def test_a_missing_file_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"none\.toml: no such file"):
        read_matrix(tmp_path / "none.toml")


def test_a_matrix_needs_blocks_and_versions(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="at least one"):
        read_matrix(matrix(tmp_path, 'schema = "trtmatrix.matrix/1"'))


@pytest.mark.parametrize("value", ["1979-05-27", "inf", "[1979-05-27]"])
def test_an_option_that_json_cannot_carry_is_one_line(tmp_path: Path, value: str) -> None:
    path = matrix(tmp_path, GOOD + f"\n[options.openvino]\nwhen = {value}\n")
    with pytest.raises(InputError, match=r"\[options.openvino\]: key 'when': expected text, numbers"):
        read_matrix(path)
