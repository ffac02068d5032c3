"""The page on notebooks: its example is run, its table of columns is the one in force."""

from __future__ import annotations

import doctest
import re
from pathlib import Path

import pytest

from harness.tables.columns import TABLES
from tests.runtimes.worker_builds import bundle, v2

PAGE = Path(__file__).resolve().parents[2] / "docs/how-to/notebook.md"


def test_the_example_prints_what_the_page_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pd = pytest.importorskip("pandas", reason="the example is of pandas, which is not installed")
    bundle((v2("8.5.3.1"), v2("8.6.0")), tmp_path / "RUN")
    monkeypatch.chdir(tmp_path)
    code = "\n".join(re.findall(r"^```python\n(.*?)^```", PAGE.read_text(encoding="utf-8"), re.M | re.S))
    example = doctest.DocTestParser().get_doctest(code, {}, "notebook.md", str(PAGE), 0)
    assert len(example.examples) > 10
    told: list[str] = []
    with pd.option_context("display.width", 120, "display.max_columns", 20):
        flags = doctest.NORMALIZE_WHITESPACE
        result = doctest.DocTestRunner(optionflags=flags).run(example, out=told.append)
    assert result.failed == 0, "".join(told)


def test_the_page_lists_the_columns() -> None:
    text = PAGE.read_text(encoding="utf-8")
    rows = dict(re.findall(r"^\| `(\w+)` \| [^|]+ \| (.*) \|$", text, re.M))
    assert {name: re.findall(r"`(\w+)`", said) for name, said in rows.items()} == {
        name: [column.name for column in columns] for name, columns in TABLES.items()
    }
