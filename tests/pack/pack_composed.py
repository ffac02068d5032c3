"""What the tests of packs are composed of: a list of contents, a pack with a worker of a few lines."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from harness.pack.contents import Contents
from harness.store.documents.base import as_json

WORKER = """
import json, os, sys
job = json.load(open(sys.argv[1]))
said = dict(job["options"])
assert os.path.exists(os.path.join(os.path.dirname(sys.argv[1]), "weights.npz"))
if said.get("die"):
    sys.exit(9)
if said.get("sleep"):
    import time; time.sleep(60)
with open(os.path.join(sys.argv[2], "result.json"), "w") as stream:
    json.dump({"status": said.get("status", "ok"), "reason": said.get("reason", ""), "seed": job["seed"],
               "build": job["build"], "device": job["device"]}, stream)
print("done", job["cell"]["id"])
"""


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
            "document": {"cell": {"id": name}, "options": cell.get("options", {}), "build": 0, "seed": 0},
        }
        for name, cell in cells.items()
    }
    # The program's name is what the visit starts; here it is this interpreter.
    python = root / "python" / "bin"
    python.mkdir(parents=True)
    launcher = python / "python3"
    launcher.write_text(f'#!/bin/sh\nunset PYTHONHOME\nexec "{sys.executable}" "$@"\n')
    launcher.chmod(0o755)
    worker = root / "code" / "harness" / "worker" / "__main__.py"
    worker.parent.mkdir(parents=True)
    (worker.parent.parent / "__init__.py").touch()
    (worker.parent / "__init__.py").touch()
    worker.write_text(WORKER)
    write_list(
        root, contents, files, jobs=jobs, seed=7, builds=2, python={"name": "python3"}, matrix={"file": "x"}
    )
    return root


def without_gpu(monkeypatch: Any, folder: Path) -> None:
    """Hide nvidia-smi, so that a test gives the same on a machine that has a GPU."""
    folder.mkdir(exist_ok=True)
    for name in ("sh", "env"):
        found = shutil.which(name)
        if found is not None and not (folder / name).exists():
            (folder / name).symlink_to(found)
    monkeypatch.setenv("PATH", str(folder))
