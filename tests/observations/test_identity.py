"""Builds are pooled where cell and group are equal; what keeps two apart is said in words."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from harness.matrix.cell import Cell, Treatment
from harness.observations.identity import Host, Identity, Software, identity_of
from harness.observations.records import BuildObservation

CELL = Cell("mobilenet_v2", Treatment(), "onnxruntime", "1.22.1", "venv")
ONE = Identity(
    run="one",
    pool="one",
    cell=CELL,
    digest="sha256:" + "1" * 64,
    software=Software(version="1.22.1", environment="venv", fingerprint="sha256:f", driver="none"),
    host=Host(machine="m", device="cpu"),
)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        (Host(machine="m-1", device="cpu"), "m-1"),
        (Host(machine="m-1", device="GPU-1"), "m-1/GPU-1"),
        (Host(device="GPU-1"), "GPU-1"),
        (Host(), "unknown"),
        (Host.named("vm-0035969ec53f"), "vm-0035969ec53f"),
        (Host.named("unknown"), "unknown"),
    ],
)
def test_a_host_is_called_by_what_is_known_of_it(name: Host, said: str) -> None:
    assert name.name == said


@given(st.text(min_size=1))
def test_a_host_of_before_keeps_its_name(name: str) -> None:
    if name not in ("unknown", "cpu"):
        assert Host.named(name).name == name


@pytest.mark.parametrize(
    ("other", "said"),
    [
        (replace(ONE, run="two", pool="two"), "run one against two"),
        (replace(ONE, digest="sha256:" + "2" * 64), "network digest sha256:111111111111 against sha256:2"),
        (replace(ONE, host=Host(machine="m", device="GPU-1")), "device cpu against GPU-1"),
        (replace(ONE, host=Host(machine="n", device="cpu")), "machine m against n"),
        (replace(ONE, software=structs.replace(ONE.software, driver="550")), "driver none against 550"),
        (
            replace(ONE, software=structs.replace(ONE.software, environment="docker")),
            "environment venv against docker",
        ),
        (
            replace(ONE, software=structs.replace(ONE.software, fingerprint="sha256:g")),
            "environment fingerprint sha256:f against sha256:g",
        ),
    ],
)
def test_what_keeps_builds_apart_is_said(other: Identity, said: str) -> None:
    assert other.group != ONE.group
    (words,) = ONE.differences(other)
    assert words.startswith(said)


def test_parts_of_one_run_are_one_group() -> None:
    later = replace(ONE, started=None, run="one")
    assert later.group == ONE.group
    assert ONE.differences(later) == ()
    assert sorted([ONE.group, replace(ONE, pool="a").group])[0].pool == "a"


def test_a_build_made_by_hand_knows_its_host_alone() -> None:
    build = BuildObservation(0, "ok", "host-a")
    assert build.identity == Identity(host=Host(machine="host-a"))


def test_what_documents_and_worker_say_is_gathered() -> None:
    document = {
        "host": "m-1",
        "started": "2026-11-28T14:00:00+02:00",
        "environment": {"packages": {"numpy": "1"}, "python": "3.11.7", "installer": "uv"},
    }
    made = identity_of(document, CELL, "sha256:1", "night", {"cpu": "x", "onnxruntime": "1.22.1"})
    assert (made.run, made.pool, made.digest) == ("night", "night", "sha256:1")
    assert made.started is not None
    assert made.started.isoformat() == "2026-11-28T12:00:00+00:00"
    assert made.ended is None
    assert made.host == Host(machine="m-1", device="cpu")
    assert made.software.version == "1.22.1"
    assert made.software.driver == "none"
    other = {**document, "environment": {**document["environment"], "installer": "pip"}}  # type: ignore[dict-item]
    assert identity_of(other, CELL, "sha256:1", "night", {"cpu": "x", "onnxruntime": "1.22.1"}) == made
    assert identity_of({}, CELL, "unknown", "night", {}).software.fingerprint == "unknown"
