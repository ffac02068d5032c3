"""Virtual environments made for real, of a wheel that the tests make: no network, nothing imitated."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from harness.environments import installer, venv
from harness.environments.installer import Plan, last_words, python_of
from harness.environments.pythons import Interpreter, find_python, running, uv_binary
from harness.errors import UnavailableError
from harness.plugins import registry
from tests.environments.wheels import make_wheel


@pytest.fixture
def shelf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of wheels that pip alone was told of; the cache is the test's own."""
    folder = tmp_path / "wheels"
    make_wheel(folder, "engine", "1.2.3", requires="nowhere-to-be-found")
    for name in ("UV_INDEX_URL", "UV_DEFAULT_INDEX", "UV_FIND_LINKS", "UV_NO_INDEX"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    monkeypatch.setenv("TRTMATRIX_CACHE", str(tmp_path / "cache"))
    return folder


def plan(requirement: str = "engine==1.2.3") -> Plan:
    """An environment of one wheel, without what it asks for (which is nowhere)."""
    return Plan(running(), (requirement,), dependencies=False)


def version_in(folder: Path) -> str:
    """Return what the installed package says of itself."""
    command = [str(python_of(folder)), "-c", "import engine; print(engine.__version__)"]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


@pytest.mark.skipif(uv_binary() is None, reason="uv is not on this machine")
@pytest.mark.usefixtures("shelf")
def test_uv_finds_what_pip_was_told_of() -> None:
    said: list[str] = []
    folder = venv.make(plan(), "engine 1.2.3", said.append)
    assert version_in(folder) == "1.2.3"
    assert said == [f"installing engine 1.2.3 for Python {running().full}"]
    assert '"installer": "uv"' in (folder / "trtmatrix.json").read_text()
    # The second time it is there already.
    assert venv.make(plan(), "engine 1.2.3", said.append) == folder
    assert len(said) == 1


@pytest.mark.usefixtures("shelf")
def test_venv_and_pip_where_uv_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(installer, "uv_binary", lambda: None)
    folder = venv.make(plan(), "engine 1.2.3", lambda _: None)
    assert version_in(folder) == "1.2.3"
    assert '"installer": "pip"' in (folder / "trtmatrix.json").read_text()


@pytest.mark.usefixtures("shelf")
def test_a_wheel_that_is_not_to_be_had(tmp_path: Path) -> None:
    with pytest.raises(UnavailableError) as caught:
        venv.make(plan("engine==9.9"), "engine 9.9", lambda _: None)
    message = str(caught.value)
    assert message.startswith(f"cannot install engine==9.9 for Python {running().full}: ")
    assert "No matching distribution found for engine==9.9" in message
    assert "\n" not in message
    # Nothing is left that could be taken for an environment.
    assert not list((tmp_path / "cache" / "venv").glob("[!.]*"))


def test_the_content_decides_the_key() -> None:
    keys = {
        venv.key_of(plan()),
        venv.key_of(plan("engine==1.2.4")),
        venv.key_of(Plan(running(), ("engine==1.2.3",))),
        venv.key_of(Plan(Interpreter(Path("elsewhere"), (3, 9), "3.9.1"), ("engine==1.2.3",), False)),
    }
    assert len(keys) == 4
    assert venv.key_of(plan()) == venv.key_of(plan())


def test_the_running_python_is_taken_where_it_fits() -> None:
    assert find_python(None) == running()
    assert find_python(((3, 8), sys.version_info[:2])) == running()


def test_no_python_at_all() -> None:
    assert find_python(((3, 1), (3, 2))) is None


def test_a_version_without_wheels_for_any_python_here(monkeypatch: pytest.MonkeyPatch) -> None:
    runtime = registry.runtimes()["openvino"]
    monkeypatch.setattr(venv, "find_python", lambda _: None)
    found = venv.VirtualEnvironment().availability(runtime, "2023.1.0")
    assert found.state == "unsupported"
    assert found.reason == (
        f"no wheel of openvino 2023.1.0 for Python {running().full}, and no Python from 3.8 to 3.11 is here"
    )
    assert found.remedy == "install Python 3.11; the harness may stay on its own"
    with pytest.raises(UnavailableError, match=r"no wheel of openvino 2023\.1\.0"):
        venv.VirtualEnvironment().prepare(runtime, "2023.1.0", lambda _: None)


def test_the_last_words_of_a_tool_are_one_line_without_credentials() -> None:
    text = "Looking in https://me:secret@a.example\nERROR: first\nERROR: no\n  luck at //u:p@host/x\n"
    assert last_words(text) == "ERROR: no luck at //host/x"
    assert last_words("") == ""
    assert len(last_words("x" * 1000)) == 300
