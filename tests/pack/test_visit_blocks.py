"""The blocks of a visit: measured side by side, in several processes, as many rounds as the time does for."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

import pytest

from harness.pack.host import blocks, side_by_side, visit
from harness.worker.lockstep import Lockstep
from tests.pack.pack_composed import compose_pack, without_gpu
from tests.pack.visits import outcomes, start


@pytest.fixture(autouse=True)
def _no_gpu(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    without_gpu(monkeypatch, tmp_path / "bin")


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
    assert start(root, results) == 0
    found = _slices(results)
    assert len(found) == 8
    assert {outcome["block"] for outcome in outcomes(results).values()} != {""}
    assert len({outcome["block"] for outcome in outcomes(results).values()}) == 1
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
    assert {one["seconds"] > 0 for one in outcomes(results).values()} == {True}


def test_a_worker_that_dies_costs_its_own_slices_and_not_the_block(tmp_path: Path) -> None:
    cells = {**FORMS, "clip-8.6": {**FORMS["clip-8.6"], "options": {"die_at": 40}}}
    root, results = _measured(tmp_path / "pack", cells), tmp_path / "results"
    assert start(root, results, "--rounds", "1") == 0
    found = outcomes(results)
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
    assert start(root, results) == 0
    for (_, number), slices in _slices(results).items():
        processes = sorted((one["process"], one["cycle"]) for one in slices)
        expected = [(p, cycle) for p in ((0,) if number == "1" else (0, 1)) for cycle in range(4)]
        assert processes == expected
    lost = {number: one["lost_processes"] for (_, number), one in outcomes(results).items()}
    assert lost == {"0": [], "1": ["process 1: not accepted"]}
    alone = [
        {one["process"] for one in json.loads(path.read_text()).get("alone", ())}
        for path in results.glob("*/builds/*/*/samples.json")
    ]
    # The first build before the others, and a process that was not profiled once all others have left.
    assert sorted(map(sorted, filter(None, alone))) in ([[0], [1]], [[0, 1]])
    assert not list(results.glob("*/builds/*/*/engine.plan"))


def test_engines_are_kept_on_the_host_where_that_is_asked_for(tmp_path: Path) -> None:
    root, results, engines = _measured(tmp_path / "pack", FORMS), tmp_path / "results", tmp_path / "engines"
    (root / "code" / "composed_measured.py").write_text(MEASURED)
    (root / "code" / "composed_worker.py").write_text(KEEPING)
    assert start(root, results, "--rounds", "1", "--keep-engines", str(engines)) == 0
    cells = json.loads((root / "pack.json").read_text())["jobs"]
    said = {path.name: path.read_text() for path in engines.iterdir()}
    assert said == {f"{cell}-0.plan": cell for cell in cells}
    assert not list(results.rglob("*.plan"))


def test_what_memory_does_not_hold_shares_a_build(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def every_second(_room: side_by_side.Room, _coming: int = 0) -> bool:
        asked.append(True)
        return len(asked) % 2 == 1

    monkeypatch.setattr(side_by_side.Room, "for_one_more", every_second)
    root, results = _measured(tmp_path / "pack", FORMS), tmp_path / "results"
    assert start(root, results, "--rounds", "1") == 0
    cycles = {name: {one["cycle"] for one in slices} for name, slices in _slices(results).items()}
    assert len(cycles) == 4
    (anchor,) = [name for name, own in cycles.items() if len(own) == 8]
    assert all(own <= cycles[anchor] for own in cycles.values())


class Simulated(blocks.Budget):
    """Time that passes in builds alone: 20 s to build one, and 20 s to measure it."""

    elapsed: ClassVar[float] = 0.0

    def __init__(self, seconds: float | None, _clock: object, kinds: Mapping[str, blocks.Kind]) -> None:
        super().__init__(seconds, lambda: Simulated.elapsed, kinds)

    def took(self, cell: str, _seconds: float) -> None:
        super().took(cell, 20.0)
        Simulated.elapsed += 20.0


def test_as_many_rounds_are_measured_as_the_budget_does_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(visit, "Budget", Simulated)
    monkeypatch.setattr(Simulated, "elapsed", 0.0)
    root, results = _measured(tmp_path / "pack", FORMS), tmp_path / "results"
    # By the guess of a minute a build a round of four would take 276 s; its first build says 20 s.
    assert start(root, results, "--rounds", "3", "--budget", "170") == 4
    assert sorted({number for _, number in outcomes(results)}) == ["0"]
    assert "round 1: not begun, the time is up" in capsys.readouterr().out
    monkeypatch.setattr(Simulated, "elapsed", 0.0)
    assert start(root, results, "--rounds", "3", "--budget", "500") == 0


def test_what_is_half_measured_is_not_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(_self: Lockstep, _builds: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Lockstep, "measure", interrupted)
    root, results = _measured(tmp_path / "pack", FORMS), tmp_path / "results"
    with pytest.raises(KeyboardInterrupt):
        start(root, results)
    assert outcomes(results) == {}
    monkeypatch.undo()
    assert start(root, results) == 0
    assert len(outcomes(results)) == 8
