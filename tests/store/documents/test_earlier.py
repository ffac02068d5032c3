"""Manifests and builds of 0.1.0 in the present form, key by key."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from harness.errors import InputError
from harness.store.documents.base import document_of
from harness.store.documents.build import Build, Outcome, Outputs
from harness.store.documents.manifest import Manifest
from harness.store.documents.origin import Host, fingerprint

BUILD: dict[str, Any] = {
    "schema": "trtmatrix.build/1",
    "cell": "mobilenet_v2-fp32-b1-clip-tensorrt-8.6.0",
    "build": 3,
    "status": "ok",
    "reason": "",
    "digest": "sha256:1",
    "outcome": {
        "status": "ok",
        "exit_code": 0,
        "seconds": 1.5,
        "peak_memory_bytes": 7,
        "gpu_before": [{"clocks.sm": "345 MHz"}],
        "seed": 5,
    },
    "environment": {"python": "3.10.13", "packages": {"tensorrt": "8.6.0"}, "pack": "43c6"},
    "outputs": {"valid": False, "error": None, "bound": 1e-4, "top1": 1.0, "reason": "differ"},
    "started": "2026-11-25T15:18:09.143+00:00",
    "round": 2,
    "host": "GPU-c60b",
    "visit": "20261125-151809-62a9",
}


def build(**changes: Any) -> Build:
    return document_of({**BUILD, **changes}, Build, Path("build.json"))


def test_a_build_keeps_what_it_said() -> None:
    made = build()
    assert (made.cell, made.build, made.round, made.status) == (BUILD["cell"], 3, 2, "ok")
    assert made.outcome == Outcome(
        status="ok",
        exit_code=0,
        seconds=1.5,
        peak_memory_bytes=7,
        facts={"gpu_before": [{"clocks.sm": "345 MHz"}], "seed": 5},
    )
    assert made.outputs == Outputs(valid=False, error=None, bound=1e-4, top1=1.0, reason="differ")
    assert made.state == "invalid"
    assert made.host == Host(device="GPU-c60b")
    assert made.software.fingerprint == fingerprint(BUILD["environment"])
    assert made.environment == BUILD["environment"]
    assert (made.run, made.pool, made.visit) == ("unknown", "unknown", "20261125-151809-62a9")
    assert made.started is not None
    assert made.started.isoformat(timespec="milliseconds") == BUILD["started"]


def test_what_a_build_left_out_is_unknown() -> None:
    least = {"schema": "trtmatrix.build/1", "cell": "c", "build": 4, "status": "failed"}
    made = document_of(least, Build, Path("build.json"))
    assert (made.round, made.host.name, made.outcome, made.outputs) == (4, "unknown", None, None)
    assert made.software.fingerprint == "unknown"
    assert made.state == "failed"


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"mood": "good"}, "build.json: not of the form trtmatrix.build/1: it has no 'mood'"),
        ({"host": 5}, "not of the form trtmatrix.build/1: host: expected a text, found 5"),
        ({"build": -1}, "build.json: build: expected `int` >= 0"),
        ({"outcome": {"exit_code": 0}}, "build.json: outcome: object missing required field `status`"),
        ({"outputs": ["torn"]}, "build.json: outputs: expected `object | null`, got `array`"),
        ({"started": "yesterday"}, "build.json: started: invalid RFC3339 encoded datetime"),
        ({"environment": ["torn"]}, "build.json: not of the form trtmatrix.build/1"),
    ],
)
def test_a_torn_build_is_named(changes: dict[str, Any], said: str) -> None:
    with pytest.raises(InputError) as caught:
        build(**changes)
    assert said in str(caught.value)


def test_a_manifest_keeps_what_it_said() -> None:
    visit = {"schema": "trtmatrix.visit/1", "visit": "v", "host": "GPU-c60b", "builds": [["c", 0]]}
    old = {
        "schema": "trtmatrix.bundle/1",
        "run": "night",
        "state": "complete",
        "finished": None,
        "seed": None,
        "machine": {},
        "visits": [visit],
        "cells": [],
    }
    made = document_of(old, Manifest, Path("manifest.json"))
    assert (made.run, made.state, made.finished, made.seed) == ("night", "complete", None, None)
    assert made.began == "unknown"
    assert (made.visits[0].visit, made.visits[0].run) == ("v", "unknown")
    assert made.visits[0].builds == (("c", 0),)


def test_times_are_written_as_finely_as_they_are_known() -> None:
    for text in ("2026-11-28T12:27:36+00:00", "2026-11-25T15:18:09.037+00:00"):
        old = {"schema": "trtmatrix.bundle/1", "started": text}
        assert document_of(old, Manifest, Path("manifest.json")).began == text
