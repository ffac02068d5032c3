"""Messages: however a pipe cuts them, they come out as they went in."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.worker import messages
from harness.worker.messages import MessageError, Messages, encode

VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
MESSAGES = st.lists(st.dictionaries(st.text(), VALUES, max_size=4), max_size=5)


@given(sent=MESSAGES, data=st.data())
def test_any_split_of_the_bytes_gives_the_same_messages(sent: list[dict[str, Any]], data: Any) -> None:
    whole = b"".join(map(encode, sent))
    cuts = sorted(data.draw(st.lists(st.integers(0, len(whole)), max_size=8)))
    pieces = [whole[a:b] for a, b in zip([0, *cuts], [*cuts, len(whole)], strict=True)]
    reader = Messages()
    assert [one for piece in pieces for one in reader.feed(piece)] == sent


@given(sent=MESSAGES)
def test_a_message_is_one_line_of_json(sent: list[dict[str, Any]]) -> None:
    for message in sent:
        line = encode(message)
        assert line.endswith(b"\n")
        assert line.count(b"\n") == 1
        assert json.loads(line) == message


@pytest.mark.parametrize(
    "line", [b"", b"hello", b"[1]", b"12", b"null", b'{"a": ', b"\xff\xfe", b"[" * 100_000]
)
def test_what_is_no_object_is_refused(line: bytes) -> None:
    with pytest.raises(MessageError, match="no message"):
        Messages().feed(line + b"\n")


def test_a_message_without_an_end_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(messages, "MOST_BYTES", 1000)
    reader = Messages()
    assert reader.feed(b"x" * 1000) == []
    with pytest.raises(MessageError, match="a message of more than 1000 bytes"):
        reader.feed(b"x")


def test_numpy_is_sent_as_numbers() -> None:
    sent = {"a": np.float32(0.5), "b": np.arange(3), "c": ValueError("odd")}
    assert json.loads(encode(sent)) == {"a": 0.5, "b": [0, 1, 2], "c": "odd"}
