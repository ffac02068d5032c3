"""The defaults of an environment that knows nothing but how to say whether a version is here."""

from __future__ import annotations

import pytest

from harness.environments.base import Availability, Check, Environment, Prepared, Progress, availability_of
from harness.environments.needs import RuntimeNeeds
from harness.runtimes.onnxruntime.runtime import OnnxRuntime


class Shelf(Environment):
    """Holds version 1 and nothing else."""

    name = "shelf"

    def availability(self, _runtime: RuntimeNeeds, version: str) -> Availability:
        """Look on the shelf."""
        return Availability("ok") if version == "1" else Availability("unavailable", "not there", "fetch it")

    def prepare(self, runtime: RuntimeNeeds, version: str, progress: Progress) -> Prepared:
        """Nobody asks for this here."""
        raise NotImplementedError


def test_what_is_looked_at_is_its_availability() -> None:
    assert Shelf().checks(OnnxRuntime(), "1") == (Check("shelf", "ok", "onnxruntime 1 can run in shelf"),)
    assert Shelf().checks(OnnxRuntime(), "2") == (Check("shelf", "unavailable", "not there", "fetch it"),)


def test_a_version_names_itself_and_none_is_known_besides() -> None:
    assert list(Shelf().resolve("onnxruntime", ">=1")) == [">=1"]
    assert list(Shelf().version_rows()) == []


@pytest.mark.parametrize(
    ("states", "expected"),
    [
        (["ok", "ok"], "ok"),
        (["ok", "unavailable"], "unavailable"),
        (["unavailable", "unsupported"], "unsupported"),
        (["unsupported", "failed"], "failed"),
        ([], "ok"),
    ],
)
def test_the_worst_check_decides(states: list[str], expected: str) -> None:
    checks = [Check("one", state, f"{state} because", "do it") for state in states]
    found = availability_of(checks)
    assert found.state == expected
    assert found.reason == ("" if expected == "ok" else f"{expected} because")
