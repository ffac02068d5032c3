"""Visits to hosts with GPUs: on one of them, on several beside each other."""

import fcntl
import json
import os
import shutil
import subprocess
import sys
import time
from contextlib import ExitStack
from pathlib import Path

import pytest

from harness.pack.host.machine import host_facts
from harness.pack.host.visit import Visit
from tests.pack.pack_composed import compose_pack, without_gpu
from tests.pack.visits import CELLS, outcomes, start, visits


@pytest.fixture(autouse=True)
def _no_gpu(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    without_gpu(monkeypatch, tmp_path / "bin")


NVIDIA_SMI = """#!/bin/sh
# As nvidia-smi answers on a host of two GPUs: all rows, or that of -i.
case "$1" in *compute_cap*) more=", NVIDIA H100, 580.1, 9.0, 81559 MiB" ;; *) more="" ;; esac
for last; do :; done
case "$last" in
  0|GPU-a) echo "GPU-a$more" ;;
  1|GPU-b) echo "GPU-b$more" ;;
  --format*) echo "GPU-a$more"; echo "GPU-b$more" ;;
  *) echo "No devices were found"; exit 6 ;;
esac
"""


def _two_gpus(folder: Path) -> None:
    (folder / "nvidia-smi").write_text(NVIDIA_SMI)
    (folder / "nvidia-smi").chmod(0o755)


@pytest.mark.parametrize(("asked", "got"), [((), "GPU-a"), (("--gpu", "1"), "GPU-b")])
def test_a_visit_measures_on_one_gpu_and_names_it_as_the_host(
    tmp_path: Path, asked: tuple[str, ...], got: str
) -> None:
    _two_gpus(tmp_path / "bin")
    root, results = compose_pack(tmp_path / "pack", CELLS), tmp_path / "results"
    assert start(root, results, "--rounds", "1", "--only", "v1-8.5", *asked) == 0
    (outcome,) = outcomes(results).values()
    assert outcome["host"] == got
    said = json.loads(next(results.glob("*/builds/v1-8.5/0/result.json")).read_text())["facts"]
    assert said["device"] == got


def test_what_the_visit_beside_this_one_measured_until_its_end_is_not_measured_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The other visit ends between the look at what is missing and the claim, which is free by then."""
    _two_gpus(tmp_path / "bin")
    root, beside, results = compose_pack(tmp_path / "pack", CELLS), tmp_path / "beside", tmp_path / "results"
    assert start(root, beside, "--gpu", "0") == 0
    claim = Visit._claim

    def late(visit: Visit, together: str, claims: ExitStack) -> bool:
        shutil.copytree(beside, results, dirs_exist_ok=True)
        return claim(visit, together, claims)

    monkeypatch.setattr(Visit, "_claim", late)
    assert start(root, results, "--gpu", "1") == 0
    assert {outcome["host"] for outcome in outcomes(results).values()} == {"GPU-a"}
    assert len(list(results.glob("*/builds/*/*/outcome.json"))) == 2 * len(CELLS)


def test_a_gpu_that_is_not_there_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    root = compose_pack(tmp_path / "pack", CELLS)
    assert start(root, tmp_path / "results", "--gpu", "7") == 3
    assert "--gpu 7: there is no such GPU here" in capsys.readouterr().err


def test_two_visits_on_one_gpu_are_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    root, results = compose_pack(tmp_path / "pack", CELLS), tmp_path / "results"
    folder = results / host_facts()["host"]
    folder.mkdir(parents=True)
    with (folder / "lock").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        assert start(root, results) == 3
    assert "another visit is measuring on this GPU" in capsys.readouterr().err
    assert start(root, results, "--rounds", "1", "--only", "v1-8.5") == 0


def test_what_is_compared_with_each_other_goes_to_one_gpu(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _two_gpus(tmp_path / "bin")
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).resolve().parents[2]))
    cells = {
        f"{network}-{form}-8.5": {"subject": f"{network}-{form}", "together": network}
        for network in ("v2", "v1")
        for form in ("clip", "relu_sub")
    }
    root, results = compose_pack(tmp_path / "pack", cells), tmp_path / "results"
    worker = root / "code" / "composed_worker.py"
    worker.write_text("import time; time.sleep(0.3)\n" + worker.read_text())
    assert start(root, results, "--gpu", "all") == 0
    hosts: dict[str, set[str]] = {"v1": set(), "v2": set()}
    for path in results.glob("*/builds/*/*/outcome.json"):
        host, _, cell, *_ = path.relative_to(results).parts
        hosts[cell.partition("-")[0]].add(host)
    assert sorted(hosts.values(), key=sorted) == [{"GPU-a"}, {"GPU-b"}]


@pytest.mark.parametrize("which", ["all", "0,1"])
def test_visits_on_several_gpus_share_the_work_and_keep_a_subject_on_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, which: str
) -> None:
    _two_gpus(tmp_path / "bin")
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).resolve().parents[2]))
    root, results = compose_pack(tmp_path / "pack", CELLS), tmp_path / "results"
    worker = root / "code" / "composed_worker.py"
    worker.write_text("import time; time.sleep(0.3)\n" + worker.read_text())
    assert start(root, results, "--gpu", which, "--home", str(tmp_path / "home")) == 0
    builds = [path.relative_to(results).parts for path in results.glob("*/builds/*/*/outcome.json")]
    assert sorted(parts[2:4] for parts in builds) == sorted((c, str(n)) for c in CELLS for n in (0, 1))
    hosts = {cell.partition("-")[0]: set() for cell in CELLS}
    for host, _, cell, *_ in builds:
        hosts[cell.partition("-")[0]].add(host)
    assert sorted(hosts.values(), key=sorted) == [{"GPU-a"}, {"GPU-b"}]
    assert len(list((tmp_path / "home").glob("*.tar.zst"))) == 2


def test_one_of_several_gpus_that_is_not_there_is_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _two_gpus(tmp_path / "bin")
    assert start(compose_pack(tmp_path / "pack", CELLS), tmp_path / "results", "--gpu", "0,7") == 3
    assert "--gpu 7: there is no such GPU here" in capsys.readouterr().err


def test_what_was_measured_goes_home_when_visits_are_ended(tmp_path: Path) -> None:
    _two_gpus(tmp_path / "bin")
    root, results = compose_pack(tmp_path / "pack", CELLS), tmp_path / "results"
    worker = root / "code" / "composed_worker.py"
    worker.write_text("import time; time.sleep(0.5)\n" + worker.read_text())
    command = ["-m", "harness.pack.host", "--pack", str(root), "--results", str(results), "--gpu", "all"]
    process = subprocess.Popen(
        [sys.executable, *command, "--rounds", "50", "--by-round", "--home", str(tmp_path / "home")],
        env={**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parents[2])},
        stdout=subprocess.DEVNULL,
    )
    deadline = time.monotonic() + 60
    while len({path.parts[-5] for path in results.glob("*/builds/*/*/outcome.json")}) < 2:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    process.terminate()
    assert process.wait(timeout=30) == 143
    assert len(list((tmp_path / "home").glob("*.tar.zst"))) == 2
    assert {visit["state"] for visit in visits(results)} == {"budget"}


SCRIPT = """
import json, os, sys
jobs = [json.load(open(path)) for path in sys.argv[1:3]]
beside = os.path.exists(os.path.join(os.path.dirname(sys.argv[1]), "weights.npz"))
said = [[job["cell"]["id"] for job in jobs], sys.argv[3:], beside, os.environ["CUDA_VISIBLE_DEVICES"]]
json.dump([*said, jobs[0]["device"]], open(sys.argv[-1], "w"))
sys.exit(5)
"""


def test_a_script_runs_in_the_environment_of_its_cells(tmp_path: Path) -> None:
    _two_gpus(tmp_path / "bin")
    root, script, out = compose_pack(tmp_path / "pack", CELLS), tmp_path / "script.py", tmp_path / "out"
    script.write_text(SCRIPT)
    command = ["--only", "v?-8.5", "--gpu", "1", "--script", str(script), "--more", str(out)]
    assert start(root, tmp_path / "results", *command) == 5
    assert json.loads(out.read_text()) == [
        ["v2-8.5", "v1-8.5"], ["--more", str(out)], True, "GPU-b", "GPU-b"
    ]  # fmt: skip
    assert not (tmp_path / "results").exists()
    assert not list(root.glob("script-*"))


def test_a_script_that_cannot_run_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    root = compose_pack(tmp_path / "pack", CELLS)
    assert start(root, tmp_path / "results", "--only", "v1-8.5", "--script", "none.py") == 3
    assert "--script none.py: no such file" in capsys.readouterr().err
    assert start(root, tmp_path / "results", "--gpu", "3", "--script", __file__) == 3
    assert "--gpu 3: there is no such GPU here" in capsys.readouterr().err


@pytest.mark.parametrize("kept", ["on", "off"])
def test_a_build_begins_with_the_timing_cache_of_the_one_before(tmp_path: Path, kept: str) -> None:
    root, results = compose_pack(tmp_path / "pack", {"v1-8.5": CELLS["v1-8.5"]}), tmp_path / "results"
    listed = json.loads((root / "pack.json").read_text())
    listed["jobs"]["v1-8.5"]["document"]["cell"]["treatment"] = {"timing_cache": kept}
    (root / "pack.json").write_text(json.dumps(listed))
    assert start(root, results, "--rounds", "3") == 0
    caches = [p.read_text() for p in sorted(results.glob("*/builds/v1-8.5/*/evidence/timing.cache"))]
    assert caches == (["new", "new+", "new++"] if kept == "on" else ["new"] * 3)
