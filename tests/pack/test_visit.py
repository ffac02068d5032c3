"""A visit: complete blocks, resuming, what becomes of workers that fail, results to carry home."""

import fcntl
import json
import os
import shutil
import subprocess
import sys
import tarfile
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
import zstandard

from harness.pack.host import blocks, side_by_side
from harness.pack.host.__main__ import main
from harness.pack.host.machine import host_facts
from harness.pack.host.visit import Visit
from harness.pack.results import latest
from harness.store.documents.base import document_of
from harness.store.documents.visit import Visit as VisitDocument
from harness.worker.lockstep import Lockstep
from tests.pack.pack_composed import compose_pack, without_gpu

CELLS: dict[str, dict[str, Any]] = {
    f"{subject}-{version}": {"subject": subject} for subject in ("v2", "v1") for version in ("8.5", "8.6")
}


@pytest.fixture(autouse=True)
def _no_gpu(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    without_gpu(monkeypatch, tmp_path / "bin")


def _outcomes(results: Path) -> dict[tuple[str, str], dict[str, Any]]:
    return {
        (path.parent.parent.name, path.parent.name): json.loads(path.read_text())
        for path in results.glob("*/builds/*/*/outcome.json")
    }


def _visits(results: Path) -> list[dict[str, Any]]:
    return [json.loads(path.read_text()) for path in sorted(results.glob("*/visit-*.json"))]


def _start(root: Path, results: Path, *more: str) -> int:
    return main(["--pack", str(root), "--results", str(results), *more])


def _read(piece: Path) -> dict[str, bytes]:
    """Return the files of an archive by name."""
    with (
        piece.open("rb") as source,
        tarfile.open(fileobj=zstandard.ZstdDecompressor().stream_reader(source), mode="r|") as archive,
    ):
        opened = ((info.name, archive.extractfile(info)) for info in archive)
        return {name: stream.read() for name, stream in opened if stream is not None}


def test_every_cell_is_built_as_often_as_the_matrix_says(tmp_path: Path) -> None:
    root, results = compose_pack(tmp_path / "pack", CELLS), tmp_path / "results"
    assert _start(root, results) == 0
    found = _outcomes(results)
    assert set(found) == {(cell, str(number)) for cell in CELLS for number in (0, 1)}
    assert {outcome["status"] for outcome in found.values()} == {"ok"}
    one = found["v1-8.5", "1"]
    said = json.loads((next(results.glob("*/builds/v1-8.5/1/result.json"))).read_text())["facts"]
    assert (said["build"], said["seed"], said["device"]) == (1, 8, None)
    assert (one["round"], one["seed"], one["host"]) == (1, 8, host_facts()["host"])
    assert one["peak_memory_bytes"] > 1 << 20
    assert one["log_tail"] == "done v1-8.5"
    (visit,) = _visits(results)
    assert visit["state"] == "complete"
    assert len(visit["builds"]) == 8
    assert json.loads((results / "plan-composed.json").read_text())["jobs"].keys() == CELLS.keys()


def test_versions_of_a_block_follow_each_other(tmp_path: Path) -> None:
    root, results = compose_pack(tmp_path / "pack", CELLS), tmp_path / "results"
    _start(root, results)
    (visit,) = _visits(results)
    made = [(cell.partition("-")[0], number) for cell, number in visit["builds"]]
    assert made == [(s, n) for s in ("v2", "v1") for n in (0, 1) for _ in ("8.5", "8.6")]


def test_a_second_start_measures_what_is_missing_only(tmp_path: Path) -> None:
    root, results = compose_pack(tmp_path / "pack", CELLS), tmp_path / "results"
    _start(root, results, "--rounds", "1", "--only", "v2-*")
    first = {path: path.stat().st_mtime_ns for path in results.glob("*/builds/*/*/outcome.json")}
    assert len(first) == 2
    torn = next(results.glob("*/builds/v2-8.5/0/outcome.json"))
    torn.write_text("{")
    assert _start(root, results) == 0
    again = {path: path.stat().st_mtime_ns for path in results.glob("*/builds/*/*/outcome.json")}
    assert len(again) == 8
    assert [path for path in first if again[path] == first[path]] == [p for p in first if p != torn]


def test_a_block_that_does_not_fit_the_budget_is_not_begun(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root, results = compose_pack(tmp_path / "pack", CELLS), tmp_path / "results"
    assert _start(root, results, "--budget", "1") == 4
    assert _outcomes(results) == {}
    assert "does not fit into the budget" in capsys.readouterr().out
    assert _visits(results)[0]["state"] == "budget"


def test_rounds_can_be_numbered_for_a_later_visit(tmp_path: Path) -> None:
    root, results = compose_pack(tmp_path / "pack", CELLS), tmp_path / "results"
    assert _start(root, results, "--rounds", "3-4", "--only", "v1-*") == 0
    assert {number for _, number in _outcomes(results)} == {"3", "4"}


def test_a_block_that_another_host_finished_is_left_and_one_it_began_is_done_again(tmp_path: Path) -> None:
    root, results = compose_pack(tmp_path / "pack", CELLS), tmp_path / "results"
    _start(root, results, "--rounds", "1")
    own = next(results.glob("*/builds")).parent
    own.rename(results / "elsewhere")
    for path in (results / "elsewhere/builds/v1-8.6/0").iterdir():
        path.unlink()
    assert _start(root, results, "--rounds", "1") == 0
    assert sorted(p.name for p in (own / "builds").iterdir()) == ["v1-8.5", "v1-8.6"]


def test_workers_that_fail_are_recorded_with_their_reason(tmp_path: Path) -> None:
    cells = {
        "dies": {"subject": "x", "options": {"die": True}},
        "refuses": {"subject": "x", "options": {"refuse": "no such format"}},
        "sleeps": {"subject": "x", "options": {"sleep": 60}},
    }
    root, results = compose_pack(tmp_path / "pack", cells, limit=1.0), tmp_path / "results"
    assert _start(root, results) == 0
    found = _outcomes(results)
    assert found["dies", "0"]["status"] == "failed"
    assert found["dies", "0"]["exit_code"] == 9
    assert found["sleeps", "0"]["status"] == "time_limit"
    assert (found["refuses", "0"]["status"], found["refuses", "0"]["reason"]) == (
        "unsupported",
        "no such format",
    )
    # What can never run is tried once.
    assert ("refuses", "1") not in found


def test_failed_builds_are_measured_again_on_request_only(tmp_path: Path) -> None:
    root = compose_pack(tmp_path / "pack", {"dies": {"subject": "x", "options": {"die": True}}})
    results = tmp_path / "results"
    for more in ((), ("--retry-failed",)):
        _start(root, results, "--rounds", "1", *more)
    assert [len(visit["builds"]) for visit in sorted(_visits(results), key=lambda v: v["visit"])] in ([1, 1],)
    _start(root, results, "--rounds", "1")
    assert sum(len(visit["builds"]) for visit in _visits(results)) == 2


def test_results_go_home_in_archives_that_stand_alone(tmp_path: Path) -> None:
    root, results, home = compose_pack(tmp_path / "pack", CELLS), tmp_path / "results", tmp_path / "home"
    assert _start(root, results, "--home", str(home)) == 0
    (piece,) = home.iterdir()
    names = list(_read(piece))
    host = host_facts()["host"]
    assert "plan-composed.json" in names
    assert f"{host}/builds/v1-8.6/1/outcome.json" in names
    assert sum(name.endswith("outcome.json") for name in names) == 8


def test_results_go_home_on_the_way(tmp_path: Path) -> None:
    root, results, home = compose_pack(tmp_path / "pack", CELLS), tmp_path / "results", tmp_path / "home"
    assert _start(root, results, "--home", str(home), "--home-every", "0") == 0
    pieces = sorted(home.iterdir())
    assert [piece.name[-10:] for piece in pieces] == ["00.tar.zst", "01.tar.zst"]
    contents = [_read(piece) for piece in pieces]
    outcomes = [[name for name in found if name.endswith("outcome.json")] for found in contents]
    assert [len(names) for names in outcomes] == [4, 4], "a block each"
    assert len({name for names in outcomes for name in names}) == 8
    records = [
        document_of(json.loads(text), VisitDocument, Path(name))
        for found in contents
        for name, text in found.items()
        if "/visit-" in name
    ]
    assert len(records) == 2
    (visit,) = latest(records[::-1]).values()
    assert len(visit.builds) == 8, "the last record of a visit counts, in whatever order they come"


def test_what_is_asked_for_wrongly_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    root = compose_pack(tmp_path / "pack", CELLS)
    assert _start(root, tmp_path / "results", "--only", "v9-*") == 3
    assert "matches none of the 4 cells" in capsys.readouterr().err
    assert _start(root, tmp_path / "results", "--rounds", "4-2") == 3
    assert "--rounds 4-2" in capsys.readouterr().err


def test_cells_wait_for_parts_that_have_not_arrived(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root = compose_pack(tmp_path / "pack", CELLS)
    (root / "objects" / "site.tar.zst").unlink()
    assert _start(root, tmp_path / "results") == 3
    assert "has not arrived" in capsys.readouterr().out
    assert _start(root, tmp_path / "results", "--unpack") == 4
    assert "inputs: unpacked" in capsys.readouterr().out


def test_the_list_names_the_cells(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    root = compose_pack(tmp_path / "pack", CELLS)
    assert _start(root, tmp_path / "results", "--list") == 0
    assert capsys.readouterr().out.split() == list(CELLS)


def test_cells_whose_images_lie_beside_the_pack_are_left_to_a_run(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root = compose_pack(tmp_path / "pack", CELLS)
    document = json.loads((root / "pack.json").read_text())
    (root / "pack.json").write_text(json.dumps({**document, "contained": ["v2-5.0-docker", "v2-6.0-docker"]}))
    assert _start(root, tmp_path / "results", "--list") == 0
    first, *cells = capsys.readouterr().out.splitlines()
    assert first == "cells in containers: 2, left to 'trtmatrix run' on this host"
    assert cells == list(CELLS)


def test_the_start_script_is_valid_shell() -> None:
    script = Path(main.__code__.co_filename).with_name("start.sh")
    subprocess.run(["/bin/sh", "-n", str(script)], check=True)


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
    assert _start(root, results, "--rounds", "1", "--only", "v1-8.5", *asked) == 0
    (outcome,) = _outcomes(results).values()
    assert outcome["host"] == got
    said = json.loads(next(results.glob("*/builds/v1-8.5/0/result.json")).read_text())["facts"]
    assert said["device"] == got


def test_what_the_visit_beside_this_one_measured_until_its_end_is_not_measured_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The other visit ends between the look at what is missing and the claim, which is free by then."""
    _two_gpus(tmp_path / "bin")
    root, beside, results = compose_pack(tmp_path / "pack", CELLS), tmp_path / "beside", tmp_path / "results"
    assert _start(root, beside, "--gpu", "0") == 0
    claim = Visit._claim

    def late(visit: Visit, together: str, claims: ExitStack) -> bool:
        shutil.copytree(beside, results, dirs_exist_ok=True)
        return claim(visit, together, claims)

    monkeypatch.setattr(Visit, "_claim", late)
    assert _start(root, results, "--gpu", "1") == 0
    assert {outcome["host"] for outcome in _outcomes(results).values()} == {"GPU-a"}
    assert len(list(results.glob("*/builds/*/*/outcome.json"))) == 2 * len(CELLS)


def test_a_gpu_that_is_not_there_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    root = compose_pack(tmp_path / "pack", CELLS)
    assert _start(root, tmp_path / "results", "--gpu", "7") == 3
    assert "--gpu 7: there is no such GPU here" in capsys.readouterr().err


def test_two_visits_on_one_gpu_are_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    root, results = compose_pack(tmp_path / "pack", CELLS), tmp_path / "results"
    folder = results / host_facts()["host"]
    folder.mkdir(parents=True)
    with (folder / "lock").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        assert _start(root, results) == 3
    assert "another visit is measuring on this GPU" in capsys.readouterr().err
    assert _start(root, results, "--rounds", "1", "--only", "v1-8.5") == 0


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
    assert _start(root, tmp_path / "results", *command) == 5
    assert json.loads(out.read_text()) == [
        ["v2-8.5", "v1-8.5"], ["--more", str(out)], True, "GPU-b", "GPU-b"
    ]  # fmt: skip
    assert not (tmp_path / "results").exists()
    assert not list(root.glob("script-*"))


def test_a_script_that_cannot_run_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    root = compose_pack(tmp_path / "pack", CELLS)
    assert _start(root, tmp_path / "results", "--only", "v1-8.5", "--script", "none.py") == 3
    assert "--script none.py: no such file" in capsys.readouterr().err
    assert _start(root, tmp_path / "results", "--gpu", "3", "--script", __file__) == 3
    assert "--gpu 3: there is no such GPU here" in capsys.readouterr().err


@pytest.mark.parametrize("kept", ["on", "off"])
def test_a_build_begins_with_the_timing_cache_of_the_one_before(tmp_path: Path, kept: str) -> None:
    root, results = compose_pack(tmp_path / "pack", {"v1-8.5": CELLS["v1-8.5"]}), tmp_path / "results"
    listed = json.loads((root / "pack.json").read_text())
    listed["jobs"]["v1-8.5"]["document"]["cell"]["treatment"] = {"timing_cache": kept}
    (root / "pack.json").write_text(json.dumps(listed))
    assert _start(root, results, "--rounds", "3") == 0
    caches = [p.read_text() for p in sorted(results.glob("*/builds/v1-8.5/*/evidence/timing.cache"))]
    assert caches == (["new", "new+", "new++"] if kept == "on" else ["new"] * 3)


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
    assert _start(root, results, "--gpu", "all") == 0
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
    assert _start(root, results, "--gpu", which, "--home", str(tmp_path / "home")) == 0
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
    assert _start(compose_pack(tmp_path / "pack", CELLS), tmp_path / "results", "--gpu", "0,7") == 3
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
    assert {visit["state"] for visit in _visits(results)} == {"budget"}


MEASURED = """
import json, os, time
from harness.worker import base
from harness.worker.measure import Pass
class Worker(base.Worker):
    def build(self):
        said = self.job.options({"die_at": 0})
        self.left = said["die_at"] or 10**9
    def load(self):
        return [Pass("latency", self.sample)]
    def sample(self):
        self.left -= 1
        if not self.left:
            os._exit(9)
        time.sleep(0.001)
        return {"latency_ms": 1.0}
    def profile(self, iterations):
        with open(self.result.evidence("profile.jsonl"), "a") as stream:
            stream.write(json.dumps([time.time(), iterations]) + "\\n")
"""


def _measured(root: Path, cells: dict[str, dict[str, Any]]) -> Path:
    """Return a pack whose worker measures, four cycles and a profile in three rounds."""
    compose_pack(root, cells)
    (root / "code" / "composed_worker.py").write_text(MEASURED)
    listed = json.loads((root / "pack.json").read_text())
    for job in listed["jobs"].values():
        job["document"]["measure"].update(windows=4, maximum_seconds=0.0, profile_iterations=3)
    (root / "pack.json").write_text(json.dumps(listed))
    return root


FORMS = {
    f"{form}-{version}": {"subject": form, "together": "v2"}
    for form in ("clip", "relu_sub")
    for version in ("8.5", "8.6")
}


def _slices(results: Path) -> dict[tuple[str, str], list[dict[str, Any]]]:
    return {
        (path.parts[-3], path.parts[-2]): json.loads(path.read_text())["slices"]
        for path in results.glob("*/builds/*/*/samples.json")
    }


def test_all_rounds_and_both_forms_of_a_network_are_measured_side_by_side(tmp_path: Path) -> None:
    root, results = _measured(tmp_path / "pack", FORMS), tmp_path / "results"
    assert _start(root, results) == 0
    found = _slices(results)
    assert len(found) == 8
    assert {outcome["block"] for outcome in _outcomes(results).values()} != {""}
    assert len({outcome["block"] for outcome in _outcomes(results).values()}) == 1
    for slices in found.values():
        assert [one["cycle"] for one in slices] == [0, 1, 2, 3]
    for cycle in range(4):
        assert sorted(slices[cycle]["slice"] for slices in found.values()) == list(range(8))
    starts = sorted((one["start_ns"][0], one["cycle"]) for slices in found.values() for one in slices)
    assert [cycle for _, cycle in starts] == sorted(cycle for _, cycle in starts), "one cycle, then the next"
    rounds = sorted(
        (json.loads(line)[0], number)
        for path in results.glob("*/builds/*/*/evidence/profile.jsonl")
        for number, line in enumerate(path.read_text().splitlines())
    )
    assert [number for _, number in rounds] == [0] * 8 + [1] * 8 + [2] * 8, "profiled in turn"
    assert {one["seconds"] > 0 for one in _outcomes(results).values()} == {True}


def test_a_worker_that_dies_costs_its_own_slices_and_not_the_block(tmp_path: Path) -> None:
    cells = {**FORMS, "clip-8.6": {**FORMS["clip-8.6"], "options": {"die_at": 40}}}
    root, results = _measured(tmp_path / "pack", cells), tmp_path / "results"
    assert _start(root, results, "--rounds", "1") == 0
    found = _outcomes(results)
    assert {cell: one["status"] for (cell, _), one in found.items() if one["status"] != "ok"} == {
        "clip-8.6": "failed"
    }
    assert {len(one) for (cell, _), one in _slices(results).items() if cell != "clip-8.6"} == {4}


KEEPING = """
import os
from harness.worker.errors import FailedError
from harness.worker.result import KEPT
from composed_measured import Worker as Measured
class Worker(Measured):
    def build(self):
        super().build()
        if self.job.engine:
            if self.job.build == 1:
                raise FailedError("not accepted")
            with open(self.job.engine) as stream:
                assert stream.read() == self.job.cell["id"]
        if self.job.keep_engine:
            with open(os.path.join(self.result.folder, KEPT), "w") as stream:
                stream.write(self.job.cell["id"])
"""


def test_an_engine_that_is_kept_is_measured_in_several_processes(tmp_path: Path) -> None:
    root, results = _measured(tmp_path / "pack", FORMS), tmp_path / "results"
    (root / "code" / "composed_measured.py").write_text(MEASURED)
    (root / "code" / "composed_worker.py").write_text(KEEPING)
    listed = json.loads((root / "pack.json").read_text())
    for job in listed["jobs"].values():
        job["processes"] = 2
        job["document"]["keep_engine"] = True
    (root / "pack.json").write_text(json.dumps(listed))
    assert _start(root, results) == 0
    for (_, number), slices in _slices(results).items():
        processes = sorted((one["process"], one["cycle"]) for one in slices)
        expected = [(p, cycle) for p in ((0,) if number == "1" else (0, 1)) for cycle in range(4)]
        assert processes == expected
    lost = {number: one["lost_processes"] for (_, number), one in _outcomes(results).items()}
    assert lost == {"0": [], "1": ["process 1: not accepted"]}
    assert not list(results.glob("*/builds/*/*/engine.plan"))


def test_engines_are_kept_on_the_host_where_that_is_asked_for(tmp_path: Path) -> None:
    root, results, engines = _measured(tmp_path / "pack", FORMS), tmp_path / "results", tmp_path / "engines"
    (root / "code" / "composed_measured.py").write_text(MEASURED)
    (root / "code" / "composed_worker.py").write_text(KEEPING)
    assert _start(root, results, "--rounds", "1", "--keep-engines", str(engines)) == 0
    cells = json.loads((root / "pack.json").read_text())["jobs"]
    said = {path.name: path.read_text() for path in engines.iterdir()}
    assert said == {f"{cell}-0.plan": cell for cell in cells}
    assert not list(results.rglob("*.plan"))


def test_what_memory_does_not_hold_shares_a_build(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def every_second(_room: side_by_side.Room) -> bool:
        asked.append(True)
        return len(asked) % 2 == 1

    monkeypatch.setattr(side_by_side.Room, "for_one_more", every_second)
    root, results = _measured(tmp_path / "pack", FORMS), tmp_path / "results"
    assert _start(root, results, "--rounds", "1") == 0
    cycles = {name: {one["cycle"] for one in slices} for name, slices in _slices(results).items()}
    assert len(cycles) == 4
    (anchor,) = [name for name, own in cycles.items() if len(own) == 8]
    assert all(own <= cycles[anchor] for own in cycles.values())


def test_as_many_rounds_are_measured_as_the_budget_does_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(blocks, "DEFAULT_SECONDS", 10.0)
    root, results = _measured(tmp_path / "pack", FORMS), tmp_path / "results"
    # A round of four takes 46 s by what is expected of builds that nobody has seen yet.
    assert _start(root, results, "--rounds", "3", "--budget", "100") == 4
    assert sorted({number for _, number in _outcomes(results)}) == ["0", "1"]
    assert "clip-8.5 round 2" in capsys.readouterr().out
    assert _start(root, results, "--rounds", "3", "--budget", "100") == 0


def test_what_is_half_measured_is_not_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(_self: Lockstep, _builds: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Lockstep, "measure", interrupted)
    root, results = _measured(tmp_path / "pack", FORMS), tmp_path / "results"
    with pytest.raises(KeyboardInterrupt):
        _start(root, results)
    assert _outcomes(results) == {}
    monkeypatch.undo()
    assert _start(root, results) == 0
    assert len(_outcomes(results)) == 8
