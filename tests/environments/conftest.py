"""Fixtures of the tests that need a Docker engine; they skip, saying why, where there can be none."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.environments.docker.engine import Engine, connect
from harness.errors import UnavailableError
from tests.environments.docker.engine_support import GIVEN, Daemon, leftovers, why_no_daemon


@pytest.fixture(scope="session")
def docker_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cache folder that all docker tests share, so that each image is made once."""
    return tmp_path_factory.mktemp("docker-cache")


@pytest.fixture(scope="session")
def docker_host() -> Iterator[str]:
    """Address of a running engine."""
    if GIVEN:
        yield GIVEN
        return
    if reason := why_no_daemon():
        pytest.skip(reason)
    # A short path: the address of a socket has at most 107 characters.
    daemon = Daemon(Path(tempfile.mkdtemp(prefix="trtmatrix-dockerd-")))
    try:
        daemon.start()
    except UnavailableError as error:
        daemon.remove()
        pytest.skip(str(error))
    try:
        yield daemon.host
    finally:
        daemon.stop()
        daemon.remove()


@pytest.fixture
def docker_engine(docker_host: str, docker_cache: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Engine]:
    """A connected engine; no container of ours may be left on it when the test ends."""
    monkeypatch.setenv("DOCKER_HOST", docker_host)
    monkeypatch.setenv("TRTMATRIX_CACHE", str(docker_cache))
    engine = connect()
    yield engine
    assert leftovers(engine) == []
    engine.client.close()
