"""Two bundles of the same cell: their builds stand side by side, and their identities say what is pooled."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from msgspec import structs

from harness.errors import SameBuildError
from harness.observations.identity import Host, Identity
from harness.observations.records import CellObservation
from harness.plugins.reading import observe
from tests.observations.composed import CELL, NIGHT, VENV, bundle

LATER = NIGHT + timedelta(days=1)
GPU = structs.replace(VENV, driver="550.1")
DOCKER = structs.replace(VENV, environment="docker", fingerprint="sha256:d")
Made = tuple[Path, Path]


def cells_of(*runs: Path) -> list[CellObservation]:
    """What the bundles hold, read as one."""
    return list(observe(runs).cells)


def first_two(cells: list[CellObservation]) -> tuple[Identity, Identity]:
    """The identities of the two groups that the builds fall into."""
    groups = {build.identity.group: build.identity for cell in cells for build in cell.builds}
    first, second = groups.values()
    return first, second


def environments(root: Path) -> Made:
    docker = replace(CELL, environment="docker")
    return bundle(root / "venv"), bundle(root / "docker", cell=docker, software=DOCKER, began=LATER)


def digests(root: Path) -> Made:
    return bundle(root / "a", run="r"), bundle(root / "b", run="r", digest="sha256:2", began=LATER)


def drivers(root: Path) -> Made:
    host, newer = Host(machine="m-1", device="GPU-1"), structs.replace(GPU, driver="580.2")
    return bundle(root / "a", software=GPU, host=host), bundle(
        root / "b", software=newer, host=host, began=LATER
    )


def gpus(root: Path) -> Made:
    one, two = Host(machine="m-1", device="GPU-1"), Host(machine="m-1", device="GPU-2")
    return bundle(root / "a", run="r", software=GPU, host=one), bundle(
        root / "b", run="r", software=GPU, host=two
    )


def nights(root: Path) -> Made:
    return bundle(root / "monday"), bundle(root / "tuesday", began=LATER)


@pytest.mark.parametrize(
    ("made", "said"),
    [
        (environments, ("environment venv against docker", "environment fingerprint sha256:v against")),
        (digests, ("network digest sha256:1 against sha256:2",)),
        (drivers, ("driver 550.1 against 580.2",)),
        (gpus, ("device GPU-1 against GPU-2",)),
        (nights, ("run monday against tuesday",)),
    ],
)
def test_what_differs_is_two_groups_and_said(
    tmp_path: Path, made: Callable[[Path], Made], said: tuple[str, ...]
) -> None:
    cells = cells_of(*made(tmp_path))
    builds = [build for cell in cells for build in cell.builds]
    assert [build.build for build in builds] == [0, 1, 0, 1]
    first, second = first_two(cells)
    words = first.differences(second)
    for part in said:
        assert any(line.startswith(part) for line in words), words
    if made is not environments:
        assert [line for line in words if not line.startswith("run ")] == [
            line for line in said if not line.startswith("run ")
        ]


def test_a_version_in_two_environments_is_two_cells(tmp_path: Path) -> None:
    venv, docker = cells_of(*environments(tmp_path))
    assert (venv.cell.environment, docker.cell.environment) == ("venv", "docker")
    assert venv.cell.id == docker.cell.id


def test_two_gpus_of_one_machine_are_two_hosts(tmp_path: Path) -> None:
    (cell,) = cells_of(*gpus(tmp_path))
    assert list(dict.fromkeys(build.host for build in cell.builds)) == ["m-1/GPU-1", "m-1/GPU-2"]


def test_one_run_in_two_parts_is_one_group(tmp_path: Path) -> None:
    first = bundle(tmp_path / "a", run="r", rounds=(0, 1))
    second = bundle(tmp_path / "b", run="r", rounds=(2, 3), began=LATER)
    (cell,) = cells_of(first, second)
    assert [build.round for build in cell.builds] == [0, 1, 2, 3]
    assert len({build.identity.group for build in cell.builds}) == 1
    assert {build.identity.run for build in cell.builds} == {"r"}
    starts = [build.identity.started for build in cell.builds]
    assert starts[-1] == LATER + timedelta(minutes=3)
    assert cell.builds[0].identity.ended == NIGHT + timedelta(seconds=30)


def test_the_same_builds_twice_are_refused(tmp_path: Path) -> None:
    first, second = bundle(tmp_path / "a", run="r"), bundle(tmp_path / "b", run="r")
    with pytest.raises(SameBuildError, match="the same build as") as caught:
        cells_of(first, second)
    folders = [next((root / "builds").glob("*/0")) for root in (first, second)]
    assert caught.value.path == str(folders[1])
    assert f"{folders[0]}; name each run once" in caught.value.problem


def as_before(root: Path) -> Path:
    """Rewrite a bundle in the form that the release 0.1.0 wrote."""
    path = root / "manifest.json"
    manifest = json.loads(path.read_text(encoding="utf-8"))
    path.write_text(json.dumps({**manifest, "schema": "trtmatrix.bundle/1"}), encoding="utf-8")
    for path in root.glob("builds/*/*/build.json"):
        new = json.loads(path.read_text(encoding="utf-8"))
        kept = {key: new[key] for key in ("cell", "build", "status", "reason", "digest", "round", "started")}
        old = {**kept, "schema": "trtmatrix.build/1", "host": "m-1", "outputs": None, "environment": {}}
        path.write_text(json.dumps(old), encoding="utf-8")
    return root


def test_two_runs_of_before_that_are_called_the_same_are_two(tmp_path: Path) -> None:
    """They were called after their folders, when they were collected or imported."""
    first, second = tmp_path / "a" / "run", tmp_path / "b" / "run"
    for root, began in ((first, NIGHT), (second, LATER)):
        as_before(bundle(root, began=began, facts={"cpu": "x", "onnxruntime": "1.22.1"}))
    one, two = first_two(cells_of(first, second))
    assert (one.run, two.run) == ("run", f"run in {second}")
    assert one.host == Host(machine="m-1", device="cpu")
    assert one.software.version == "1.22.1"


def test_what_a_run_of_before_holds_and_its_name_stay(tmp_path: Path) -> None:
    (cell,) = cells_of(as_before(bundle(tmp_path / "run", facts={"cpu": "x"})))
    assert (cell.status, cell.digest, len(cell.good)) == ("measured", "sha256:1", 2)
    assert {build.host for build in cell.builds} == {"m-1"}
