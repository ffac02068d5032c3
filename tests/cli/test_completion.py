"""Shell completion: the script of bash completes commands, options and files."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from harness.cli import COMMANDS, build_parser, main
from harness.cli.completion import script
from harness.errors import EXIT_ENVIRONMENT


def completed(words: list[str], folder: Path) -> list[str]:
    """Return what bash offers for the last of *words*."""
    pytest.importorskip("shtab", reason="shtab is not installed")
    bash = shutil.which("bash")
    if bash is None:
        pytest.skip("no bash on this machine")
    quoted = " ".join(f"'{word}'" for word in words)
    ask = f"COMP_WORDS=({quoted}); COMP_CWORD={len(words) - 1}; _shtab_trtmatrix"
    ask += "; printf '%s\\n' \"${COMPREPLY[@]}\""
    text = f"{script(build_parser(), 'bash')}\n{ask}\n"
    done = subprocess.run([bash, "-c", text], capture_output=True, text=True, timeout=30, cwd=folder)
    return done.stdout.split()


def test_bash_completes_commands_options_and_files(tmp_path: Path) -> None:
    (tmp_path / "matrix.toml").touch()
    assert set(COMMANDS) <= set(completed(["trtmatrix", ""], tmp_path))
    assert "--resume" in completed(["trtmatrix", "run", "--res"], tmp_path)
    assert completed(["trtmatrix", "check", "mat"], tmp_path) == ["matrix.toml"]


def test_without_shtab_one_line_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(__import__("sys").modules, "shtab", None)
    assert main(["--print-completion", "bash"]) == EXIT_ENVIRONMENT
    assert "pip install 'trtmatrix[completion]'" in capsys.readouterr().err
