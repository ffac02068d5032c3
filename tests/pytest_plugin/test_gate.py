"""One run whose second version is slower: confirmed, summed up, told, failed, accepted, quiet."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from harness.resources import data_folder
from harness.store.bundle import Bundle
from tests.plugins.test_conftest_runtime import FILES

ROOT = Path(__file__).resolve().parents[2]
SUITES = data_folder("suites")
MATRIX = """
schema = "trtmatrix.matrix/1"
[run]
builds = 2
processes = 1
[measure]
warmup_seconds = 0.01
minimum_samples = 5
maximum_seconds = 0.1
profile_iterations = 1
[policy]
confirm = true
[[versions]]
runtime = "plain"
versions = ["1", "2"]
[[block]]
networks = ["linear_relu6_probe"]
"""


@pytest.fixture
def project(pytester: pytest.Pytester) -> Path:
    # The version says how often the network is computed.
    pytester.makeconftest(FILES["conftest.py"].replace('return "7"', "return version"))
    slower = "4 ** (2 * int(self.job.version) - 1)"
    pytester.makepyfile(
        plain_worker=FILES["plain_worker.py"].replace('self.job.treatment["rounds"]', slower),
        keep="import sys; open('message.json', 'w').write(sys.stdin.read())",
    )
    (pytester.path / "matrix.toml").write_text(MATRIX, encoding="utf-8")
    (pytester.path / "suites").mkdir()
    for name in ("conftest.py", "test_bottlenecks.py", "test_latency.py"):
        (pytester.path / "suites" / name).write_text(
            (SUITES / name).read_text(encoding="utf-8"), encoding="utf-8"
        )
    return pytester.path


def test_a_slower_version_is_confirmed_told_accepted_and_then_quiet(
    pytester: pytest.Pytester, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(project / "summary.md"))
    words = ["suites", "--matrix=matrix.toml", "--junitxml=junit.xml", "-k", "latency"]
    told = f"--matrix-notify-command={sys.executable} keep.py"
    result = pytester.runpytest_subprocess(*words, "--matrix-out=run", told, "--benchmark-autosave")
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(["*measured again before they count: latency of linear_relu6_probe*plain-2"])
    result.stdout.fnmatch_lines(["trtmatrix: the message was taken by the command"])

    bundle = Bundle.open(project / "run")
    assert bundle.manifest.rounds == 2
    assert set(bundle.manifest.confirming.values()) == {2}
    assert [b.build for b in bundle.builds()] == [0, 1, 2, 3] * 2
    assert len({b.document.block for b in bundle.builds() if b.build < 2}) == 1
    assert len({b.document.block for b in bundle.builds()}) == 2

    message = json.loads((project / "message.json").read_text(encoding="utf-8"))
    assert [(a["bottleneck"], a["version"]) for a in message["alarms"]] == [("latency", "2")]
    assert "measured again: " in message["alarms"][0]["text"]
    summary = (project / "summary.md").read_text(encoding="utf-8")
    assert summary.startswith("# trtmatrix")
    assert "regressed" in summary
    assert "regressed" in (project / "junit.xml").read_text(encoding="utf-8")

    accepted = '[[accepted]]\nverdict = "regressed"\nreason = "slow on purpose"\nexpires = 2999-01-01\n'
    (project / "trtmatrix-accepted.toml").write_text(accepted, encoding="utf-8")
    (project / "message.json").unlink()
    halve_what_was_saved(project)
    gate = ("--benchmark-compare", "--benchmark-compare-fail=median:5%")
    again = pytester.runpytest_subprocess(*words, "--matrix-run=run", told, *gate)
    again.assert_outcomes(passed=9, skipped=1, deselected=10)  # what was accepted fails no test ...
    assert not (project / "message.json").exists()
    assert again.ret == pytest.ExitCode.TESTS_FAILED  # ... and the gate of pytest-benchmark trips
    again.stdout.fnmatch_lines(
        [
            "*benchmark *linear_relu6_probe*",
            "trtmatrix: --benchmark-compare-fail: 4 builds are slower than pytest-benchmark's gate*",
        ]
    )
    assert "Traceback" not in again.stdout.str() + again.stderr.str()

    command = [sys.executable, "-m", "pytest_benchmark", f"--storage={project / '.benchmarks'}"]
    compared = subprocess.run(
        [*command, "compare", "--group-by=group"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert compared.returncode == 0, compared.stderr
    assert "benchmark 'linear_relu6_probe-fp32-b1-clip'" in compared.stdout


def halve_what_was_saved(project: Path) -> None:
    """Make the stored figures of pytest-benchmark half as long as they were."""
    (saved,) = project.glob(".benchmarks/*/*.json")
    data = json.loads(saved.read_text(encoding="utf-8"))
    for one in data["benchmarks"]:
        one["stats"]["median"] /= 2
    saved.write_text(json.dumps(data), encoding="utf-8")


def test_a_bad_file_of_accepted_changes_is_one_line(pytester: pytest.Pytester, project: Path) -> None:
    (project / "mine.toml").write_text("[[accepted]]\n", encoding="utf-8")
    result = pytester.runpytest_subprocess("suites", "--matrix=matrix.toml", "--matrix-accepted=mine.toml")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*mine.toml: accepted*0*: 'verdict' is missing*"])
    assert "Traceback" not in result.stderr.str()
