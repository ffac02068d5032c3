"""Every format has one example on its page, and what is said of it is what is read; the how-to holds too."""

from __future__ import annotations

import argparse
import io
import re
from pathlib import Path

import pytest

from harness.cli import import_, report
from harness.cli.parse import describe
from harness.evidence.reader import read_stream
from harness.evidence.record import RecordSink
from tests.attribution.recorded import RECORDINGS, V2_860

DOCS = Path(__file__).resolve().parents[2] / "docs"
PAGE = (DOCS / "reference" / "formats.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"^\*\*(.+?)\*\*\n\n```text\n(.*?)\n```\n\n```console\n(.*?)\n```", PAGE, re.M | re.S)


@pytest.mark.parametrize(("name", "text", "said"), EXAMPLES, ids=[name for name, _, _ in EXAMPLES])
def test_what_is_read_of_each_example(name: str, text: str, said: str) -> None:
    del name
    sink = RecordSink()
    record = sink.record("FILE", read_stream(io.BytesIO(f"{text}\n".encode()), sink, name="FILE"))
    assert "\n".join(describe(record)) == said


def test_every_format_of_the_table_has_an_example() -> None:
    table = re.findall(r"^\| ([A-Za-z0-9, ]+?) \| .* \| `\w+`(?:, `\w+`)* \|$", PAGE, re.M)
    assert len(table) > 15
    assert set(table) <= {name for name, _, _ in EXAMPLES}


def test_a_listing_from_a_forum_stands_beside_a_measured_version(tmp_path: Path) -> None:
    page = (DOCS / "how-to" / "import-recordings.md").read_text(encoding="utf-8")
    rows = re.findall(r"^ +(\S.*<<)$", page, re.M)
    commands = re.findall(r"^      trtmatrix (import|report) (.*)$", page, re.M)
    assert (len(rows), [name for name, _ in commands]) == (11, ["import", "report"])
    (tmp_path / "rows.txt").write_text("\n".join(rows) + "\n", encoding="utf-8")
    places = {
        "RUN": tmp_path / "RUN",
        "rows.txt": tmp_path / "rows.txt",
        "report.html": tmp_path / "page.html",
    }
    parser = argparse.ArgumentParser(exit_on_error=False)
    parts = parser.add_subparsers()
    import_.add_parser(parts)
    report.add_parser(parts)

    def call(name: str, words: list[str]) -> None:
        arguments = parser.parse_args([name, *(str(places.get(word, word)) for word in words)])
        assert arguments.func(arguments) == 0

    call("import", ["--out", "RUN", str(RECORDINGS / V2_860)])
    for name, words in commands:
        call(name, words.split())
    html = places["report.html"].read_text(encoding="utf-8")
    assert "8.6.0" in html
    assert "mobilenet_v2" in html
    assert "0.255" in html  # what the two reformats of the block cost
