"""``build.json``: its four states, and what is read of one that the release 0.1.0 wrote."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.errors import InputError
from harness.store.documents.base import as_json, document_of
from harness.store.documents.build import Build, Outcome, Outputs
from harness.store.documents.origin import Host, Software, fingerprint

RIGHT, WRONG = (Outputs(valid=valid, error=0.1, bound=0.2) for valid in (True, False))

BEFORE: dict[str, Any] = {
    "schema": "trtmatrix.build/1",
    "cell": "c",
    "build": 2,
    "round": 5,
    "status": "ok",
    "reason": "",
    "digest": "sha256:1",
    "host": "m-1",
    "started": "2026-11-01T02:00:00.250+00:00",
    "environment": {"python": "3.11.7", "packages": {"numpy": "2.0"}},
    "outputs": {"valid": True, "error": None, "bound": 0.2, "top1": 1.0, "reason": ""},
    "outcome": {"status": "ok", "exit_code": 0, "seconds": 2.5, "peak_memory_bytes": 7, "gpu_before": ["x"]},
}


def read(data: dict[str, Any]) -> Build:
    return document_of(data, Build, Path("build.json"))


@pytest.mark.parametrize(
    ("status", "outputs", "state"),
    [
        ("ok", None, "ok"),
        ("ok", RIGHT, "ok"),
        ("ok", WRONG, "invalid"),
        ("invalid", None, "invalid"),
        ("unsupported", WRONG, "unsupported"),
        ("time_limit", WRONG, "failed"),
        ("failed", None, "failed"),
    ],
)
def test_a_build_is_one_of_four_things(status: str, outputs: Outputs | None, state: str) -> None:
    assert Build(cell="c", build=0, status=status, outputs=outputs).state == state


def test_a_build_of_before_is_read_with_all_that_it_knew() -> None:
    assert read(BEFORE) == Build(
        cell="c",
        build=2,
        round=5,
        status="ok",
        digest="sha256:1",
        host=Host(machine="m-1", device="unknown"),
        started=datetime(2026, 11, 1, 2, 0, 0, 250_000, tzinfo=UTC),
        environment=BEFORE["environment"],
        software=Software(fingerprint=fingerprint(BEFORE["environment"])),
        outputs=Outputs(valid=True, error=None, bound=0.2, top1=1.0),
        outcome=Outcome(
            status="ok", exit_code=0, seconds=2.5, peak_memory_bytes=7, facts={"gpu_before": ["x"]}
        ),
    )


def test_a_build_of_before_without_the_rest() -> None:
    """Its round is its number; a host that was a GPU is one; nobody knows what it ran on."""
    bare = {"schema": "trtmatrix.build/1", "cell": "c", "build": 3, "status": "failed", "outcome": None}
    found = read(bare)
    assert (found.round, found.host, found.software, found.outcome) == (3, Host(), Software(), None)
    assert found.environment == {}
    assert read({**bare, "host": "GPU-1"}).host == Host(device="GPU-1")
    assert read({**bare, "environment": None, "outputs": None, "log_tail": "died"}).log_tail == "died"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"surprise": 1}, "not of the form trtmatrix.build/1: it has no 'surprise'"),
        ({"host": 7}, "not of the form trtmatrix.build/1: host: expected a text, found 7"),
        ({"build": -1}, "expected `int` >= 0"),
        ({"started": "2026-11-01T02:00:00"}, "expected `datetime` with a timezone component"),
    ],
)
def test_a_build_of_before_that_is_spoiled_is_named(change: dict[str, Any], said: str) -> None:
    with pytest.raises(InputError) as caught:
        read({**BEFORE, **change})
    assert caught.value.problem == said


def test_a_build_of_before_without_a_number_is_named() -> None:
    without = {key: value for key, value in BEFORE.items() if key not in ("build", "round")}
    with pytest.raises(InputError, match=r"not of the form trtmatrix\.build/1: 'build'"):
        read(without)


@given(
    st.builds(
        Build,
        cell=st.text(),
        build=st.integers(0, 2**40),
        round=st.integers(0, 2**40),
        status=st.text(),
        started=st.none() | st.datetimes(timezones=st.just(UTC)),
        host=st.builds(Host, machine=st.text(), device=st.text()),
        outputs=st.none()
        | st.builds(
            Outputs,
            valid=st.booleans(),
            error=st.none() | st.floats(0, 10),
            bound=st.floats(0, 10),
            top1=st.none() | st.floats(0, 1),
        ),
        environment=st.dictionaries(st.text(), st.text(), max_size=2),
        software=st.just(Software()),
        outcome=st.none(),
        recorded=st.none(),
        ended=st.none(),
        files=st.dictionaries(st.text(), st.text(), max_size=2),
    )
)
def test_a_build_is_its_json(made: Build) -> None:
    assert read(as_json(made)) == made
