"""What is sent into an environment: the frame and a runtime's own worker, under their own names."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from harness.environments.needs import WorkerSource
from harness.environments.staging import FRAME, copy_worker, staged_worker, worker_files, worker_variables
from harness.errors import PluginPartError
from harness.plugins import registry


@pytest.fixture(autouse=True)
def _cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRTMATRIX_CACHE", str(tmp_path / "cache"))


def package(folder: Path, text: str = "from .other import NAME\n") -> WorkerSource:
    """Return a worker of another distribution: a package with a module and a file of data."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "__init__.py").write_text(text)
    (folder / "other.py").write_text("NAME = 'other'\n")
    (folder / "kernels.txt").write_text("data")
    return WorkerSource("their_plugin.inner.worker", folder)


def imported(staged: Path, code: str) -> str:
    """Return what *code* prints in a Python that has *staged* on its path."""
    variables = worker_variables(staged, {})
    done = subprocess.run(
        [sys.executable, "-c", code], env=variables, cwd=staged.parent, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_a_package_keeps_its_dotted_name_and_its_data(tmp_path: Path) -> None:
    staged = staged_worker(package(tmp_path / "theirs"))
    code = "import their_plugin.inner.worker as w; print(w.NAME, w.__file__)"
    name, place = imported(staged, code).split()
    assert name == "other"
    assert Path(place) == staged / "their_plugin/inner/worker/__init__.py"
    assert (staged / "their_plugin/inner/worker/kernels.txt").read_text() == "data"
    assert (staged / "their_plugin/__init__.py").read_text() == ""


def test_a_single_file_is_a_module(tmp_path: Path) -> None:
    path = tmp_path / "some_worker.py"
    path.write_text("from harness.worker.base import Worker as Base\nclass Worker(Base):\n    pass\n")
    staged = staged_worker(WorkerSource("my_worker", path))
    assert imported(staged, "import my_worker; print(my_worker.Worker.__mro__[1].__module__)") == (
        "harness.worker.base"
    )


def test_the_frame_comes_from_the_folder_and_nothing_else_of_the_harness(tmp_path: Path) -> None:
    staged = staged_worker(package(tmp_path / "theirs"))
    assert imported(staged, "import harness.worker.job as j; print(j.__file__)") == str(
        staged / "harness/worker/job.py"
    )
    assert {path.name for path in (staged / "harness").iterdir()} - {"__pycache__"} == {
        "__init__.py",
        "worker",
    }


def test_another_content_is_another_folder(tmp_path: Path) -> None:
    first = staged_worker(package(tmp_path / "theirs"))
    assert staged_worker(package(tmp_path / "theirs")) == first
    assert staged_worker(package(tmp_path / "elsewhere")) == first
    assert staged_worker(package(tmp_path / "theirs", "NAME = 1\n")) != first


def test_several_workers_share_one_tree(tmp_path: Path) -> None:
    sources = [runtime.worker for runtime in registry.runtimes().values()]
    copy_worker(tmp_path / "code", [*sources, package(tmp_path / "theirs")])
    for module in {FRAME.module, *(source.module for source in sources), "their_plugin.inner.worker"}:
        assert (tmp_path / "code" / module.replace(".", "/") / "__init__.py").is_file()


def test_two_workers_of_one_name_and_one_that_is_not_there_are_refused(tmp_path: Path) -> None:
    first, second = package(tmp_path / "theirs"), package(tmp_path / "others")
    with pytest.raises(PluginPartError, match="is a file of another worker already"):
        worker_files([first, second])
    with pytest.raises(PluginPartError, match="is no file and no folder of a package"):
        worker_files([WorkerSource("gone", tmp_path / "gone")])
