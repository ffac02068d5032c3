"""``trtmatrix publish``: what is judged and reported of the archive is what is of the folder."""

from __future__ import annotations

import gzip
import json
import re
import shutil
import tarfile
from pathlib import Path

import pytest

from harness.cli import judge, publish, report, show
from harness.errors import InputError, UsageError
from harness.runtimes.tensorrt.runtime import TensorRT
from harness.store.archive import folder_of
from harness.store.bundle import Bundle
from harness.store.documents.samples import read_samples
from tests.cli.composed_runs import bundle as composed
from tests.cli.composed_runs import call
from tests.runtimes.worker_builds import FORMATS, bundle, v2


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bundle of builds made on real GPUs, with their builder logs."""
    builds = (v2("8.5.3.1"), v2("8.6.0"), FORMATS)
    return bundle(builds, tmp_path_factory.mktemp("bundle") / "run")


@pytest.fixture(scope="module")
def archive(run: Path) -> Path:
    target = run.with_name("run.tar.xz")
    assert call(publish, str(run), "-o", str(target)) == 0
    return target


def _said(command: object, capsys: pytest.CaptureFixture[str], *words: str) -> str:
    call(command, *words)
    return capsys.readouterr().out


def test_judge_and_show_say_the_same(run: Path, archive: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for words in ((judge, "--json"), (show, "--json")):
        command, option = words
        of_folder = json.loads(_said(command, capsys, str(run), option))
        assert of_folder
        _alike(json.loads(_said(command, capsys, str(archive), option)), of_folder)


def _alike(found: object, wanted: object) -> None:
    """Fail where one differs from the other by more than the host's clock is rounded to."""
    if isinstance(found, dict) and isinstance(wanted, dict):
        assert found.keys() == wanted.keys()
        for key, value in found.items():
            _alike(value, wanted[key])
    elif isinstance(found, list) and isinstance(wanted, list):
        for pair in zip(found, wanted, strict=True):
            _alike(*pair)
    elif isinstance(found, float):
        assert found == pytest.approx(wanted, rel=1e-9, abs=5.1e-5)
    else:
        assert found == wanted


def test_the_report_is_the_same_but_for_when_it_was_made(run: Path, archive: Path, tmp_path: Path) -> None:
    pages = []
    for one in (run, archive):
        page = tmp_path / f"{one.name}.html"
        call(report, str(one), "-o", str(page))
        text = page.read_text(encoding="utf-8").replace("run.tar.xz", "run")
        pages.append(re.sub(r"(report made</dt><dd>)[^<]*", r"\1", text))
    assert pages[0] == pages[1]


def test_evidence_is_read_as_before_to_the_last_tactic(run: Path, tmp_path: Path) -> None:
    copied = tmp_path / "run"
    shutil.copytree(run, copied)
    logs = 0
    for build in Bundle.open(copied).builds():
        before = TensorRT().read(build.folder)
        logs += len(before.tactics) > 0
        TensorRT().publish(build.folder)
        assert TensorRT().read(build.folder) == before
        assert not (build.folder / "evidence" / "build.log.gz").exists()
        TensorRT().publish(build.folder)  # a second time changes nothing
        assert TensorRT().read(build.folder) == before
    assert logs == 2


def test_an_archive_holds_no_log_and_no_outputs_and_is_the_same_when_published_again(
    archive: Path, tmp_path: Path
) -> None:
    with tarfile.open(archive) as opened:
        names = opened.getnames()
    assert {Path(name).name for name in names if "builder_log" in name} == {"builder_log.json"}
    assert not [name for name in names if name.endswith((".parquet", ".npz", "build.log.gz"))]
    again = tmp_path / "again.tar.xz"
    call(publish, str(archive), "-o", str(again))
    assert again.read_bytes() == archive.read_bytes()


def test_the_hosts_clock_is_published_as_fine_as_it_tells_anything(archive: Path) -> None:
    folder = folder_of(archive)
    slices = [one for path in folder.glob("builds/*/*/result.json") for one in read_samples(path.parent)]
    starts = [start for one in slices for start in one.start_ns or ()]
    assert starts
    assert all(start % 1_000_000 == 0 for start in starts)
    times = [time for one in slices for time in (*(one.enqueue_ms or ()), *(one.host_ms or ()))]
    assert {one.clock for one in slices} == {"gpu"}
    assert times
    assert all(time == round(time, 4) for time in times if time is not None)


def test_a_log_that_a_failed_build_left_empty_is_no_obstacle(run: Path, tmp_path: Path) -> None:
    copied = tmp_path / "run"
    shutil.copytree(run, copied)
    build = next(iter(Bundle.open(copied).builds()))
    log = build.folder / "evidence" / "build.log.gz"
    log.write_bytes(gzip.compress(b"\n"))
    assert call(publish, str(copied), "-o", str(tmp_path / "run.tar.xz")) == 0
    assert not TensorRT().read(build.folder).tactics
    log.write_bytes(gzip.compress(b"\n")[:-9])
    with pytest.raises(InputError, match=r"build\.log\.gz"):
        call(publish, str(copied), "-o", str(tmp_path / "torn.tar.xz"))


def test_an_archive_of_a_run_on_a_cpu_is_judged_too(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    made = composed(tmp_path / "run", {"2023.0.0": 3.0, "2024.0.0": 4.0})
    target = tmp_path / "run.tar.xz"
    assert call(publish, str(made), "-o", str(target)) == 0
    capsys.readouterr()
    assert _said(judge, capsys, str(target), "--json") == _said(judge, capsys, str(made), "--json")


def test_what_is_no_archive_is_one_line(tmp_path: Path) -> None:
    for name, content in (("torn.tar.xz", b"\xfd7zXZ\x00 torn"), ("text.tar.xz", b"no archive")):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(InputError, match=f"{name}: not an archive of a bundle") as caught:
            call(judge, str(tmp_path / name))
        assert "\n" not in str(caught.value)
    with pytest.raises(UsageError, match=r"expected a name that ends in \.tar\.xz"):
        call(publish, str(tmp_path), "-o", str(tmp_path / "run.zip"))
    with pytest.raises(InputError):
        call(publish, str(tmp_path / "none"), "-o", str(tmp_path / "none.tar.xz"))


def test_a_builder_log_that_is_torn_is_one_line(run: Path, tmp_path: Path) -> None:
    copied = tmp_path / "run"
    shutil.copytree(run, copied)
    build = next(iter(Bundle.open(copied).builds()))
    TensorRT().publish(build.folder)
    path = build.folder / "evidence" / "builder_log.json"
    path.write_text(
        path.read_text(encoding="utf-8").replace('"runner": "', '"runner": 3, "x": "', 1), "utf-8"
    )
    with pytest.raises(InputError, match=r"builder_log\.json: tactics\[0\]"):
        TensorRT().read(build.folder)
