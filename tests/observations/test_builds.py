"""What is read of one stored build: its samples, its worker's facts, its evidence, and what spoils it."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from msgspec import structs

from harness.attribution.attribute import attribute
from harness.attribution.engine import AttributedEngine
from harness.attribution.format_trial import FormatTrial
from harness.errors import InputError, PluginError, UsageError
from harness.evidence.records import Evidence
from harness.networks.graph import Graph
from harness.networks.mobilenet import MobileNetV2
from harness.networks.package import write_package
from harness.observations.reading import observe
from harness.observations.records import BuildObservation, CellObservation, RunObservation
from harness.store.bundle import Bundle
from harness.store.documents.build import Outcome, Outputs
from tests.observations.composed import CELL, NIGHT, bundle

NETWORK = MobileNetV2(width=0.25, resolution=64, classes=11, calibrated=False, name="mobilenet_v2")


class Reads:
    """A runtime that reads nothing from files but what the test gives it."""

    def __init__(self, *, evidence: Evidence | None = None, error: Exception | None = None) -> None:
        self.evidence, self.error = evidence or Evidence(), error
        self.graphs: list[Graph | None] = []

    def read(self, _folder: Path) -> Evidence:
        if self.error is not None:
            raise self.error
        return self.evidence

    def attribute(self, graph: Graph | None, evidence: Evidence) -> AttributedEngine:
        self.graphs.append(graph)
        return attribute(graph, evidence)

    def format_trials(self, _folder: Path, _graph: Graph | None) -> list[FormatTrial]:
        return [FormatTrial("CHW32", "fp32", True)]


def read(
    root: Path, runtime: Reads | None = None, networks: Mapping[str, Any] | None = None
) -> RunObservation:
    runtimes: dict[str, Any] = {} if runtime is None else {CELL.runtime: runtime}
    return observe([root], runtimes, networks or {})


def one_cell(*args: Any, **more: Any) -> CellObservation:
    (found,) = read(*args, **more).cells
    return found


def one_build(*args: Any, **more: Any) -> BuildObservation:
    (found,) = one_cell(*args, **more).builds
    return found


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A run of one build."""
    return bundle(tmp_path / "run", rounds=(0,), facts={"cpu": "x"})


def folder_of(root: Path) -> Path:
    return root / "builds" / CELL.id / "0"


def put(path: Path, data: object) -> None:
    path.write_text(json.dumps(data), encoding="utf-8")


def rewrite(root: Path, **changes: Any) -> None:
    """Put the build again with other fields of its document."""
    made = Bundle.open(root)
    record = made.build(CELL.id, 0)
    files = root / "again"
    record.folder.rename(files)
    made.put_build(files, structs.replace(record.document, **changes))


def window(name: str, times: list[float], **columns: Any) -> dict[str, Any]:
    return {"pass": name, "window": 0, "clock": "host", "latency_ms": times, **columns}


def test_samples_are_those_of_each_pass_without_the_throttled(root: Path) -> None:
    rows = [
        window("latency", [1.0, 2.0, 3.0], throttled=[False, True, None], enqueue_ms=[0.25, 0.5, None]),
        window("latency", [4.0]),
        window("cold_l2", [5.0], enqueue_ms=[0.75]),
    ]
    put(folder_of(root) / "samples.json", {"windows": rows})
    found = one_build(root)
    assert {name: list(values) for name, values in found.passes.items()} == {
        "latency": [1.0, 3.0, 4.0],
        "cold_l2": [5.0],
    }
    assert found.throttled == 1
    assert found.enqueue_ms is not None
    assert list(found.enqueue_ms) == [0.25], "of the latency alone, and of what counts"
    assert all(values.dtype == np.float64 for values in found.passes.values())


def test_what_wall_time_is_above_cpu_time_was_waited(root: Path) -> None:
    assert one_build(root).waited is None
    rows = [
        window("latency", [1.0, 2.0], cpu_ms=[1.0, None]),
        window("latency", [4.0], cpu_ms=[3.0]),
        window("cold_l2", [9.0], cpu_ms=[1.0]),
    ]
    put(folder_of(root) / "samples.json", {"windows": rows})
    assert one_build(root).waited == pytest.approx(5.0 / 4.0 - 1)


def test_a_build_without_times_of_launches_has_none(root: Path) -> None:
    assert one_build(root).enqueue_ms is None
    (folder_of(root) / "samples.json").unlink()
    found = one_build(root)
    assert (found.passes, found.throttled, found.latency_ms) == ({}, 0, None)


def test_facts_are_the_evidence_s_the_worker_s_and_what_stands_in_the_document(root: Path) -> None:
    said = {
        "facts": {"cpu": "x", "engine_bytes": 7},
        "settings": [{"name": "a", "value": 1}],
        "not_expressible": ["tf32"],
    }
    put(folder_of(root) / "result.json", said)
    outcome = Outcome(status="ok", seconds=2.5)
    rewrite(root, environment={"python": "3.11"}, outcome=outcome)
    evidence = Evidence(facts={"engine_bytes": 5, "layers": 3})
    expected = {
        "layers": 3,
        "engine_bytes": 7,
        "cpu": "x",
        "settings": [{"name": "a", "value": 1}],
        "not_expressible": ["tf32"],
        "environment": {"python": "3.11"},
        "wall_seconds": 2.5,
    }
    assert one_build(root, Reads(evidence=evidence)).facts == expected
    without = {key: value for key, value in expected.items() if key != "layers"}
    assert one_build(root).facts == without, "a runtime that is not here adds nothing"


def test_a_build_without_a_result_has_the_facts_of_its_document(root: Path) -> None:
    (folder_of(root) / "result.json").unlink()
    facts = one_build(root).facts
    assert facts == {"settings": [], "not_expressible": [], "environment": {}, "wall_seconds": None}


def test_with_its_runtime_a_build_is_attributed(root: Path) -> None:
    runtime = Reads()
    found = one_build(root, runtime)
    assert found.evidence is runtime.evidence
    assert found.engine is not None
    assert found.trials == (FormatTrial("CHW32", "fp32", True),)
    bare = one_build(root)
    assert (bare.evidence, bare.engine, bare.trials) == (None, None, ())
    assert bare.latency_ms == pytest.approx(4.0)


def test_the_network_is_the_registered_one_if_it_is_still_the_same(tmp_path: Path) -> None:
    graph = NETWORK.graph(1, "clip")
    root = bundle(tmp_path / "run", rounds=(0,), digest=graph.digest)
    known, other = Reads(), Reads()
    one_build(root, known, {CELL.network: NETWORK})
    assert known.graphs[0] is not None
    assert known.graphs[0].digest == graph.digest
    changed = MobileNetV2(width=0.5, resolution=64, classes=11, calibrated=False, name="mobilenet_v2")
    one_build(root, other, {CELL.network: changed})
    assert other.graphs == [None], "another network of that name is not what was measured"
    network, _ = write_package(graph, tmp_path)
    Bundle.open(root).keep_network(CELL, network)
    one_build(root, other, {CELL.network: changed})
    stored = other.graphs[1]
    assert stored is not None
    assert stored.digest == graph.digest


def test_a_network_that_cannot_be_made_here_is_unknown(root: Path) -> None:
    class Refuses:
        def graph(self, **_form: object) -> Graph:
            raise UsageError("no such batch")

    runtime = Reads()
    one_build(root, runtime, {CELL.network: Refuses()})
    assert runtime.graphs == [None]


def test_outputs_are_as_they_were_compared(root: Path) -> None:
    assert one_build(root).outputs is None
    rewrite(root, outputs=Outputs(valid=False, error=None, bound=0.25, top1=0.5, reason="differ"))
    found = one_build(root).outputs
    assert found is not None
    assert (found.valid, found.error, found.bound, found.top1) == (False, math.inf, 0.25, 0.5)
    assert found.reason == "differ"


def test_a_build_that_failed_is_not_looked_into(root: Path) -> None:
    rewrite(root, status="failed", reason="died", round=3)
    (folder_of(root) / "samples.json").write_text("{", encoding="utf-8")
    found = one_build(root, Reads(error=InputError("x", "torn")))
    assert (found.status, found.reason, found.round, found.host) == ("failed", "died", 3, "m-1")
    assert found.folder == folder_of(root)
    assert (found.passes, found.facts) == ({}, {})


def test_a_plugin_that_raises_fails_its_builds_and_cell(root: Path) -> None:
    cell = one_cell(root, Reads(error=PluginError("runtime 'x' of y raised KeyError: 'z'")))
    (build,) = cell.builds
    reason = "runtime 'x' of y raised KeyError: 'z'"
    assert (build.status, build.reason) == (cell.status, cell.reason) == ("failed", reason)


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (KeyError("name"), "not as a worker leaves it: KeyError: 'name'"),
        (ValueError("two\n  lines"), "not as a worker leaves it: ValueError: two lines"),
    ],
)
def test_files_of_another_form_are_named_in_one_line(root: Path, error: Exception, said: str) -> None:
    with pytest.raises(InputError) as caught:
        read(root, Reads(error=error))
    assert (caught.value.path, caught.value.problem) == (str(folder_of(root)), said)


def test_a_cell_whose_builds_are_gone_is_named(root: Path) -> None:
    (folder_of(root) / "build.json").unlink()
    for left in folder_of(root).rglob("*"):
        if left.is_file():
            left.unlink()
    (folder_of(root) / "evidence").rmdir()
    folder_of(root).rmdir()
    with pytest.raises(InputError) as caught:
        read(root)
    assert caught.value.problem == "the cell was measured, and none of its builds is there"
    assert caught.value.path == str(folder_of(root).parent)


@pytest.mark.parametrize(
    ("document", "status", "reason"),
    [
        ({}, "measured", ""),
        ({"status": "failed", "reason": "died"}, "failed", "died"),
        (None, "interrupted", "the run ended before this cell was measured"),
    ],
)
def test_a_run_that_was_killed_is_what_its_builds_say(
    root: Path, document: dict[str, Any] | None, status: str, reason: str
) -> None:
    made = Bundle.open(root)
    made.set_cell(CELL, "pending", "", "sha256:1")
    made.save()
    if document is None:
        folder_of(root).rename(root / "gone")
    else:
        rewrite(root, **document)
    found = one_cell(root)
    assert (found.status, found.reason, found.digest) == (status, reason, "sha256:1")


def test_of_two_runs_the_one_with_builds_speaks_for_the_cell(root: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    made = Bundle.create(other, structs.replace(Bundle.open(root).manifest, run="other", cells=()))
    made.set_cell(CELL, "unavailable", "no wheel")
    made.save()
    for runs in ([root, other], [other, root]):
        (cell,) = observe(runs, {}, {}).cells
        assert (cell.status, cell.reason, cell.digest, len(cell.builds)) == ("measured", "", "sha256:1", 1)
    assert observe([other, root], {}, {}).manifest.run == "other"
    assert observe([root, other], {}, {}).runs == (root, other)


def test_at_least_one_run_is_named() -> None:
    with pytest.raises(UsageError, match=r"^name at least one run: the folder of a bundle$"):
        observe([], {}, {})


def test_times_are_those_of_the_builds_in_utc(root: Path) -> None:
    identity = one_build(root).identity
    assert identity.started == NIGHT
    assert identity.cell == CELL


def side_by_side(root: Path, *slices: tuple[int, int]) -> None:
    """Make the one build one of a block, with a slice of each (process, cycle)."""
    folder = folder_of(root)
    document = json.loads((folder / "build.json").read_text(encoding="utf-8"))
    put(folder / "build.json", {**document, "block": "b"})
    rows = [
        {"pass": "latency", "process": process, "cycle": cycle, "latency_ms": [4.0, 5.0]}
        for process, cycle in slices
    ]
    put(folder / "samples.json", {"schema": "trtmatrix.samples/2", "slices": rows})


def test_a_slice_of_a_block_says_its_process_and_cycle(root: Path) -> None:
    side_by_side(root, (0, 3), (1, 3), (0, 4))
    found = one_build(root)
    assert found.block == "b"
    assert [(one.process, one.cycle) for one in found.slices["latency"]] == [(0, 3), (1, 3), (0, 4)]


def test_two_slices_of_one_cycle_are_refused(root: Path) -> None:
    side_by_side(root, (0, 3), (0, 3))
    with pytest.raises(InputError, match="two slices of cycle 3 of latency, process 0"):
        read(root)
