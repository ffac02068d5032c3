"""What is read of runs as a whole: which plugins are missing, which builds spoil a cell, what joins."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from msgspec import structs

from harness.errors import DamagedBundleError, InputError, PluginError, SameBuildError
from harness.evidence.records import Combination, Evidence, SkippedRunner, Tactic
from harness.observations.reading import observe
from harness.store.archive import write_archive
from harness.store.bundle import Bundle
from tests.observations.composed import CELL, NIGHT, bundle
from tests.observations.test_builds import Reads


def spoil(root: Path, build: int = 0, **changes: Any) -> None:
    """Change fields of a build's document."""
    path = root / "builds" / CELL.id / str(build) / "build.json"
    document = json.loads(path.read_text(encoding="utf-8"))
    path.write_text(json.dumps({**document, **changes}), encoding="utf-8")


def test_a_plugin_that_is_missing_is_named_once_with_its_cells(tmp_path: Path) -> None:
    acme = replace(CELL, runtime="acme")
    runs = [
        bundle(tmp_path / "a"),
        bundle(tmp_path / "b", cell=acme, began=NIGHT + timedelta(days=1)),
        bundle(tmp_path / "c", cell=replace(acme, version="2.0"), began=NIGHT + timedelta(days=2)),
    ]
    ours: Any = {CELL.runtime: Reads()}
    assert observe(runs, ours, {}).unread == (
        "no runtime is called 'acme' here: of 2 cells only latencies are read; install its plugin",
    )
    assert observe(runs[:2], {}, {}).unread == (
        "no runtime is called 'onnxruntime' here: of 1 cell only latencies are read; install its plugin",
        "no runtime is called 'acme' here: of 1 cell only latencies are read; install its plugin",
    )
    assert observe(runs[:1], ours, {}).unread == ()


def test_of_a_cell_in_which_nothing_went_well_no_plugin_is_missed(tmp_path: Path) -> None:
    root = bundle(tmp_path / "run", rounds=(0,))
    spoil(root, status="failed", reason="died")
    assert observe([root], {}, {}).unread == ()


def test_a_cell_has_the_state_of_the_first_build_that_cannot_be_read(tmp_path: Path) -> None:
    class Torn(Reads):
        def read(self, folder: Path) -> Evidence:
            if folder.name != "0":
                raise PluginError(f"cannot read build {folder.name}")
            return super().read(folder)

    runtimes: Any = {CELL.runtime: Torn()}
    (cell,) = observe([bundle(tmp_path / "run", rounds=(0, 1, 2))], runtimes, {}).cells
    assert [build.status for build in cell.builds] == ["ok", "failed", "failed"]
    assert (cell.status, cell.reason) == ("failed", "cannot read build 1")


def test_a_run_of_before_that_has_no_name_is_called_after_its_folder(tmp_path: Path) -> None:
    root = bundle(tmp_path / "run", rounds=(0,))
    spoil(root, run="unknown", pool="unknown")
    made = Bundle.open(root)
    made.update(run="unknown")
    made.save()
    ((build,),) = [cell.builds for cell in observe([root], {}, {}).cells]
    assert (build.identity.run, build.identity.pool) == (f"unknown in {root}",) * 2


def test_builds_that_state_no_beginning_may_be_there_twice(tmp_path: Path) -> None:
    """Nobody can tell whether they are the same."""
    runs = [bundle(tmp_path / name, rounds=(0,)) for name in ("a", "b")]
    with pytest.raises(SameBuildError):
        observe(runs, {}, {})
    for root in runs:
        spoil(root, started=None)
    assert [len(cell.builds) for cell in observe(runs, {}, {}).cells] == [2]


@pytest.mark.parametrize(
    "changes",
    [
        {"host": {"machine": "m-2", "device": "cpu"}},
        {"started": (NIGHT + timedelta(seconds=1)).isoformat()},
        {"round": 5},
    ],
)
def test_what_began_elsewhere_or_at_another_time_or_round_is_another_build(
    tmp_path: Path, changes: dict[str, Any]
) -> None:
    runs = [bundle(tmp_path / name, rounds=(0,)) for name in ("a", "b")]
    spoil(runs[1], **changes)
    assert [len(cell.builds) for cell in observe(runs, {}, {}).cells] == [2]


def test_an_archive_is_read_as_its_folder_is_and_keeps_its_name(tmp_path: Path) -> None:
    root = bundle(tmp_path / "run", rounds=(0,))
    write_archive(root, tmp_path / "run.tar.xz")
    (plain,), (packed,) = (observe([one], {}, {}).cells for one in (root, tmp_path / "run.tar.xz"))
    assert packed.builds[0].passes["latency"].tolist() == plain.builds[0].passes["latency"].tolist()
    assert observe([tmp_path / "run.tar.xz"], {}, {}).runs == (tmp_path / "run.tar.xz",)


def test_of_cells_of_two_runs_the_known_network_and_all_builds_are_kept(tmp_path: Path) -> None:
    one = bundle(tmp_path / "a", rounds=(0,))
    other = bundle(tmp_path / "b", rounds=(0,), began=NIGHT + timedelta(days=1))
    made = Bundle.open(one)
    made.set_cell(CELL, "measured", "", "unknown")
    made.save()
    for runs in ([one, other], [other, one]):
        (cell,) = observe(runs, {}, {}).cells
        assert (cell.digest, len(cell.builds)) == ("sha256:1", 2)


def test_evidence_without_searches_has_none_of_what_builders_tried(tmp_path: Path) -> None:
    tried = Evidence(
        tactics=(Tactic("conv", "Cask", None, "1", None, "gemm", 0.1),),
        skipped_runners=(SkippedRunner("conv", "Cudnn", "no format"),),
        combinations=(Combination("conv", None, 0),),
    )

    class Searching(Reads):
        def read_engine(self, _folder: Path) -> Evidence:
            return replace(self.evidence, facts={"read": "engine alone"})

    runtime: Any = {CELL.runtime: Searching(evidence=tried)}
    root = bundle(tmp_path / "run", rounds=(0,))
    ((whole,), (bare,)) = (
        observe([root], runtime, {}, searches=searches).cells[0].builds for searches in (True, False)
    )
    assert whole.evidence == tried
    assert bare.evidence == Evidence(facts={"read": "engine alone"})
    assert bare.facts["read"] == "engine alone"


def test_a_kept_engine_is_a_fact_of_its_build(tmp_path: Path) -> None:
    root = bundle(tmp_path / "run", rounds=(0, 1))
    spoil(root, 1, kept_engine="name-1")
    ((plain, kept),) = (cell.builds for cell in observe([root], {}, {}).cells)
    assert "kept_engine" not in plain.facts
    assert kept.facts["kept_engine"] == "name-1"


def test_samples_that_were_taken_alone_stand_apart(tmp_path: Path) -> None:
    root = bundle(tmp_path / "run", rounds=(0,))
    path = root / "builds" / CELL.id / "0" / "samples.json"
    rows = [
        {"pass": "latency", "cycle": n, "latency_ms": [4.0, 5.0], "throttled": [False, True]} for n in (0, 1)
    ]
    alone = [{"pass": "latency", "cycle": 0, "latency_ms": [3.0, 9.0], "throttled": [None, True]}]
    path.write_text(
        json.dumps({"schema": "trtmatrix.samples/2", "slices": rows, "alone": alone}), encoding="utf-8"
    )
    ((build,),) = (cell.builds for cell in observe([root], {}, {}).cells)
    assert build.passes["latency"].tolist() == [4.0, 4.0]
    assert build.throttled == 2
    assert dict(build.slices) == {}, "it was measured in no block"
    assert [one.samples.tolist() for one in build.alone["latency"]] == [[3.0]]


def test_a_file_that_no_worker_left_is_named_by_its_folder(tmp_path: Path) -> None:
    root = bundle(tmp_path / "run", rounds=(0,))
    folder = root / "builds" / CELL.id / "0"
    (folder / "result.json").write_text("[]", encoding="utf-8")
    with pytest.raises(InputError, match="expected a JSON object"):
        observe([root], {}, {})
    runtime: Any = {CELL.runtime: Reads(error=TypeError("x"))}
    (folder / "result.json").write_text('{"facts": {}}', encoding="utf-8")
    with pytest.raises(DamagedBundleError, match="not as a worker leaves it: TypeError: x") as caught:
        observe([root], runtime, {})
    assert caught.value.path == str(folder)


def test_a_document_that_states_nothing_takes_what_its_run_and_cell_say(tmp_path: Path) -> None:
    root = bundle(tmp_path / "run", rounds=(0,))
    spoil(root, run="unknown", pool="unknown", digest="unknown")
    ((build,),) = (cell.builds for cell in observe([root], {}, {}).cells)
    assert (build.identity.run, build.identity.pool, build.identity.digest) == ("run", "run", "sha256:1")
    assert structs.asdict(build.identity.host) == {"machine": "m-1", "device": "cpu"}
