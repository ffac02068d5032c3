"""What the tests of packs are composed of: a list of contents, a pack with a worker of a few lines."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from harness.environments.needs import WorkerSource
from harness.environments.staging import copy_worker
from harness.pack.contents import Contents
from harness.store.documents.base import as_json
from harness.worker.job import SCHEMA

WORKER = """
import os, time
from harness.worker import base
from harness.worker.errors import UnsupportedError
class Worker(base.Worker):
    def build(self):
        job = self.job
        said = job.options({"die": False, "sleep": 0, "refuse": "", "timing_cache_file": ""})
        assert os.path.exists(job.weights)
        if said["die"]:
            os._exit(9)
        time.sleep(said["sleep"])
        if said["refuse"]:
            raise UnsupportedError(said["refuse"])
        for name in ("seed", "build", "device"):
            self.result.fact(name, getattr(job, name))
        if job.treatment.get("timing_cache"):
            self.cache(said["timing_cache_file"])
        print("done", job.cell["id"])
    def cache(self, name):
        before = "new"
        if name:
            with open(os.path.join(self.job.folder, name)) as stream:
                before = stream.read() + "+"
        with open(self.result.evidence("timing.cache"), "w") as stream:
            stream.write(before)
    def load(self):
        return []
"""
MEASURE = {
    "warmup_seconds": 0.0,
    "minimum_samples": 1,
    "maximum_samples": 1,
    "maximum_seconds": 1.0,
    "relative_half_width": 1.0,
    "windows": 1,
    "profile_iterations": 0,
    "passes": [],
}


def write_list(root: Path, contents: Contents, files: Mapping[str, Mapping[str, str]], **more: Any) -> None:
    """Write ``pack.json`` for sites of *contents* (name to relative path to SHA-256)."""
    document = {
        "schema": "trtmatrix.pack/1",
        "id": "composed",
        "objects": {digest: as_json(entry) for digest, entry in contents.objects.items()},
        "members": {m: (root / m).stat().st_size for m in contents.members},
        "sites": {
            name: {"files": listed, "library_folders": [], "variables": {}, "facts": {}}
            for name, listed in files.items()
        },
        **more,
    }
    (root / "pack.json").write_text(json.dumps(document))


def compose_pack(root: Path, cells: Mapping[str, Mapping[str, Any]], *, limit: float = 30.0) -> Path:
    """Write a pack into *root* as it lies on the host after ``tar -x``, with a worker that measures nothing.

    :param cells: cell id to ``subject``, and where wanted ``together`` and ``options`` of the composed worker
    """
    contents = Contents(root, level=1)
    site, inputs = root.parent / "site", root.parent / "inputs"
    for folder, name in ((site, "package.py"), (inputs, "weights.npz")):
        folder.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(name)
    files = {
        "site": contents.add_site("site", site, None),
        "inputs": contents.add_site("inputs", inputs, None),
    }
    jobs = {
        name: {
            "subject": cell["subject"],
            "together": cell.get("together", cell["subject"]),
            "site": "site",
            "inputs": "inputs",
            "seconds_limit": limit,
            "wants_gpu": True,
            "digest": "",
            "document": {
                "schema": SCHEMA,
                "worker_module": "composed_worker",
                "cell": {"id": name},
                "network": "network.json",
                "weights": "weights.npz",
                "inputs": "inputs.npz",
                "measure": MEASURE,
                "options": cell.get("options", {}),
                "build": 0,
                "seed": 0,
            },
        }
        for name, cell in cells.items()
    }
    # The program's name is what the visit starts; here it is this interpreter.
    programs = root / "python" / "bin"
    programs.mkdir(parents=True)
    launcher = programs / "python3"
    launcher.write_text(f'#!/bin/sh\nunset PYTHONHOME\nexec "{sys.executable}" "$@"\n')
    launcher.chmod(0o755)
    source = root.parent / "composed_worker.py"
    source.write_text(WORKER)
    copy_worker(root / "code", [WorkerSource("composed_worker", source)])
    python = {"name": "python3", "version": "3.11.7"}
    write_list(root, contents, files, jobs=jobs, seed=7, builds=2, python=python, matrix={"file": "x"})
    return root


def without_gpu(monkeypatch: Any, folder: Path) -> None:
    """Hide nvidia-smi, so that a test gives the same on a machine that has a GPU."""
    folder.mkdir(exist_ok=True)
    for name in ("sh", "env"):
        found = shutil.which(name)
        if found is not None and not (folder / name).exists():
            (folder / name).symlink_to(found)
    monkeypatch.setenv("PATH", str(folder))
