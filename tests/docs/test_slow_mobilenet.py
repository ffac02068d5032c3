"""The tutorial of the slow MobileNet: its command gives the answer that it prints."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from harness.cli import main

PAGE = Path(__file__).resolve().parents[2] / "docs/tutorial/slow-mobilenet.md"
TEXT = PAGE.read_text(encoding="utf-8")


def test_the_rows_answer_the_question(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (rows,) = re.findall(r"^```text\n(.*?)^```", TEXT, re.MULTILINE | re.DOTALL)
    (answer,) = re.findall(r"^```console\n(.*?)^```", TEXT, re.MULTILINE | re.DOTALL)
    command = next(line for line in TEXT.splitlines() if line.startswith("trtmatrix import rows.txt"))
    (tmp_path / "rows.txt").write_text(rows, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    assert main(command.split()[1:]) == 0
    assert capsys.readouterr().out == answer
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    begins = page[: page.index('id="verdicts"')]
    assert "4 reformats around them, 0.403 ms more: 44 % of both" in begins
    assert "gemm_as_conv1x1" in begins, "what published runs answer"
