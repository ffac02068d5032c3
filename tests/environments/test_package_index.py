"""Asking a package index for a version: one that has it, one that lacks it, one that is silent."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from harness.cli.check import _once
from harness.environments.package_index import NOT_ASKED, PackageIndex, of_distribution
from harness.environments.pythons import running, uv_binary
from tests.environments.wheels import make_wheel

pytestmark = pytest.mark.skipif(uv_binary() is None, reason="uv is not installed")


def test_it_says_what_it_has_and_what_it_lacks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # An index of its own, in files: that of the machine may not answer here.
    make_wheel(tmp_path / "engine", "engine", "1.2")
    (wheel,) = (path.name for path in (tmp_path / "engine").glob("*.whl"))
    (tmp_path / "engine" / "index.html").write_text(f'<a href="{wheel}">{wheel}</a>', encoding="utf-8")
    monkeypatch.setenv("UV_DEFAULT_INDEX", tmp_path.as_uri())
    monkeypatch.setenv("UV_NO_CACHE", "1")
    index = PackageIndex(60)
    assert index.check("engine==1.2", running()).state == "ok"
    for lacking in ("engine==9.9.9", "trtmatrix-of-nobody==1"):
        found = index.check(lacking, running())
        assert (found.state, found.reason) == ("unavailable", f"the package index has no {lacking}")


def test_one_that_does_not_answer_is_not_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        monkeypatch.setenv("UV_DEFAULT_INDEX", f"http://127.0.0.1:{silent.getsockname()[1]}/simple")
        monkeypatch.setenv("UV_NO_CACHE", "1")
        index = PackageIndex(0.5)
        found = index.check("engine==1.2", running())
        assert (found.state, found.reason) == (NOT_ASKED, "it does not answer within 0.5 s")
        monkeypatch.setattr("subprocess.run", None)
        assert index.check("engine==1.3", running()) == found


def test_one_that_refuses_says_why_and_is_no_reason_against_a_cell(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    monkeypatch.setenv("UV_DEFAULT_INDEX", f"http://127.0.0.1:{port}/simple")
    monkeypatch.setenv("UV_NO_CACHE", "1")
    found = PackageIndex(60).check("engine==1.2", running())
    assert found.state == NOT_ASKED
    assert "error" in found.reason.lower()


def test_what_is_asked_for_is_the_runtime_itself() -> None:
    wanted = ("numpy==1.26.4", "Engine==1.2", "engine-cu12==2")
    assert of_distribution(wanted, "engine") == "Engine==1.2"
    assert of_distribution(("engine>=1",), "engine") is None


def test_a_reason_is_said_once_with_the_number_of_cells() -> None:
    from collections import Counter

    reasons = ["", "no GPU", "no GPU", "other", "no GPU"]
    left = Counter(reasons)
    assert [_once(reason, left) for reason in reasons] == ["", "no GPU (3 cells)", "", "other", ""]
