"""What listing the cells of a matrix loads: nothing that only measuring, judging or a page needs."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

HEAVY = ("numpy", "scipy", "onnx", "jinja2", "duckdb", "docker", "filelock", "psutil", "pandas", "msgspec")

CONFTEST = """
import sys

def pytest_collection_finish(session):
    print("cells:", len(session.items))
    print("loaded:", *sorted({name.partition(".")[0] for name in sys.modules}))
    print("rooms:", *sorted({name.split(".")[1] for name in sys.modules if name.startswith("harness.")}))
"""


def test_collecting_loads_nothing_heavy(tmp_path: Path) -> None:
    (tmp_path / "conftest.py").write_text(CONFTEST, encoding="utf-8")
    (tmp_path / "test_one.py").write_text("def test_one(trtmatrix_cell): pass\n")
    command = [sys.executable, "-m", "pytest", "--collect-only", "-s", "-p", "no:cacheprovider"]
    done = subprocess.run(
        [*command, "-p", "harness.pytest_plugin", "--matrix", "default", "test_one.py"],
        cwd=tmp_path,
        env={"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    said = {line.partition(": ")[0]: line.partition(": ")[2].split() for line in done.stdout.splitlines()}
    assert int(said["cells"][0]) > 10, done.stdout + done.stderr
    assert "harness" in said["loaded"]
    assert not set(HEAVY) & set(said["loaded"])
    assert not {"attribution", "evidence", "observations", "report", "history"} & set(said["rooms"])
