"""A pack made, carried, measured with and brought home: the real worker on the onnxruntime installed here."""

import json
import os
import shutil
import subprocess
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from harness.errors import InputError, UsageError
from harness.pack.collect import collect
from harness.store.bundle import Bundle
from harness.store.parquet import read_table
from tests.execution.ground import SMALL
from tests.pack.small_pack import FAMILIES, MARKS, SmallPack, unpack

pytestmark = MARKS


@pytest.fixture(scope="module")
def unpacked(small_pack: SmallPack, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a pack on its host: two cells, an A/A pair, two builds each."""
    beside = {"trtmatrix-pack.json", "trtmatrix-pack.sha256"}
    names = {path.name for path in small_pack.parts.iterdir()}
    parts = sorted(small_pack.parts.glob("*.part*"))
    assert all(part.stat().st_size <= 20_000_000 for part in parts)
    assert names == {part.name for part in parts} | beside
    return unpack(small_pack.parts, tmp_path_factory.mktemp("visited") / "host")


@pytest.fixture(scope="module")
def home(unpacked: Path) -> Path:
    """What a whole visit brings home."""
    _start(unpacked, "--home", "home")
    return unpacked.parent / "home"


def _start(pack: Path, *more: str, results: str = "results") -> str:
    command = [str(pack / "start.sh"), "--results", results, *more]
    # A bare environment: whatever the pack needs, it must have brought.
    done = subprocess.run(
        command, cwd=pack.parent, env={"PATH": os.defpath}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_results_of_a_visit_make_a_bundle(home: Path, tmp_path: Path) -> None:
    summary = collect(list(home.iterdir()), tmp_path / "run", FAMILIES)
    assert (summary.added, summary.known, summary.total) == (4, 0, 4)
    assert summary.incomplete == []
    bundle = Bundle.open(tmp_path / "run")
    assert bundle.manifest.state == "complete"
    assert {record.status for record in bundle.cells()} == {"measured"}
    for build in bundle.builds():
        assert build.document.outputs is not None
        assert build.document.outputs.valid, build.document.outputs
        assert build.document.environment["packages"].keys() == {"onnxruntime", "numpy"}
        assert list(summary.hosts) == [build.document.host.name]
    rows = read_table(tmp_path / "run" / "samples.parquet")
    assert Counter(row["build"] for row in rows).keys() == {0, 1}
    assert read_table(tmp_path / "run" / "layer_times.parquet")
    assert [path.name for path in (tmp_path / "run" / "networks").iterdir()] == ["small-clip-b1.json"]


def test_collecting_again_adds_nothing(home: Path, unpacked: Path, tmp_path: Path) -> None:
    collect(list(home.iterdir()), tmp_path / "run", FAMILIES)
    again = collect([unpacked.parent / "results", *home.iterdir()], tmp_path / "run", FAMILIES)
    assert (again.added, again.known, again.total) == (0, 4, 4)


def test_visits_on_two_hosts_are_merged_and_told_apart(home: Path, unpacked: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    shutil.copytree(unpacked.parent / "results", elsewhere, ignore=shutil.ignore_patterns("work"))
    for path in [*elsewhere.glob("*/builds/*/*/outcome.json"), *elsewhere.glob("*/visit-*.json")]:
        document = json.loads(path.read_text())
        path.write_text(json.dumps({**document, "host": "another", "visit": "another-visit"}))
    summary = collect([elsewhere, *home.iterdir()], tmp_path / "run", FAMILIES)
    assert summary.total == 8
    assert sorted(summary.hosts.values()) == [4, 4]
    builds = list(Bundle.open(tmp_path / "run").builds())
    assert Counter(build.cell_id for build in builds) == dict.fromkeys({b.cell_id for b in builds}, 4)
    assert [b.build for b in builds if b.cell_id == builds[0].cell_id] == [0, 1, 2, 3]
    assert sorted(b.document.round for b in builds if b.cell_id == builds[0].cell_id) == [0, 0, 1, 1]


def test_parts_of_one_run_collected_apart_are_one_run(home: Path, unpacked: Path, tmp_path: Path) -> None:
    assert home.is_dir()
    for number in (0, 1):
        part = tmp_path / f"part-{number}"
        shutil.copytree(unpacked.parent / "results", part, ignore=shutil.ignore_patterns("work"))
        for path in part.glob(f"*/builds/*/{1 - number}"):
            shutil.rmtree(path)
        collect([part], tmp_path / f"run-{number}", FAMILIES)
    bundles = [Bundle.open(tmp_path / f"run-{number}") for number in (0, 1)]
    builds = [build.document for bundle in bundles for build in bundle.builds()]
    assert len(builds) == 4
    assert {build.run for build in builds} == {build.pool for build in builds}
    assert {build.run for build in builds} == {bundle.manifest.run for bundle in bundles}
    assert {build.run for build in builds} == {bundles[0].manifest.visits[0].run}
    assert all(build.started and build.ended and build.started < build.ended for build in builds)
    assert {build.host.device for build in builds} == {"cpu"}
    assert {(build.software.driver, build.software.environment) for build in builds} == {("none", "venv")}
    assert len({build.software.fingerprint for build in builds}) == 1


@pytest.mark.usefixtures("home")
def test_a_block_without_one_of_its_versions_is_named(tmp_path: Path, unpacked: Path) -> None:
    partial = tmp_path / "partial"
    shutil.copytree(unpacked.parent / "results", partial, ignore=shutil.ignore_patterns("work"))
    shutil.rmtree(next(partial.glob("*/builds/*-aa/1")))
    (line,) = collect([partial], tmp_path / "run", FAMILIES).incomplete
    assert "round 1" in line
    assert line.endswith("-aa")
    assert Bundle.open(tmp_path / "run").manifest.state == "interrupted"


def test_a_worker_that_dies_is_a_failed_build(unpacked: Path, tmp_path: Path) -> None:
    pack = tmp_path / "pack"
    shutil.copytree(unpacked, pack, symlinks=True)
    (pack / "code/harness/runtimes/onnxruntime/worker/steps.py").write_text("import os; os.abort()\n")
    _start(pack, "--rounds", "1", results=str(tmp_path / "results"))
    collect([tmp_path / "results"], tmp_path / "run", FAMILIES)
    for build in Bundle.open(tmp_path / "run").builds():
        assert build.status == "failed"
        assert "killed by signal 6" in build.reason


def test_a_network_that_is_not_known_here_is_refused(home: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="network 'small' is not known here"):
        collect(list(home.iterdir()), tmp_path / "run")


def test_a_network_that_changed_since_the_pack_is_refused(home: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="another digest"):
        collect(list(home.iterdir()), tmp_path / "run", {"small": replace(SMALL, classes=12)})


@pytest.mark.parametrize("content", [b"", b"no archive", b"\x28\xb5\x2f\xfd\x00"])
def test_what_is_no_archive_is_one_line(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "x.tar.zst").write_bytes(content)
    with pytest.raises(InputError, match=r"x\.tar\.zst"):
        collect([tmp_path / "x.tar.zst"], tmp_path / "run", FAMILIES)
    with pytest.raises(InputError, match="no such archive"):
        collect([tmp_path / "y.tar.zst"], tmp_path / "run", FAMILIES)


def test_results_of_another_pack_do_not_go_into_a_run(home: Path, unpacked: Path, tmp_path: Path) -> None:
    collect(list(home.iterdir()), tmp_path / "run", FAMILIES)
    other = tmp_path / "other"
    shutil.copytree(unpacked.parent / "results", other, ignore=shutil.ignore_patterns("work"))
    plan = next(other.glob("plan-*.json"))
    plan.write_text(json.dumps({**json.loads(plan.read_text()), "id": "other"}))
    with pytest.raises(InputError, match="another pack"):
        collect([other], tmp_path / "run", FAMILIES)
    with pytest.raises(InputError, match="plans of 2 packs"):
        collect([other, *home.iterdir()], tmp_path / "new", FAMILIES)
