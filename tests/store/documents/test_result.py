"""``result.json`` of both forms."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from harness.errors import InputError
from harness.store.documents.base import document_of
from harness.store.documents.result import Result, Setting

SAID: dict[str, Any] = {
    "status": "ok",
    "reason": "",
    "facts": {"cpu": "x"},
    "settings": [{"name": "threads", "value": 1}],
    "not_expressible": ["tf32"],
}


def read(data: dict[str, Any]) -> Result:
    return document_of(data, Result, Path("result.json"))


def test_windows_of_the_release_before_are_slices() -> None:
    expected = Result(
        status="ok",
        facts={"cpu": "x"},
        settings=[Setting(name="threads", value=1)],
        not_expressible=["tf32"],
        slices=5,
    )
    assert read({**SAID, "protocol": 1, "windows": 5}) == expected
    assert read({**SAID, "schema": "trtmatrix.result/2", "slices": 5}) == expected
    assert read({**SAID, "protocol": 1}).slices is None, "nobody counted"


def test_a_worker_that_says_nothing_has_failed_without_a_reason() -> None:
    found = read({"schema": "trtmatrix.result/2"})
    assert (found.status, found.reason, found.facts, found.settings) == ("failed", "", {}, [])
    assert (found.not_expressible, found.slices) == ([], None)


def test_what_no_worker_says_is_named() -> None:
    with pytest.raises(InputError, match=r"result\.json: settings\[0\]: expected `object`"):
        read({**SAID, "schema": "trtmatrix.result/2", "settings": [["threads", 1]]})
    with pytest.raises(InputError, match="unknown field `mood`"):
        read({**SAID, "schema": "trtmatrix.result/2", "mood": "good"})


def test_an_empty_object_is_no_result_of_whatever_release() -> None:
    with pytest.raises(InputError, match=r"result\.json: .*an empty object, and every worker states"):
        read({})
