"""Hosts and the fingerprint of what an environment held."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.store.documents.origin import Host, fingerprint

HELD = {
    "python": "3.11.7",
    "implementation": "cpython",
    "packages": {"numpy": "2.0", "onnx": "1.17"},
    "placeholder_libraries": ["libcuda.so.1"],
}


@pytest.mark.parametrize("key", ["python", "implementation", "packages", "placeholder_libraries"])
def test_what_an_environment_holds_makes_its_fingerprint(key: str) -> None:
    found = fingerprint(HELD)
    assert re.fullmatch("sha256:[0-9a-f]{64}", found)
    assert fingerprint({**HELD, key: "another"}) != found
    if key != "packages":
        assert fingerprint({name: value for name, value in HELD.items() if name != key}) != found


@given(
    st.permutations(list(HELD)),
    st.dictionaries(st.sampled_from(["installer", "seconds", "path", "cache"]), st.integers()),
)
def test_how_it_was_made_and_in_which_order_it_is_told_do_not_matter(
    order: list[str], more: dict[str, int]
) -> None:
    assert fingerprint({**more, **{key: HELD[key] for key in order}}) == fingerprint(HELD)


def test_an_image_is_known_by_its_digest_else_by_its_id() -> None:
    digest, other = fingerprint({"image_digest": "sha256:a"}), fingerprint({"image_id": "sha256:b"})
    assert len({digest, other, fingerprint({**HELD, "image_digest": "sha256:a"}), fingerprint(HELD)}) == 4
    assert fingerprint({"image_digest": "sha256:a", "image_id": "sha256:b"}) == digest
    assert fingerprint({"image_digest": "", "image_id": "sha256:b"}) == other


@pytest.mark.parametrize("facts", [{}, {"python": "3.11.7"}, {"installer": "uv"}])
def test_facts_that_name_no_content_have_none(facts: dict[str, str]) -> None:
    assert fingerprint(facts) == "unknown"


@pytest.mark.parametrize(
    ("host", "name"),
    [
        (Host(machine="m", device="cpu"), "m"),
        (Host(machine="m", device="GPU-1"), "m/GPU-1"),
        (Host(machine="unknown", device="GPU-1"), "GPU-1"),
        (Host(machine="unknown", device="cpu"), "unknown"),
        (Host(), "unknown"),
    ],
)
def test_a_host_is_called_by_what_is_known_of_it(host: Host, name: str) -> None:
    assert host.name == name


@pytest.mark.parametrize(
    ("name", "host"),
    [
        ("GPU-1f", Host(device="GPU-1f")),
        ("vm-0035969ec53f", Host(machine="vm-0035969ec53f")),
        ("my-GPU-box", Host(machine="my-GPU-box")),
    ],
)
def test_a_host_that_bundles_of_before_name_is_a_gpu_or_a_machine(name: str, host: Host) -> None:
    assert Host.named(name) == host


def test_a_fingerprint_stays_the_same_from_release_to_release() -> None:
    """Builds of before are pooled by it: a change of its form would keep them apart for ever."""
    said = '{"image":"sha256:a","packages":{"numpy":"2.0"},"python":"3.11.7"}'
    held = {"python": "3.11.7", "packages": {"numpy": "2.0"}, "image_id": "sha256:a", "path": "/x"}
    assert fingerprint(held) == "sha256:" + hashlib.sha256(said.encode()).hexdigest()
    letters = r'{"packages":{"gr\u00fc\u00dfe":"1"}}'
    assert fingerprint({"packages": {"grüße": "1"}}) == (
        "sha256:" + hashlib.sha256(letters.encode()).hexdigest()
    )


def test_facts_that_json_does_not_know_are_told_as_texts() -> None:
    assert fingerprint({"packages": {"a": Path("b")}}) == fingerprint({"packages": {"a": "b"}})
