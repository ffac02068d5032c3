"""In which order a schedule gives builds to its executor, and what it keeps of what comes back.

The executor measures nothing: it notes the blocks and answers with builds as a worker leaves them.
"""

from __future__ import annotations

import tempfile
from collections.abc import Generator, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from harness.environments import gpus
from harness.environments.base import Availability, Environment, Outcome, Prepared, Progress
from harness.environments.needs import RuntimeNeeds
from harness.errors import UnavailableError
from harness.execution.base import Block, BuildResult, EndedBuild, Executor, MeasureBlock
from harness.execution.measuring import settings_for
from harness.execution.parts import Parts
from harness.execution.schedule import SCRATCH, Schedule
from harness.execution.settle import settle
from harness.matrix.cell import Cell, Treatment
from harness.networks.package import read_structure
from harness.plugins import registry
from harness.runtimes.onnxruntime.runtime import OnnxRuntime
from harness.store.bundle import Bundle
from harness.store.documents.build import Build
from harness.store.documents.manifest import Manifest
from harness.store.status import UNREACHED
from tests.execution.ground import Ground

OK = Outcome("ok")


class Noting(Executor):
    """An executor that notes its blocks; *ends* says how a build ends, by its place among all."""

    @property
    def name(self) -> str:
        return "noting"

    def __init__(self, root: Path, ends: dict[int, Outcome] | None = None) -> None:
        self.root, self.ends = root, ends or {}
        self.blocks: list[Block] = []

    def run(self, block: Block, measure: MeasureBlock) -> Generator[EndedBuild, None, None]:  # noqa: ARG002
        self.blocks.append(block)
        given = len(self.builds) - len(block.builds)
        for place, planned in enumerate(block.builds, start=given):
            outcome = self.ends.get(place, OK)
            document = Build(
                cell=planned.cell.id,
                build=planned.number,
                status="ok" if outcome.status == "ok" else "failed",
                reason=outcome.reason,
            )
            folder = Path(tempfile.mkdtemp(dir=self.root))
            yield EndedBuild(planned, BuildResult(folder, document, outcome))

    @property
    def builds(self) -> list[tuple[str, int]]:
        """Cell and number of each build, in the order in which they were given."""
        return [(planned.cell.id, planned.number) for block in self.blocks for planned in block.builds]


class Missing(Environment):
    """The interpreter that runs us, as one whose version cannot be made after all."""

    name = "current"

    def availability(self, runtime: RuntimeNeeds, version: str) -> Availability:  # noqa: ARG002
        if version == "0.1":
            return Availability("unsupported", "too old", "take a newer one")
        return Availability("ok")

    def prepare(self, runtime: RuntimeNeeds, version: str, progress: Progress) -> Prepared:  # noqa: ARG002
        raise UnavailableError(f"{version}: no wheel")


def noted(
    ground: Ground, executor: Noting, cells: list[Cell], *, rounds: int = 1, seed: int = 1, **more: Any
) -> Bundle:
    """Run a schedule of *cells* and return its bundle, read anew."""
    bundle = more.pop("bundle", None) or Bundle.create(
        Path(tempfile.mkdtemp(dir=ground.root)) / "run", Manifest(run="r")
    )
    environments = more.pop("environments", registry.environments())
    parts = Parts(registry.runtimes(), environments, ground.plan.families, {"noting": executor})
    for cell in cells:
        bundle.set_cell(cell, "pending")
    settings = settings_for(ground.plan, seed)
    Schedule(
        bundle, cells, parts, settings, rounds=rounds, executor="noting", say=ground.said.append, **more
    ).run()
    return Bundle.open(bundle.root)


@pytest.fixture
def cells(ground: Ground) -> list[Cell]:
    """Eight cells of one network and runtime: arms of one thing."""
    return [replace(ground.cells[0], repeat=f"aa{number}" if number else "") for number in range(8)]


def test_every_round_holds_every_cell_once_in_an_order_of_its_own(ground: Ground, cells: list[Cell]) -> None:
    executor = Noting(ground.root)
    noted(ground, executor, cells, rounds=3)
    rounds = [executor.builds[start : start + 8] for start in (0, 8, 16)]
    for number, given in enumerate(rounds):
        assert sorted(given) == sorted((cell.id, number) for cell in cells)
    orders = [tuple(name for name, _ in given) for given in rounds]
    assert len(set(orders)) == 3
    assert tuple(cell.id for cell in cells) not in orders
    again, other = Noting(ground.root), Noting(ground.root)
    noted(ground, again, cells, rounds=3)
    noted(ground, other, cells, rounds=3, seed=2)
    assert again.builds == executor.builds, "a seed is an order"
    assert other.builds != executor.builds


def test_a_block_is_all_builds_of_a_network_and_treatment(ground: Ground, cells: list[Cell]) -> None:
    executor = Noting(ground.root)
    pieces = [replace(cell, treatment=Treatment(relu6="relu_sub")) for cell in cells[:2]]
    two = [replace(cell, treatment=Treatment(batch=2)) for cell in cells[:2]]
    noted(ground, executor, [*cells[:2], *pieces, *two], rounds=2)
    # Both ReLU6 forms are set against each other, batches are not.
    assert [(len(block.builds), block.device) for block in executor.blocks] == [(8, "cpu"), (4, "cpu")]
    for block in executor.blocks:
        assert len({(build.cell.network, build.cell.treatment.batch) for build in block.builds}) == 1


class OnGpu(OnnxRuntime):
    """The runtime as one whose engines run on a GPU."""

    device = "gpu"


@pytest.mark.parametrize(("found", "device"), [("GPU-7", "GPU-7"), (None, "unknown")])
def test_a_runtime_of_gpus_is_measured_on_the_one_of_the_run(
    ground: Ground, cells: list[Cell], found: str | None, device: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = gpus.Host("580.159.04", (gpus.Gpu("GPU-7", "NVIDIA H100", "9.0"),))
    monkeypatch.setattr(gpus, "host", lambda: here)
    executor = Noting(ground.root)
    bundle = Bundle.create(ground.root / "gpu", Manifest(run="r"))
    runtimes = {**registry.runtimes(), "onnxruntime": OnGpu()}
    parts = Parts(runtimes, registry.environments(), ground.plan.families, {"noting": executor})
    settings = replace(settings_for(ground.plan, 1), device=found)
    Schedule(bundle, cells[:2], parts, settings, rounds=1, executor="noting", say=ground.said.append).run()
    assert [block.device for block in executor.blocks] == [device]


def test_a_build_is_kept_with_its_round_and_run(ground: Ground, cells: list[Cell]) -> None:
    bundle = noted(ground, Noting(ground.root), cells[:2], rounds=2)
    assert [(b.cell_id, b.build) for b in bundle.builds()] == [(c.id, n) for c in cells[:2] for n in (0, 1)]
    assert all((b.document.round, b.document.run) == (b.build, "r") for b in bundle.builds())
    last = ground.said[-1]
    assert last.startswith("[4/4] round 2/2  ")
    assert last.removeprefix("[4/4] round 2/2  ") in {cell.id for cell in cells[:2]}
    assert bundle.manifest.state == "complete"
    assert [path.name for path in bundle.root.iterdir() if path.name.startswith(".")] == []


def test_a_build_that_was_interrupted_is_no_build_and_ends_the_run(ground: Ground, cells: list[Cell]) -> None:
    bundle = Bundle.create(ground.root / "run", Manifest(run="r"))
    executor = Noting(ground.root, {2: Outcome("interrupted", "by the user")})
    with pytest.raises(KeyboardInterrupt):
        noted(ground, executor, cells, bundle=bundle)
    stored = Bundle.open(bundle.root)
    assert stored.manifest.state == "interrupted"
    assert [b.cell_id for b in stored.builds()] == [c.id for c in cells if (c.id, 0) in executor.builds[:2]]
    states = {record.cell.id: (record.status, record.reason) for record in stored.cells()}
    for place, (name, _) in enumerate(executor.builds[:2]):
        assert states.pop(name) == ("measured", ""), place
    assert set(states.values()) == {("interrupted", UNREACHED)}
    assert ground.said[-1] == f"interrupted: {executor.builds[2][0]}: by the user"
    assert sorted(path.name for path in bundle.root.iterdir()) == [
        "builds", "layer_times.parquet", "manifest.json", "networks", "samples.parquet",
    ]  # fmt: skip


def test_what_is_there_is_not_measured_again_and_what_failed_only_if_asked(
    ground: Ground, cells: list[Cell]
) -> None:
    first = Noting(ground.root, {1: Outcome("time_limit", "still running")})
    bundle = noted(ground, first, cells[:3])
    (failed,) = [b.cell_id for b in bundle.builds() if b.status == "failed"]
    second = Noting(ground.root)
    bundle = noted(ground, second, cells, bundle=bundle)
    assert {name for name, _ in second.builds} == {cell.id for cell in cells[3:]}
    assert {r.cell.id: (r.status, r.reason) for r in bundle.cells()}[failed] == ("failed", "still running")
    third = Noting(ground.root)
    bundle = noted(ground, third, cells, bundle=bundle, retry_failed=True)
    assert third.builds == [(failed, 0)]
    assert {record.status for record in bundle.cells()} == {"measured"}


def test_the_time_of_all_goes_is_added_up(ground: Ground, cells: list[Cell]) -> None:
    bundle = Bundle.create(ground.root / "run", Manifest(run="r", seconds={"total": 100.0, "prepare": 50.0}))
    seconds = noted(ground, Noting(ground.root), cells[:1], bundle=bundle).manifest.seconds
    assert 100.0 < seconds["total"] < 200.0
    assert 50.0 < seconds["prepare"] < 150.0
    assert seconds["prepare"] - 50.0 <= seconds["total"] - 100.0


def test_a_cell_that_cannot_run_has_its_reason_and_is_not_given_out(
    ground: Ground, cells: list[Cell]
) -> None:
    def treated(**fields: Any) -> Cell:
        return replace(cells[0], treatment=replace(cells[0].treatment, **fields))

    never, formless = treated(precision="int8"), treated(batch=None)
    executor = Noting(ground.root)
    bundle = noted(ground, executor, [cells[0], never, formless])
    assert [name for name, _ in executor.builds] == [cells[0].id]
    states = {record.cell: (record.status, record.reason) for record in bundle.cells()}
    assert states[cells[0]] == ("measured", "")
    parts = Parts(registry.runtimes(), registry.environments(), {}, registry.executors())
    assert states[never] == ("unsupported", parts.unsupported(never))
    status, reason = states[formless]
    assert status == "unsupported"
    assert reason.endswith("a cell to be measured needs a batch")


def test_an_environment_that_cannot_be_made_leaves_its_cells_with_the_reason(
    ground: Ground, cells: list[Cell]
) -> None:
    old, new = (replace(cells[0], version=version) for version in ("0.1", "9.0"))
    executor = Noting(ground.root)
    bundle = noted(ground, executor, [old, new], environments={"current": Missing()})
    assert executor.blocks == []
    assert [(r.cell, r.status, r.reason) for r in bundle.cells()] == [
        (old, "unsupported", "too old; take a newer one"),
        (new, "unavailable", "9.0: no wheel"),
    ]


def test_the_network_of_a_cell_is_known_before_it_is_measured(ground: Ground, cells: list[Cell]) -> None:
    bundle = noted(ground, Noting(ground.root), cells[:1], rounds=0)
    (record,) = bundle.cells()
    assert record.digest == ground.plan.families["small"].graph(1, "clip").digest
    assert record.status == "interrupted"
    assert read_structure(bundle.network_path(cells[0])).digest == record.digest


def test_cells_are_settled_by_their_builds(ground: Ground) -> None:
    """Those without builds keep their state, unless they wait: nobody will measure them any more."""
    bundle = ground.bundle()
    done, waiting = ground.cells
    for number, (status, reason) in enumerate([("ok", ""), ("failed", "died")]):
        files = ground.root / f"files-{number}"
        files.mkdir()
        bundle.put_build(files, Build(cell=done.id, build=number, status=status, reason=reason))
    settle(bundle, ground.cells, registry.runtimes())
    assert [(r.cell, r.status, r.reason) for r in bundle.cells()] == [
        (done, "failed", "died"),
        (waiting, "interrupted", UNREACHED),
    ]
    bundle.set_cell(waiting, "unavailable", "no wheel", "sha256:2")
    settle(bundle, [], registry.runtimes())
    assert [(r.status, r.reason, r.digest) for r in bundle.cells()][1] == (
        "unavailable",
        "no wheel",
        "sha256:2",
    )


def test_an_executor_is_closed_when_the_run_ends_early(ground: Ground, cells: list[Cell]) -> None:
    closed: list[bool] = []

    class Closing(Noting):
        def run(self, block: Block, measure: MeasureBlock) -> Generator[EndedBuild, None, None]:
            try:
                yield from super().run(block, measure)
                yield from _never()
            finally:
                closed.append(True)

    with pytest.raises(KeyboardInterrupt):
        noted(ground, Closing(ground.root, {0: Outcome("interrupted", "by the user")}), cells)
    assert closed == [True]


def _never() -> Iterator[EndedBuild]:
    raise AssertionError("it was asked to go on")
    yield


def test_a_run_works_in_a_folder_that_resuming_takes_away(ground: Ground, cells: list[Cell]) -> None:
    """Killed, it cannot do so itself."""
    bundle = Bundle.create(ground.root / "run", Manifest(run="r"))
    seen: list[list[str]] = []

    class Looking(Noting):
        def run(self, block: Block, measure: MeasureBlock) -> Generator[EndedBuild, None, None]:
            seen.append([path.name for path in bundle.root.iterdir() if path.name.startswith(SCRATCH)])
            yield from super().run(block, measure)

    noted(ground, Looking(ground.root), cells[:1], bundle=bundle)
    assert [len(names) for names in seen] == [1]
    assert list(bundle.root.glob(f"{SCRATCH}*")) == []
