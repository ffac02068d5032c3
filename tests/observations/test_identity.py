"""Builds are pooled where cell and group are equal; what keeps two apart is said in words."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import structs

from harness.matrix.cell import Cell, Treatment
from harness.observations.identity import Host, Identity, Software, identity_of
from harness.observations.records import BuildObservation
from harness.store.bundle import CellRecord
from harness.store.documents.base import document_of
from harness.store.documents.build import Build
from harness.store.documents.origin import fingerprint

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


@settings(deadline=None)
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


HELD: dict[str, Any] = {"packages": {"numpy": "1"}, "python": "3.11.7", "installer": "uv"}
SAID = {"cpu": "x", "onnxruntime": "1.22.1"}
RECORD = CellRecord(CELL, "measured", digest="sha256:1")


def earlier(**changes: Any) -> Build:
    """A build document of before: it states neither run nor software."""
    said = {
        "schema": "trtmatrix.build/1",
        "cell": CELL.id,
        "build": 0,
        "status": "ok",
        "host": "m-1",
        "started": "2026-11-28T14:00:00+02:00",
        "environment": HELD,
        **changes,
    }
    return document_of(said, Build, Path("build.json"))


def test_what_documents_and_worker_say_is_gathered() -> None:
    made = identity_of(earlier(), RECORD, "night", SAID)
    assert (made.run, made.pool, made.digest, made.cell) == ("night", "night", "sha256:1", CELL)
    assert made.started is not None
    assert made.started.isoformat() == "2026-11-28T12:00:00+00:00"
    assert made.ended is None
    assert made.host == Host(machine="m-1", device="cpu")
    assert made.software.version == "1.22.1"
    assert made.software.driver == "none"
    assert identity_of(earlier(environment={**HELD, "installer": "pip"}), RECORD, "night", SAID) == made
    other = identity_of(earlier(environment={**HELD, "packages": {"numpy": "2"}}), RECORD, "night", SAID)
    assert other.software.fingerprint != made.software.fingerprint


def test_what_nobody_knows_is_unknown() -> None:
    made = identity_of(earlier(environment=None, host="unknown", started=None), RECORD, "night", {})
    assert made.software == Software(environment="venv")
    assert made.host == Host()
    assert made.started is None


def test_what_a_document_states_wins() -> None:
    stated = Build(
        cell=CELL.id,
        build=0,
        status="ok",
        run="own",
        digest="sha256:2",
        software=ONE.software,
        host=Host(machine="m", device="GPU-1"),
    )
    made = identity_of(stated, RECORD, "night", {"driver": "never"})
    assert (made.run, made.pool, made.digest) == ("own", "own", "sha256:2")
    assert made.software == ONE.software
    assert made.host.name == "m/GPU-1"
    assert identity_of(structs.replace(stated, pool="both"), RECORD, "night", {}).group.pool == "both"


def test_a_container_is_told_by_its_image() -> None:
    image = {**HELD, "image_digest": "sha256:a"}
    assert fingerprint(image) != fingerprint(HELD)
    assert fingerprint(image) != fingerprint({**image, "image_digest": "sha256:b"})
    assert fingerprint({"image_digest": "", "image_id": "sha256:c"}) != "unknown"
    assert fingerprint({"python": "3.11.7"}) == "unknown"
