"""The example of a plugin, built, installed beside trtmatrix, and used as the tutorial says."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from harness.environments.indexes import uv_variables
from harness.environments.installer import python_of
from harness.environments.pythons import uv_binary
from harness.plugins.reading import observe
from tests.plugins.moods import example_with_moods

ROOT = Path(__file__).resolve().parents[2]
TUTORIAL = ROOT / "docs" / "tutorial" / "plugin.md"
WHO = "of acme-trtmatrix 1.2"
RUN = "acme-run"

NARROW = [f"acme_narrow-fp32-b1-clip-acme-{version}" for version in ("1.0", "2.0")]
WIDE = [f"acme_wide-fp32-b1-clip-acme-{version}" for version in ("1.0", "2.0")]
DOUBLE = [f"acme_narrow-fp32-b1-clip-acme_precision_double-acme-{version}" for version in ("1.0", "2.0")]


@dataclass(frozen=True)
class Installation:
    """An environment that holds trtmatrix and acme, and a matrix that asks for all of it."""

    python: Path
    folder: Path

    @property
    def matrix(self) -> Path:
        """The matrix file."""
        return self.folder / "acme" / "acme.toml"

    def trtmatrix(self, *arguments: object, **variables: str) -> subprocess.CompletedProcess[str]:
        """Run a command of the installed trtmatrix."""
        command = [str(self.python.with_name("trtmatrix")), *map(str, arguments)]
        clean = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
        own = {"ACME_DIARY": str(self.folder / "diary.txt"), **variables}
        return subprocess.run(
            command, cwd=self.folder, env={**clean, **own}, capture_output=True, text=True, timeout=300
        )

    def cells(self, run: str) -> dict[str, tuple[str, str]]:
        """Return status and reason of each cell of the bundle called *run*."""
        manifest = json.loads((self.folder / run / "manifest.json").read_text(encoding="utf-8"))
        return {c["id"]: (c["status"], c["reason"]) for c in manifest["cells"]}


@pytest.fixture(scope="module")
def acme(tmp_path_factory: pytest.TempPathFactory) -> Installation:
    uv = uv_binary()
    if uv is None:
        pytest.skip("no uv to build wheels and make an environment with")
    folder = tmp_path_factory.mktemp("acme")
    wheels = folder / "wheels"

    def do(*command: object) -> None:
        answer = subprocess.run(
            [uv, *map(str, command)],
            env={**os.environ, **uv_variables()},
            cwd=folder,
            capture_output=True,
            text=True,
            timeout=900,
        )
        if answer.returncode:
            said = " ".join(answer.stderr.split())
            if any(word in said for word in ("Failed to fetch", "not found in", "No solution", "offline")):
                pytest.skip(f"no package index and no cache answers: {said[-300:]}")
            raise AssertionError(said)

    for source in (ROOT, example_with_moods(folder)):
        do("build", "-q", "--wheel", "--out-dir", wheels, source)
    do("venv", "-q", "--no-project", "-p", sys.executable, folder / "python")
    python = python_of(folder / "python")
    do("pip", "install", "-q", "--python", python, *sorted(wheels.glob("*.whl")))
    return Installation(python, folder)


@pytest.fixture(scope="module")
def measured(acme: Installation) -> Installation:
    """The example after the commands of the tutorial."""
    text = TUTORIAL.read_text(encoding="utf-8")
    commands = re.findall(r"^\.venv/bin/trtmatrix (.*acme.*)$", text, re.MULTILINE)
    assert [command.split()[0] for command in commands] == ["check", "run", "judge"]
    for command in commands:
        answer = acme.trtmatrix(*command.replace("examples/", "").split())
        assert answer.returncode == 0, answer.stdout + answer.stderr
    return acme


def test_all_is_measured_where_and_by_what_the_plugin_says(measured: Installation) -> None:
    assert measured.cells(RUN) == dict.fromkeys([*WIDE, *NARROW, *DOUBLE], ("measured", ""))
    diary = (measured.folder / "diary.txt").read_text(encoding="utf-8").splitlines()
    assert sorted(diary) == sorted(f"{c} {n} cpu" for c in (*WIDE, *NARROW, *DOUBLE) for n in (0, 1))
    (build, _) = observe([measured.folder / RUN]).cells[0].builds
    assert build.facts["acme"] == "1.0"
    assert dict(build.facts["environment"])["shelf"] == "acme-1.0"  # type: ignore[call-overload]
    assert build.outputs is not None
    assert build.outputs.valid


def test_its_rule_judges_and_is_on_the_page_with_title_and_section(measured: Installation) -> None:
    answer = measured.trtmatrix("judge", RUN, "--json")
    verdicts = [v for v in json.loads(answer.stdout)["verdicts"] if v["bottleneck"] == "acme_dense"]
    assert len(verdicts) == 6
    compared = [v for v in verdicts if v["version"] == "2.0"]
    assert all(v["builds"] == [2, 2] and "dense_layers" in json.dumps(v["evidence"]) for v in compared)
    page = (measured.folder / "acme.html").read_text(encoding="utf-8")
    for text in (">dense layers<", ">Dense layers by acme<", "The median over builds", DOUBLE[1]):
        assert text in page


def test_its_own_treatment_stands_in_label_help_and_lists_and_is_compared(measured: Installation) -> None:
    help_ = measured.trtmatrix("run", "--help").stdout
    (line,) = [line for line in help_.splitlines() if "acme_precision" in line]
    assert line.split(maxsplit=1)[1] == "single, double; of the sums that acme makes (acme only)"
    rows = json.loads(measured.trtmatrix("list", "treatments", "--json").stdout)
    assert {"treatment": "acme_precision", "runtimes": ["acme"]}.items() <= rows[-1].items()
    answer = measured.trtmatrix("judge", RUN, "--treatments", "acme_precision=single:double", "--json")
    labels = {v["treatment"] for v in json.loads(answer.stdout)["verdicts"]}
    assert labels == {"fp32-b1-clip-acme_precision_double"}
    assert "acme_precision_double" in measured.trtmatrix("show", RUN).stdout


def test_its_parts_are_listed(measured: Installation) -> None:
    assert '"diary"' in measured.trtmatrix("list", "executors", "--json").stdout
    rows = json.loads(measured.trtmatrix("list", "versions", "--json").stdout)
    where = {row["version"]: row["where"] for row in rows if row["runtime"] == "acme"}
    assert where == {"1.0": "cellar", "2.0": "cellar", "0.9": "bottom shelf"}


def test_without_the_plugin_its_cells_keep_their_names_and_times(measured: Installation) -> None:
    found = {seen.cell.id: seen for seen in observe([measured.folder / RUN]).cells}
    assert set(found) == {*WIDE, *NARROW, *DOUBLE}
    assert dict(found[DOUBLE[0]].cell.treatment.own) == {"acme_precision": "double"}
    assert dict(found[NARROW[0]].cell.treatment.own) == {"acme_precision": "single"}
    assert all(build.latency_ms for seen in found.values() for build in seen.builds)


@pytest.mark.parametrize(
    ("part", "begins", "failed"),
    [
        ("runtime", f"runtime 'acme' {WHO}: unsupported() raised", WIDE),
        ("environment", f"environment 'cellar' {WHO}: prepare() raised", [WIDE[1], NARROW[1]]),
        ("network", f"network 'acme_wide' {WHO}: graph() raised", WIDE),
        ("executor", f"executor 'diary' {WHO}: run() raised", WIDE),
    ],
)
def test_a_part_that_raises_fails_its_cells_and_the_rest_is_measured(
    acme: Installation, part: str, begins: str, failed: list[str]
) -> None:
    arguments = ("run", acme.matrix, "--quick", "--out", part, "--report", f"{part}.html", "-k", "not double")
    answer = acme.trtmatrix(*arguments, ACME_RAISES=part)
    assert answer.returncode == 1, answer.stdout + answer.stderr
    assert "Traceback" not in answer.stdout + answer.stderr
    cells = acme.cells(part)
    assert {cell for cell, (status, _) in cells.items() if status == "failed"} == set(failed)
    assert {status for status, _ in cells.values()} == {"failed", "measured"}
    for cell in failed:
        assert cells[cell][1].startswith(f"{begins} ValueError: the {part} fails on purpose (")
    assert begins.replace("'", "&#39;") in (acme.folder / f"{part}.html").read_text(encoding="utf-8")


def test_a_rule_that_raises_leaves_the_other_verdicts_alone(measured: Installation) -> None:
    calm, broken = (
        json.loads(measured.trtmatrix("judge", RUN, "--json", **mood).stdout)["verdicts"]
        for mood in ({}, {"ACME_RAISES": "rule"})
    )
    reasons = {v["reason"].partition(" (")[0] for v in broken if v["bottleneck"] == "acme_dense"}
    assert reasons == {f"bottleneck 'acme_dense' {WHO}: cost() raised ValueError: the rule fails on purpose"}
    assert {v["verdict"] for v in broken if v["bottleneck"] == "acme_dense"} == {"indeterminate"}
    # The layers' probabilities are adjusted over all rules of a pair: one rule less is another family.
    others = [
        [{**v, "layers": None} for v in verdicts if v["bottleneck"] != "acme_dense"]
        for verdicts in (calm, broken)
    ]
    assert others[0] == others[1]
    answer = measured.trtmatrix("report", RUN, "-o", "moody.html", ACME_RAISES="section")
    assert answer.returncode == 0
    page = (measured.folder / "moody.html").read_text(encoding="utf-8")
    assert "section() raised ValueError: the section fails on purpose" in page


def test_evidence_that_it_cannot_read_fails_the_cells_and_the_samples_stay(measured: Installation) -> None:
    answer = measured.trtmatrix("show", RUN, "--json", ACME_RAISES="reading")
    assert answer.returncode == 0
    assert f"runtime 'acme' {WHO}: read() raised ValueError" in answer.stdout
    assert measured.cells(RUN)[WIDE[0]] == ("measured", "")


@pytest.mark.parametrize(
    ("mood", "begins"),
    [
        ("import", f"trtmatrix: plugin 'acme' {WHO}: importing it raised ValueError"),
        ("hook", "trtmatrix: acme-trtmatrix 1.2: trtmatrix_runtimes() raised ValueError"),
    ],
)
def test_a_plugin_that_cannot_be_loaded_is_one_line(acme: Installation, mood: str, begins: str) -> None:
    for arguments in (("check", acme.matrix), ("run", acme.matrix, "--out", "never")):
        answer = acme.trtmatrix(*arguments, ACME_RAISES=mood)
        assert answer.returncode == 2
        assert answer.stderr.startswith(begins)
        assert len(answer.stderr.splitlines()) == 1
