"""``trtmatrix trends``: from a history to a page with the reports of its nights beside it."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.cli import trends
from harness.errors import NoSuchFileError
from tests.cli.composed_runs import call
from tests.history.composed import add_night, night_bundle


def test_the_page_and_the_reports_it_links_to(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("duckdb", reason="the extra 'history' is not installed")
    history, out = tmp_path / "history", tmp_path / "pages" / "trends.html"
    runs = [night_bundle(tmp_path, number, {"2024.0.0": 3.0, "2024.6.0": 3.1}) for number in range(3)]
    for run in runs:
        add_night(history, run)
    assert call(trends, str(history), "-o", str(out)) == 0
    assert capsys.readouterr().out == f"page of nights: {out}\n"
    page = out.read_text(encoding="utf-8")
    last = runs[-1].name
    assert f'href="trends-nights/{last}.html"' in page
    (report,) = (out.parent / "trends-nights").iterdir()  # of the last night alone
    assert report.name == f"{last}.html"
    assert "2024.6.0" in page
    assert (
        call(
            trends, str(history), "-o", str(tmp_path / "plain.html"), "--no-reports", "--version", "2024.0.*"
        )
        == 0
    )
    plain = (tmp_path / "plain.html").read_text(encoding="utf-8")
    assert 'href="plain-nights' not in plain
    assert 'data-version="2024.6.0"' not in plain


def test_no_history_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(NoSuchFileError, match="no such history"):
        call(trends, str(tmp_path / "nowhere"), "-o", str(tmp_path / "t.html"))
