"""A session that ends early says so in one line, without pytest's banners."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

SESSION = """
import sys, pytest
from harness.cli.quiet_end import QuietEnd
sys.exit(pytest.main(["-q", "-p", "no:cacheprovider", sys.argv[1]], plugins=[QuietEnd()]))
"""


@pytest.mark.parametrize(
    ("statement", "status", "said"),
    [
        ("pytest.exit('no engine here', returncode=3)", 3, "trtmatrix: no engine here\n"),
        ("raise KeyboardInterrupt", 2, ""),
    ],
)
def test_the_end_is_one_line_at_most(tmp_path: Path, statement: str, status: int, said: str) -> None:
    (tmp_path / "test_it.py").write_text(f"import pytest\n\n\ndef test_it():\n    {statement}\n")
    done = subprocess.run(
        [sys.executable, "-c", SESSION, str(tmp_path)], capture_output=True, text=True, timeout=60
    )
    assert done.returncode == status
    assert done.stderr == said
    assert "!!!" not in done.stdout
    assert "Exit" not in done.stdout
    assert "no tests ran" not in done.stdout or status == 3
