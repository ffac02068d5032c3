"""``trtmatrix run`` and its kin from a shell: exit codes, and one line for every mistake."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from importlib.metadata import version
from pathlib import Path

import onnx
import pytest

from harness.networks.mobilenet import MobileNetV2
from harness.networks.onnx_export import to_onnx
from tests.cli.busy import worker_is_busy
from tests.cli.shell import trtmatrix, trtmatrix_here
from tests.cli.small_matrix import small_matrix, write_narrow_matrix


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "m.toml").write_text(small_matrix(), encoding="utf-8")
    return tmp_path


@pytest.fixture
def narrow(tmp_path: Path) -> Path:
    """A folder whose matrix is measured sooner, for what does not depend on the networks."""
    write_narrow_matrix(tmp_path)
    return tmp_path


QUICK = ("run", "m.toml", "-k", "narrower", "--quick", "--out", "run")


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with one of two narrow networks measured and reported."""
    folder = tmp_path_factory.mktemp("first")
    write_narrow_matrix(folder)
    found = trtmatrix(folder, *QUICK, "--report", "r.html")
    assert found.returncode == 0, found.stdout + found.stderr
    return folder


@pytest.fixture
def measured(first: Path, tmp_path: Path) -> Path:
    """A copy of it to go on with."""
    return Path(shutil.copytree(first, tmp_path / "measured"))


def one_line(found: subprocess.CompletedProcess[str]) -> str:
    (line,) = found.stderr.splitlines()
    assert line.startswith("trtmatrix: ")
    return line


def test_a_selection_is_measured_and_reported(first: Path) -> None:
    manifest = json.loads((first / "run/manifest.json").read_text(encoding="utf-8"))
    assert [(c["network"], c["status"]) for c in manifest["cells"]] == [("narrower", "measured")]
    assert manifest["state"] == "complete"
    assert "narrower" in (first / "r.html").read_text(encoding="utf-8")


def test_plain_pytest_gives_the_same_bundle(narrow: Path) -> None:
    from harness.resources import data_folder

    command = [sys.executable, "-m", "pytest", str(data_folder("suites")), "--matrix=m.toml", "-q"]
    options = ["--matrix-out=run", "--matrix-quick", "-k", "narrower", "-p", "no:cacheprovider"]
    found = subprocess.run([*command, *options], cwd=narrow, capture_output=True, text=True, check=False)
    assert found.returncode == 0, found.stdout + found.stderr
    shown = trtmatrix_here(narrow, "show", "run", "--json")
    (cell,) = json.loads(shown.stdout)
    assert (cell["status"], cell["builds"]) == ("measured", 1)
    assert cell["latency_ms"] > 0


def test_a_users_own_onnx_file_is_a_network(folder: Path) -> None:
    small = MobileNetV2(width=0.25, resolution=64, classes=11, calibrated=False, name="mine")
    onnx.save(to_onnx(small.graph(), 13), str(folder / "my-net.onnx"))
    found = trtmatrix_here(folder, "run", "m.toml", "--quick", "--network", "my-net.onnx", "--out", "run")
    assert found.returncode == 0, found.stdout + found.stderr
    (cell,) = json.loads(trtmatrix_here(folder, "show", "run", "--json").stdout)
    assert cell["cell"].startswith("my_net-fp32-b1-clip-onnxruntime-")
    assert cell["status"] == "measured"


def test_open_axes_of_a_users_file_are_given(folder: Path) -> None:
    small = MobileNetV2(width=0.25, resolution=64, classes=11, calibrated=False, name="mine")
    made = to_onnx(small.graph(), 13)
    name = made.graph.input[0].name
    for axis in made.graph.input[0].type.tensor_type.shape.dim[2:]:
        axis.dim_param = "SIDE"
    onnx.save(made, str(folder / "open.onnx"))
    command = ("run", "m.toml", "--quick", "--network", "open.onnx", "--out", "run")
    refused = trtmatrix_here(folder, *command, "--shape", "y=1x3x64x64")
    assert refused.returncode == 2
    assert f"no input is called 'y': open.onnx has {name} " in refused.stderr
    found = trtmatrix_here(folder, *command, "--shape", f"{name}=1x3x64x64")
    assert found.returncode == 0, found.stdout + found.stderr
    (cell,) = json.loads(trtmatrix_here(folder, "show", "run", "--json").stdout)
    assert cell["status"] == "measured"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("run", "none.toml"), "none.toml: no such file"),
        (("run", "m.toml", "-k", " "), "-k: the expression is empty"),
        (("run", "m.toml", "--builds", "0"), "--builds: expected a whole number from 1 to 10000"),
        (("run", "m.toml", "--network", "none.onnx"), "none.onnx"),
        (("run", "m.toml", "--network", "none.pb"), "none.pb: cannot be read"),
        (("run", "m.toml", "--network", "."), "holds no saved_model.pb"),
        (("run", "m.toml", "--output", "y"), "--output needs one GraphDef or SavedModel"),
        (("run", "m.toml", "--shape", "x=1x3"), "--shape needs an ONNX file"),
        (("run", "m.toml", "--builds", "9" * 30), "--builds: expected a whole number from 1 to 10000"),
        (("run", "m.toml", "--resume"), "--resume needs --out"),
        (("run", "m.toml", "--resume", "--out", "none"), "none: no such run"),
        (("run", "m.toml", "--retry-failed"), "--retry-failed needs --resume"),
        (("run", "m.toml", "--out", "m.toml"), "m.toml is no folder"),
        (("run", "m.toml", "--out", "m.toml/x"), "m.toml is no folder"),
        (("run", "m.toml", "--out", "."), "the folder is not empty"),
        (("run", "m.toml", "--out", "x" * 300), "File name too long"),
        (("run", "m.toml", "--report", "."), "--report .: expected a file, found a folder"),
        (("run", "m.toml", "word"), "'word' is not expected here"),
        (("run", "/dev/full"), "/dev/full: expected a file, no folder, pipe or device"),
        (("show", "x" * 300), "File name too long"),
        (("check", "m.toml", "extra"), "unrecognized arguments: extra"),
        (("show", "none"), "no such run"),
        (("list", "runs", "--folder", "m.toml"), "m.toml: expected a folder of runs"),
        (("show", "no\nne"), "no\\nne: no such run"),
        (("frob",), "COMMAND: 'frob' is unknown"),
    ],
)
def test_a_mistake_is_one_line_and_exit_code_2(
    folder: Path, arguments: tuple[str, ...], message: str
) -> None:
    found = trtmatrix_here(folder, *arguments)
    assert found.returncode == 2, found.stdout + found.stderr
    assert message in found.stderr + found.stdout
    assert "Traceback" not in found.stderr + found.stdout


def test_a_selection_that_matches_no_cell_is_one_line_and_exit_code_2(folder: Path) -> None:
    found = trtmatrix_here(folder, "run", "m.toml", "-k", "mobilenet_v9")
    assert (found.returncode, "Traceback" in found.stderr) == (2, False)
    assert "matches no cell" in one_line(found)


def test_words_behind_two_dashes_are_pytests_wherever_they_stand(folder: Path) -> None:
    found = trtmatrix_here(folder, "run", "m.toml", "--quick", "--out", "run", "--", "--collect-only", "-q")
    assert found.returncode == 0, found.stdout + found.stderr
    assert "test_latency" in found.stdout
    assert not (folder / "run/builds").exists()
    assert not (folder / ".benchmarks").exists()


def test_a_mistyped_key_names_file_table_and_key(folder: Path) -> None:
    text = (folder / "m.toml").read_text(encoding="utf-8").replace("builds", "bulids")
    (folder / "m.toml").write_text(text, encoding="utf-8")
    found = trtmatrix_here(folder, "run", "m.toml")
    assert found.returncode == 2
    assert one_line(found) == (
        "trtmatrix: m.toml: [run]: unknown key 'bulids'; did you mean 'builds'? [unknown-key]"
    )


@pytest.mark.parametrize(
    ("table", "message"),
    [
        (
            "[policy]\nbaseline = '9.9'",
            "m.toml: [policy] baseline: '9.9' is no version here; say 'previous' or one of",
        ),
        ("[run]\ncpu = 99999", "[run] cpu = 99999: this process may use [0"),
    ],
)
def test_what_this_matrix_or_machine_lacks_is_said_before_anything_is_measured(
    folder: Path, table: str, message: str
) -> None:
    lines = (folder / "m.toml").read_text(encoding="utf-8").splitlines(keepends=True)
    head = table.partition("\n")[0]
    at = next((i for i, line in enumerate(lines) if line.strip() == head), len(lines))
    lines[at : at + 1] = [table + "\n"]
    (folder / "m.toml").write_text("".join(lines), encoding="utf-8")
    found = trtmatrix_here(folder, "run", "m.toml", "--out", "run")
    assert found.returncode == 2
    assert message in one_line(found)
    assert not (folder / "run").exists()


def test_a_torn_run_hides_no_other(folder: Path) -> None:
    for name, text in (("a", "{"), ("b", '{"schema": "trtmatrix.bundle/1", "state": "complete"}')):
        (folder / "runs" / name).mkdir(parents=True)
        (folder / "runs" / name / "manifest.json").write_text(text, encoding="utf-8")
    found = trtmatrix_here(folder, "list", "runs", "--folder", "runs", "--json")
    assert found.returncode == 0, found.stderr
    torn, whole = json.loads(found.stdout)
    assert torn["state"].startswith("unreadable: runs/a/manifest.json")
    assert (whole["state"], whole["cells"]) == ("complete", 0)


def test_nothing_that_can_run_is_exit_code_3(folder: Path) -> None:
    text = (folder / "m.toml").read_text(encoding="utf-8").replace(version("onnxruntime"), "1.0.0")
    (folder / "m.toml").write_text(text, encoding="utf-8")
    found = trtmatrix_here(folder, "run", "m.toml", "--out", "run")
    assert found.returncode == 3, found.stdout + found.stderr
    assert "nothing here can run any of these cells" in found.stderr
    assert trtmatrix_here(folder, "check", "m.toml").returncode == 3


def test_check_reads_a_network_of_ones_own(folder: Path) -> None:
    small = MobileNetV2(width=0.25, resolution=32, classes=11, calibrated=False, name="small")
    onnx.save(to_onnx(small.graph(), 13), str(folder / "own.onnx"))
    found = trtmatrix_here(folder, "check", "m.toml", "--network", "own.onnx")
    assert "own-fp32-b1-clip-" in found.stdout, found.stderr
    assert "mobilenet" not in found.stdout
    found = trtmatrix_here(folder, "check", "m.toml", "--network", "none.onnx")
    assert found.returncode == 2
    assert "none.onnx" in found.stderr


def test_listings_are_json_on_request(folder: Path) -> None:
    for what in ("versions", "networks", "runtimes", "environments", "runs"):
        found = trtmatrix_here(folder, "list", what, "--json")
        assert found.returncode == 0, found.stderr
        rows = json.loads(found.stdout)
        assert rows or what == "runs"


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_an_interrupted_run_goes_on_where_it_was(narrow: Path, ending: signal.Signals) -> None:
    text = (narrow / "m.toml").read_text(encoding="utf-8")
    slow = text.replace("maximum_seconds = 0.05", "maximum_seconds = 1.0\nrelative_half_width = 0.0")
    (narrow / "m.toml").write_text(slow, encoding="utf-8")
    command = [sys.executable, "-m", "harness.cli", "run", "m.toml", "--quick", "--out", "run"]
    # A session of its own: Ctrl-C at a terminal goes to the whole group, the worker included. Whoever ends
    # the run by another signal ends the run alone, and that has to end its worker.
    process = subprocess.Popen(
        command,
        cwd=narrow,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    until = time.monotonic() + 60
    while time.monotonic() < until and process.poll() is None:
        if worker_is_busy(process.pid):
            break
        time.sleep(0.02)
    if ending is signal.SIGINT:
        os.killpg(process.pid, ending)
    else:
        process.send_signal(ending)
    said, errors = process.communicate(timeout=60)
    assert process.returncode == 130, said + errors
    assert "trtmatrix: interrupted; the same command with '--out run --resume' goes on" in errors
    assert "!!!" not in said + errors, "no banner of pytest"
    assert "no tests ran" not in said
    with pytest.raises(ProcessLookupError):
        os.killpg(process.pid, 0)
    states = [cell["status"] for cell in json.loads(trtmatrix_here(narrow, "show", "run", "--json").stdout)]
    assert states == ["interrupted", "interrupted"]

    if ending is not signal.SIGTERM:  # what is left is the same
        return
    again = trtmatrix(narrow, "run", "m.toml", "--quick", "--out", "run", "--resume")
    assert again.returncode == 0, again.stdout + again.stderr
    states = [cell["status"] for cell in json.loads(trtmatrix_here(narrow, "show", "run", "--json").stdout)]
    assert states == ["measured", "measured"]


def test_a_killed_run_leaves_nothing_behind_once_it_goes_on(measured: Path) -> None:
    (measured / "run/.work-left/inputs").mkdir(parents=True)
    other = (measured / "m.toml").read_text(encoding="utf-8")
    (measured / "m2.toml").write_text(other + "# another", encoding="utf-8")
    found = trtmatrix_here(measured, "run", "m2.toml", "--quick", "--out", "run", "--resume")
    assert found.returncode == 2
    assert "run: was made from another matrix file" in one_line(found)
    assert trtmatrix_here(measured, *QUICK, "--resume").returncode == 0
    assert not list((measured / "run").glob(".work-*"))


def test_a_torn_build_ends_a_resumed_run_with_one_error(measured: Path) -> None:
    samples = next((measured / "run/builds").glob("*/0/samples.json"))
    samples.write_text('{"windows": nu', encoding="utf-8")
    found = trtmatrix_here(measured, *QUICK, "--resume")
    assert found.returncode == 2, found.stdout
    assert len(found.stdout.splitlines()) < 12
    assert "samples.json:1: not JSON" in one_line(found)
