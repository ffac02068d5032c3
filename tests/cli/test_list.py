"""``list versions`` says of each version what ``check`` says."""

from __future__ import annotations

import json

import pytest

from harness.cli import main
from harness.plugins import registry


def test_versions_have_the_state_that_check_gives_them(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["list", "versions", "--json"]) == 0
    rows = [row for row in json.loads(capsys.readouterr().out) if row["environment"] == "venv"]
    assert {row["runtime"] for row in rows} >= {"onnxruntime", "openvino", "tensorrt"}
    place = registry.environments()["venv"]
    for row in rows:
        found = place.availability(registry.runtimes()[row["runtime"]], row["version"])
        assert row["here"] == (f"{found.state}: {found.reason}" if found.reason else found.state)
