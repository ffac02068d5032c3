"""Lines of others between those of TensorRT, and a prefix before each: what is read stays the same."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.evidence.reader import read_stream
from harness.evidence.record import Record, RecordSink
from tests.evidence.foreign_lines import FOREIGN, PREFIXES

SAMPLES = Path(__file__).parents[1] / "data" / "evidence"
# A list of bare names and CSV have nothing that tells a line of theirs from another's.
BARE = {"e2_names.log"}
TEXTS = sorted(p.name for p in SAMPLES.iterdir() if p.suffix in (".log", ".txt") and p.name not in BARE)
ALL = sorted(p.name for p in SAMPLES.iterdir())


def read_bytes(data: bytes) -> Record:
    sink = RecordSink()
    return sink.record("memory", read_stream(io.BytesIO(data), sink, name="memory"))


def content_of(record: Record) -> dict[str, object]:
    """The record but for the numbers of lines and the notes."""
    content = {key: value for key, value in record.as_json().items() if key not in ("lines", "warnings")}
    profile = content["profile"]
    assert isinstance(profile, dict)
    for head in profile.get("profiles", ()):
        del head["line"]
    return content


PLAIN = {name: content_of(read_bytes((SAMPLES / name).read_bytes())) for name in ALL}


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(TEXTS), st.data())
def test_lines_of_others_between_or_after(name: str, data: st.DataObject) -> None:
    lines = (SAMPLES / name).read_text().splitlines()
    for foreign in data.draw(st.lists(FOREIGN, min_size=1, max_size=6)):
        lines.insert(data.draw(st.integers(1, len(lines))), foreign)
    assert content_of(read_bytes(("\n".join(lines) + "\n").encode())) == PLAIN[name]


@pytest.mark.parametrize("prefix", PREFIXES.values(), ids=PREFIXES)
@pytest.mark.parametrize("name", ALL)
def test_every_line_behind_one_prefix(name: str, prefix: str) -> None:
    text = (SAMPLES / name).read_text()
    prefixed = "".join(prefix + line + "\n" for line in text.splitlines())
    assert content_of(read_bytes(prefixed.encode())) == PLAIN[name]


@settings(max_examples=80, deadline=None)
@given(
    st.sampled_from(TEXTS),
    st.lists(st.sampled_from(sorted(PREFIXES)), min_size=2, max_size=3, unique=True),
    st.data(),
)
def test_prefixes_nested_with_lines_of_others(name: str, nested: list[str], data: st.DataObject) -> None:
    prefix = "".join(PREFIXES[key] for key in nested)
    lines = [prefix + line for line in (SAMPLES / name).read_text().splitlines()]
    for foreign in data.draw(st.lists(FOREIGN, max_size=2)):
        lines.insert(data.draw(st.integers(1, len(lines))), foreign)
    assert content_of(read_bytes(("\n".join(lines) + "\n").encode())) == PLAIN[name]


@pytest.mark.parametrize("name", ALL)
def test_an_export_in_a_fence_of_markdown(name: str) -> None:
    text = "```json\n" + (SAMPLES / name).read_text() + "```\n"
    assert content_of(read_bytes(text.encode())) == PLAIN[name]


OWN_LOGGER = [
    "{:09.3f} worker-3 :: ",
    "<{}|bench> ",
    "app {} => ",
    "{}\ttrt\t",
    "[thread 0x7f{:04x}] | ",
]


@pytest.mark.parametrize("form", OWN_LOGGER)
@pytest.mark.parametrize("name", ["b_8.6_python.log", "b_8.0_python.log", "s7_8.5.log", "p4_trtexec_8.4.log"])
def test_a_prefix_that_nobody_knows_is_learned(name: str, form: str) -> None:
    lines = (SAMPLES / name).read_text().splitlines()
    text = "".join(form.format(17 + number) + line + "\n" for number, line in enumerate(lines))
    assert content_of(read_bytes(text.encode())) == PLAIN[name]


def test_the_names_of_layers_are_no_prefix() -> None:
    rows = "".join(f"net/block5/{name} : 0.5ms(1.5%) >>9.5%<<\n" for name in ("a", "b", "c"))
    assert [row.name for row in read_bytes(rows.encode()).profile] == [f"net/block5/{n}" for n in "abc"]


@pytest.mark.parametrize(
    ("name", "prefix", "foreign"),
    [
        ("s1_4.txt", "", {1: "2032-03-14 09:26:53,0 - app.cache - INFO - ready after 1.00 s"}),
        ("p4_trtexec_8.2.log", PREFIXES["buildkit"] + PREFIXES["coloured"], {1: "", 4: "--"}),
        (
            "p2_sample_5.1.log",
            "",
            {2: "192.0.2.0 - - GET /a.html HTTP/1.1 200 0", 4: "  0%|####      | 0/0 [00:0<00:10,  3.1it/s]"},
        ),
        ("b_8.4_trtexec.log", "", {23: "```"}),
    ],
)
def test_a_foreign_line_below_the_longest_is_not_its_rest(
    name: str, prefix: str, foreign: dict[int, str]
) -> None:
    lines = [prefix + line for line in (SAMPLES / name).read_text().splitlines()]
    for at, line in foreign.items():
        lines.insert(at, line)
    assert content_of(read_bytes(("\n".join(lines) + "\n").encode())) == PLAIN[name]
