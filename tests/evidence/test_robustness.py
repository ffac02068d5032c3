"""Prefixes, line ends, compression, damage, cuts: a record or one clear error, whatever the bytes."""

from __future__ import annotations

import gzip
import io
import json
from collections.abc import Callable
from pathlib import Path

import pytest
import zstandard
from hypothesis import example, given, settings
from hypothesis import strategies as st

from harness.errors import InputError
from harness.evidence.reader import read_file, read_stream
from harness.evidence.record import Record, RecordSink

DATA = Path(__file__).parents[1] / "data"
RECORDING = DATA / "recordings" / "8.6.0.v2.fp32.b1"
LOG = gzip.decompress((RECORDING / "build.log.gz").read_bytes())
LAYERS = gzip.decompress((RECORDING / "layers.json.gz").read_bytes())
PROFILE = (RECORDING / "profile.json").read_bytes()
BODY = (
    "*************** Autotuning format combination: Float(1) -> Float(1) ***************\n"
    "--------------- Timing Runner: conv + PWN(relu) (CaskConvolution)\n"
    "conv + PWN(relu) Set Tactic Name: sm80_xmma_x Tactic: 0x8047bcfcebface4a\n"
    "Tactic: 0x8047bcfcebface4a Time: 0.0081\n"
    ">>>>>>>>>>>>>>> Chose Runner Type: CaskConvolution Tactic: 0x8047bcfcebface4a\n"
)
STAMP = "[00/31/2019-08:15:02] "
PREFIXES = {
    "X0": "",
    "X1": "[V] [TRT] ",
    "X2": STAMP + "[V] [TRT] ",
    "X2 twice": STAMP + STAMP + "[V] [TRT] ",
    "X3": "[TensorRT] VERBOSE: ",
    "X4": STAMP + "[TRT] [V] ",
    "X5": "[TRT]    ",
    "X5 older": "[GIE]  ",
    "X6": "\x1b[0;32m[TRT]   \x1b[0m ",
    "X7": "[2021-11-03 08:15:02   DEBUG] ",
    "X7 around": "[2021-11-03 08:15:02   DEBUG] [TensorRT] VERBOSE: ",
}


def read_bytes(data: bytes) -> Record:
    sink = RecordSink()
    return sink.record("memory", read_stream(io.BytesIO(data), sink, name="memory"))


def content_of(record: Record) -> dict[str, object]:
    return {key: value for key, value in record.as_json().items() if key not in ("lines", "warnings")}


def outcome(data: bytes) -> Record | None:
    """A record whose JSON is valid, or None for one clear line of error."""
    try:
        record = read_bytes(data)
    except InputError as error:
        if "\n" in str(error):
            pytest.fail("an error of more than one line")
        return None
    json.loads("".join(record.json_pieces()))
    return record


@pytest.mark.parametrize("prefix", PREFIXES.values(), ids=PREFIXES)
def test_any_prefix(prefix: str) -> None:
    plain = content_of(read_bytes(BODY.encode()))
    prefixed = "".join(prefix + line + "\n" for line in BODY.splitlines())
    assert content_of(read_bytes(prefixed.encode())) == plain
    assert len(plain["tactics"]) == 1  # type: ignore[arg-type]


def test_prefixes_may_change_from_line_to_line() -> None:
    lines = zip(BODY.splitlines(), list(PREFIXES.values())[:5], strict=True)
    mixed = "".join(prefix + line + "\n" for line, prefix in lines)
    assert content_of(read_bytes(mixed.encode())) == content_of(read_bytes(BODY.encode()))


@pytest.mark.parametrize(
    "change",
    [
        lambda data: data.replace(b"\n", b"\r\n"),
        lambda data: data.replace(b"\n", b"\r"),
        lambda data: data.replace(b"Tactic", b"Tac\0tic"),
        lambda data: b"\xef\xbb\xbf" + data,
        lambda data: data.decode().encode("utf-16"),
        gzip.compress,
        lambda data: gzip.compress(data[:100]) + gzip.compress(data[100:]),
        zstandard.ZstdCompressor().compress,
        lambda data: zstandard.compress(data[:100]) + zstandard.compress(data[100:]),
    ],
    ids=["CRLF", "CR", "NUL", "BOM", "UTF-16", "gzip", "gzip members", "zstd", "zstd frames"],
)
def test_encodings(change: Callable[[bytes], bytes]) -> None:
    data = (DATA / "evidence" / "b_8.4_trtexec.log").read_bytes()
    assert content_of(read_bytes(change(data))) == content_of(read_bytes(data))


def test_invalid_utf_8_is_shown_as_replacement() -> None:
    record = read_bytes(BODY.encode().replace(b"conv", b"co\xffnv"))
    assert record.tactics[0].layer == "co�nv + PWN(relu)"


@pytest.mark.parametrize("width", [60, 80, 100, 131])
@pytest.mark.parametrize("padded", [False, True])
@pytest.mark.parametrize(
    "name",
    [
        *("b_5.1.log", "b_6.0_jetson.log", "b_8.0_python.log", "b_8.4_trtexec.log", "b_8.6_python.log"),
        *("b_10_strategies.log", "p2_sample_5.1.log", "p4_trtexec_7.0.log", "p4_trtexec_8.4.log"),
        *("p5_trtexec_10.log", "e2_detailed.log", "e2_names.log", "s7_8.5.log"),
    ],
)
def test_lines_wrapped_at_a_terminals_width(name: str, width: int, padded: bool) -> None:
    text = (DATA / "evidence" / name).read_text()
    pieces = []
    for line in text.splitlines():
        cut = [line[at : at + width] for at in range(0, len(line), width)] or [""]
        pieces += [cut[0].ljust(width)] if padded and len(cut) == 1 else cut
    wrapped = "\n".join(pieces) + "\n"
    assert content_of(read_bytes(wrapped.encode())) == content_of(read_bytes(text.encode()))


@pytest.mark.parametrize("content", [b"", b" \n\n", b"hello\nworld\n", b"{}", b"[]", b'{"a": "b"}', b"[1, 2"])
def test_what_is_not_of_tensorrt_is_one_clear_error(content: bytes) -> None:
    with pytest.raises(InputError) as caught:
        read_bytes(content)
    assert "\n" not in str(caught.value)


def test_a_missing_file_is_one_clear_error(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such file"):
        read_file(tmp_path / "none.log")


@settings(max_examples=40, deadline=None)
@given(st.integers(0, len(LOG) - 2))
@example(20_000)
@example(len(LOG) - 100)
def test_a_builder_log_cut_anywhere(size: int) -> None:
    record = outcome(LOG[:size])
    if record is None:
        assert size < 2000
        return
    whole = read_bytes(LOG)
    # the last rows may lack their flags, since what names the fastest and the chosen was cut off
    count = len(record.tactic_rows)
    assert [row[:8] for row in record.tactic_rows] == [row[:8] for row in whole.tactic_rows[:count]]
    assert record.warnings or LOG[:size].endswith(b"\n")


def test_a_builder_log_cut_before_the_engine_is_finished_says_so() -> None:
    lines = LOG.splitlines(keepends=True)
    for count in range(20, 5800, 97):
        assert read_bytes(b"".join(lines[:count])).warnings, count


@settings(max_examples=60, deadline=None)
@given(st.integers(1, len(LAYERS) - 4))
def test_an_engine_description_cut_anywhere(size: int) -> None:
    record = outcome(LAYERS[:size])
    if record is not None:
        assert any("read up to there" in warning.text for warning in record.warnings)
        whole = read_bytes(LAYERS).engine_layers
        assert record.engine_layers == whole[: len(record.engine_layers)]


@settings(max_examples=60, deadline=None)
@given(st.integers(1, len(PROFILE) - 1))
def test_a_profile_cut_anywhere(size: int) -> None:
    record = outcome(PROFILE[:size])
    if record is not None:
        assert any("read up to there" in warning.text for warning in record.warnings)
        assert record.profile == read_bytes(PROFILE).profile[: len(record.profile)]


@settings(max_examples=30, deadline=None)
@given(st.integers(1, (RECORDING / "build.log.gz").stat().st_size - 1))
def test_a_packed_log_cut_anywhere(size: int) -> None:
    record = outcome((RECORDING / "build.log.gz").read_bytes()[:size])
    assert record is None or any("gzip" in warning.text for warning in record.warnings)


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=2000))
@example(b"[" * 100_000)
@example(b'{"a":' * 100_000)
@example(b'{"Layers": [{"Name": "' + b"\\ud800" + b'"}]}')
@example(b'{"a": ' + b"9" * 10_000 + b"}")
@example(b'{"a": [1e999, NaN]}')
def test_any_bytes(data: bytes) -> None:
    outcome(data)


@settings(max_examples=200, deadline=None)
@given(
    st.lists(
        st.sampled_from([*BODY.splitlines(), "Engine Layer Information:", "Layer(A): b, Tactic: 1, "]),
        max_size=30,
    )
)
def test_lines_in_any_order(lines: list[str]) -> None:
    outcome("\n".join(lines).encode())


def test_numbers_of_thousands_of_digits_are_read_at_once() -> None:
    table = "=== Profile (1 iterations ) ===\n Layer   Time (ms)   Avg. Time (ms)   Time %\n"
    record = outcome(table.encode() + b"  conv " + b"9" * 1_000_000 + b"x 1.0 1.0\n  Total 1.00 1.0 100.0\n")
    assert record is not None
    assert record.total_ms == 1.0
