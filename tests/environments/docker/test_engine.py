"""Finding an engine: variables, contexts, sockets; and what is said where there is none."""

from __future__ import annotations

import hashlib
import json
import os
import socket
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import docker.errors
import pytest
import requests.exceptions

from harness.environments.docker.engine import Engine, EngineFacts, connect, endpoints
from harness.environments.docker.errors import engine_is_gone, explain_pull, explain_start, registry_of
from harness.errors import UnavailableError


def _context(folder: Path, name: str, host: str) -> None:
    """Write a context as ``docker context create`` does, and make it the current one."""
    meta = folder / "contexts" / "meta" / hashlib.sha256(name.encode()).hexdigest()
    meta.mkdir(parents=True)
    content = {"Name": name, "Metadata": {}, "Endpoints": {"docker": {"Host": host, "SkipTLSVerify": False}}}
    (meta / "meta.json").write_text(json.dumps(content))
    (folder / "config.json").write_text(json.dumps({"currentContext": name}))


@pytest.fixture
def docker_config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty configuration folder of docker's."""
    for name in ("DOCKER_HOST", "DOCKER_CONTEXT", "DOCKER_TLS_VERIFY", "XDG_RUNTIME_DIR"):
        monkeypatch.delenv(name, raising=False)
    folder = tmp_path / "docker-config"
    folder.mkdir()
    monkeypatch.setenv("DOCKER_CONFIG", str(folder))
    # The SDK reads these once, when it is imported.
    monkeypatch.setattr("docker.utils.config.home_dir", lambda: str(tmp_path))
    return folder


def test_an_engine_named_by_the_user_stands_alone() -> None:
    found = endpoints({"DOCKER_HOST": "tcp://10.0.0.1:2375"})

    assert [(e.url, e.origin, e.is_local) for e in found] == [("tcp://10.0.0.1:2375", "DOCKER_HOST", False)]


def test_the_sockets_of_docker_come_before_those_of_podman(docker_config: Path) -> None:
    assert docker_config.is_dir()
    found = endpoints({"XDG_RUNTIME_DIR": "/run/user/7"})

    assert [e.url for e in found] == [
        "unix:///var/run/docker.sock",
        "unix:///run/user/7/docker.sock",
        "unix:///run/user/7/podman/podman.sock",
        "unix:///run/podman/podman.sock",
    ]
    assert all(e.is_local for e in found)


def test_the_current_context_is_respected(docker_config: Path) -> None:
    _context(docker_config, "lab", "unix:///run/lab/docker.sock")

    (found,) = endpoints({})

    assert (found.url, found.origin) == ("unix:///run/lab/docker.sock", "context 'lab'")


def test_a_context_that_does_not_exist_is_named(docker_config: Path) -> None:
    assert docker_config.is_dir()
    with pytest.raises(UnavailableError, match="DOCKER_CONTEXT names the context 'gone'"):
        endpoints({"DOCKER_CONTEXT": "gone"})


def test_the_socket_of_podman_is_the_last_resort(
    docker_engine: Engine, docker_config: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert docker_config.is_dir()
    monkeypatch.setattr("harness.environments.docker.engine.DEFAULT_SOCKET", tmp_path / "none.sock")
    socket = tmp_path / "podman" / "podman.sock"
    socket.parent.mkdir()
    socket.symlink_to(docker_engine.endpoint.url.removeprefix("unix://"))

    found = connect({"XDG_RUNTIME_DIR": str(tmp_path)})

    assert found.endpoint.origin == "podman's socket of this user"
    assert found.facts.version == docker_engine.facts.version
    found.client.close()


def test_no_engine_is_one_line_that_says_what_was_tried(tmp_path: Path) -> None:
    with pytest.raises(UnavailableError) as error:
        connect({"DOCKER_HOST": f"unix://{tmp_path / 'docker.sock'}"})

    assert str(error.value) == (
        "no docker engine answers (DOCKER_HOST does not exist); start docker or podman, or set DOCKER_HOST"
    )
    assert error.value.exit_code == 3


def test_a_socket_nobody_listens_on_is_told_apart(tmp_path: Path) -> None:
    path = tmp_path / "s.sock"
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(path))

    with pytest.raises(UnavailableError, match=r"\(DOCKER_HOST: nobody listens on it\)"):
        connect({"DOCKER_HOST": f"unix://{path}"})


@contextmanager
def unprivileged() -> Iterator[None]:
    """Let this process be somebody else for a moment, where it is root, whom no mode of a file stops."""
    mine = os.geteuid()
    os.seteuid(mine or 65534)
    try:
        yield
    finally:
        os.seteuid(mine)


def test_without_rights_to_the_socket_the_group_is_named() -> None:
    with (
        tempfile.TemporaryDirectory() as folder,
        socket.socket(socket.AF_UNIX) as listening,
    ):
        path = Path(folder) / "s.sock"
        listening.bind(str(path))
        listening.listen()
        path.chmod(0)
        with unprivileged(), pytest.raises(UnavailableError) as error:
            connect({"DOCKER_HOST": f"unix://{path}"})

    assert str(error.value) == (
        "no docker engine answers (DOCKER_HOST: permission denied (is this user in the group 'docker'?)); "
        "start docker or podman, or set DOCKER_HOST"
    )


def test_a_real_engine_says_what_it_can(docker_engine: Engine) -> None:
    facts = docker_engine.facts

    assert facts.version
    assert facts.api >= (1, 40)
    assert facts.takes_device_requests
    assert "runc" in facts.runtimes or facts.name == "podman" or facts.runtimes
    assert facts.disk_free_bytes is None or facts.disk_free_bytes > 0
    assert facts.cgroup_version in ("1", "2")


def test_engines_before_19_03_take_no_device_requests() -> None:
    assert not EngineFacts("docker", "18.09", (1, 39)).takes_device_requests
    assert EngineFacts("docker", "19.03", (1, 40)).takes_device_requests


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ('could not select device driver "nvidia" with capabilities: [[gpu]]', "has no GPU runtime"),
        ("unknown or invalid runtime name: nvidia", "has no GPU runtime"),
        ("CDI device injection failed: unresolvable CDI devices nvidia.com/gpu=0", "has no GPU runtime"),
        ("bind source path does not exist: /x", "does not see this machine's files"),
        ("write /var/lib/docker: no space left on device", "disk is full"),
        ("something else\nentirely", "the container did not start: something else entirely"),
    ],
)
def test_a_container_that_does_not_start_has_a_reason_and_a_remedy(said: str, words: str) -> None:
    line = explain_start(docker.errors.APIError("500", explanation=said))

    assert words in line
    assert "\n" not in line


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ("unauthorized: authentication required", "log in first: docker login nvcr.io as $oauthtoken"),
        ("pull access denied for x, repository does not exist or may require 'docker login'", "log in first"),
        ("manifest unknown", "nvcr.io has no nvcr.io/nvidia/tensorrt:19.09-py3"),
        ("dial tcp: lookup nvcr.io: no such host", "nvcr.io cannot be reached"),
        ("Get https://nvcr.io/v2/: net/http: TLS handshake timeout", "docker load"),
        ("no space left on device", "trtmatrix images prune"),
        ("teapot", "cannot be pulled: teapot"),
    ],
)
def test_a_pull_that_fails_has_a_reason_and_a_remedy(said: str, words: str) -> None:
    line = explain_pull(
        docker.errors.APIError("500", explanation=said),
        "nvcr.io/nvidia/tensorrt:19.09-py3",
        "docker login nvcr.io as $oauthtoken",
    )

    assert words in line


def test_an_engine_that_answers_no_is_not_gone() -> None:
    assert not engine_is_gone(docker.errors.APIError("500"))
    assert engine_is_gone(requests.exceptions.ConnectionError())
    assert not engine_is_gone(ValueError())


@pytest.mark.parametrize(
    ("image", "registry"),
    [
        ("nvcr.io/nvidia/tensorrt:1", "nvcr.io"),
        ("python:3.11", "docker.io"),
        ("library/python", "docker.io"),
        ("localhost:5000/x", "localhost:5000"),
        ("localhost/x", "localhost"),
    ],
)
def test_the_registry_is_the_host_an_image_name_begins_with(image: str, registry: str) -> None:
    assert registry_of(image) == registry
