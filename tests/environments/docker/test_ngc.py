"""An NGC image by name, a stand-in for it made here: the request for a GPU, and how its refusal reads."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from harness.environments.base import Limits, converse
from harness.environments.docker import base_image
from harness.environments.docker.catalogue import catalogue
from harness.environments.docker.engine import Engine
from harness.environments.docker.environment import DockerEnvironment
from harness.environments.docker.images import Images
from harness.environments.docker.posture import HOME, JOB, RESULT, WORKER, Posture
from harness.environments.docker.settings import DockerSettings
from harness.environments.pythons import find_python
from harness.plugins import registry

_NAME = "nvcr.io/nvidia/tensorrt:19.09-py3"
_VERSION = "6.0.1+19.09-py3"
_UUID = "GPU-01234567-89ab-cdef-0123-456789abcdef"
_LIMITS = Limits(seconds=60, memory_bytes=1 << 30, result_bytes=16 << 20)


@pytest.fixture
def local_ngc(docker_engine: Engine) -> Iterator[str]:
    """A base image of this machine under the name of an NGC image, unless the real one is here."""
    images = Images(docker_engine, DockerSettings(), lambda _line: None)
    if images.find(_NAME) is not None:
        pytest.skip("the real image is on this engine")
    python = find_python(((3, 6), (3, 6))) or find_python(None)
    assert python is not None
    made = images._import(base_image.collect(python))
    repository, _, tag = _NAME.rpartition(":")
    made.tag(repository, tag)
    try:
        yield _NAME
    finally:
        docker_engine.client.images.remove(_NAME)


def _job(folder: Path, device: str | None) -> Path:
    folder.mkdir()
    job = folder / "job.json"
    job.write_text(json.dumps({"cell": {"id": "the-cell"}, "device": device}))
    return job


def test_a_container_with_its_gpu_request_is_created_and_the_refused_start_says_why(
    docker_engine: Engine, local_ngc: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if docker_engine.gpu_runtime:
        pytest.skip("this engine has a GPU runtime")
    # A hook whose program is there, and which the engine cannot use: what it then says is its own.
    monkeypatch.setattr(Engine, "gpu_runtime", "hook")
    assert catalogue().resolve("tensorrt", local_ngc) == [_VERSION]
    said: list[str] = []
    environment = DockerEnvironment(DockerSettings(build=False))

    prepared = environment.prepare(registry.runtimes()["tensorrt"], _VERSION, said.append)
    result = tmp_path / "result"
    result.mkdir()
    job = _job(tmp_path / "job", _UUID)
    outcome = converse(prepared.start(job, [], result, _LIMITS), job, result)

    assert outcome.status == "failed"
    assert outcome.reason.startswith("the docker engine has no GPU runtime (could not select device driver")
    assert "nvidia-ctk runtime configure" in outcome.reason
    stored = json.loads((result / "container.json").read_text())
    assert stored["source"] == _NAME
    assert (stored["gpu"]["way"], stored["gpu"]["uuid"]) == ("runtime", _UUID)
    assert outcome.facts["gpu_access"] == stored["gpu"]
    assert stored["command"] == ["python3", "-m", "harness.worker", f"{JOB}/job.json", RESULT]
    assert stored["status"] == "failed"
    assert stored["digest"] == stored["image_id"]  # no registry ever saw this image
    _assert_host_config(stored["host_config"])
    _assert_differences_are_reported(prepared.facts, said)


def _assert_host_config(config: dict[str, Any]) -> None:
    """Compare every field that the harness sets, and those that would loosen what it sets."""
    (request,) = config["DeviceRequests"]
    assert request == {
        "Driver": "nvidia",
        "Count": 0,
        "DeviceIDs": [_UUID],
        "Capabilities": [["gpu"]],
        "Options": {},
    }
    tight = {
        "NetworkMode": "none",
        "CapDrop": ["ALL"],
        "CapAdd": None,
        "SecurityOpt": ["no-new-privileges:true"],
        "Privileged": False,
        "ReadonlyRootfs": True,
        "Memory": _LIMITS.memory_bytes,
        "MemorySwap": _LIMITS.memory_bytes,
        "PidsLimit": Posture().processes,
        "ShmSize": Posture().shared_memory_bytes,
        "Binds": None,
        "VolumesFrom": None,
        "PortBindings": None,
        "PublishAllPorts": False,
        "AutoRemove": False,
    }
    # Engines differ in whether nothing is null, an empty list or an empty table.
    assert {key: config.get(key) or tight[key] for key in tight} == tight
    assert config["PidMode"] == config["UTSMode"] == ""
    assert config["Devices"] in (None, [])
    assert config["RestartPolicy"]["Name"] in ("", "no")
    assert config["LogConfig"] == {"Type": "none", "Config": {}}
    assert set(config["Tmpfs"]) == {"/tmp", HOME}
    mounts = {m["Target"]: (m["Type"], m.get("ReadOnly", False)) for m in config["Mounts"]}
    assert mounts == {WORKER: ("bind", True), JOB: ("bind", True), RESULT: ("bind", False)}
    limits = {u["Name"]: (u["Soft"], u["Hard"]) for u in config["Ulimits"]}
    assert limits == {
        "memlock": (-1, -1),
        "stack": (64 << 20, 64 << 20),
        "core": (0, 0),
        "fsize": (_LIMITS.result_bytes + (1 << 20),) * 2,
    }


def _assert_differences_are_reported(facts: Any, said: list[str]) -> None:
    """The stand-in has a Python of this machine; the catalogue states none for 19.09, so nothing differs."""
    assert str(facts["python"]).startswith("3.")
    assert facts["image"] == _NAME
    assert facts["image_basis"] == "sibling"
    assert facts["catalogue_differences"] == []
    assert not any("pulling" in line or "building" in line for line in said)


def test_any_gpu_is_asked_for_where_a_job_names_none(
    docker_engine: Engine, local_ngc: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if docker_engine.gpu_runtime:
        pytest.skip("this engine has a GPU runtime")
    # A hook whose program is there, and which the engine cannot use: what it then says is its own.
    monkeypatch.setattr(Engine, "gpu_runtime", "hook")
    assert local_ngc == _NAME
    environment = DockerEnvironment(DockerSettings(build=False))
    prepared = environment.prepare(registry.runtimes()["tensorrt"], _VERSION, lambda _line: None)
    job, result = _job(tmp_path / "job", None), tmp_path / "result"
    result.mkdir()

    converse(prepared.start(job, [], result, _LIMITS), job, result)

    (request,) = json.loads((tmp_path / "result" / "container.json").read_text())["host_config"][
        "DeviceRequests"
    ]
    assert (request["Count"], request["DeviceIDs"] or []) == (1, [])
    assert request["Capabilities"] == [["gpu"]]
