"""What is said of a machine, from files as systems have them and a driver that answers as NVML does."""

from __future__ import annotations

import json
import os
import platform
import re
from pathlib import Path
from types import SimpleNamespace

import pynvml
import pytest

from harness.store import machine
from harness.store.documents.base import as_json
from harness.store.documents.machine import Gpu, Machine


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that stands for the root of the file system."""
    monkeypatch.setattr(machine, "Path", lambda name: tmp_path / str(name).lstrip("/"))
    return tmp_path


def put(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def test_a_processor_is_called_what_it_calls_itself(root: Path) -> None:
    put(root / "proc/cpuinfo", b"processor\t: 0\nmodel name\t: Fast\xff CPU: 3 GHz \nmodel name\t: other\n")
    assert machine.cpu_model() == "Fast\N{REPLACEMENT CHARACTER} CPU: 3 GHz"


@pytest.mark.parametrize("content", [None, b"processor\t: 0\nCPU part\t: 0xd0c\n"])
def test_a_processor_without_a_name_is_its_architecture(
    root: Path, monkeypatch: pytest.MonkeyPatch, content: bytes | None
) -> None:
    if content is not None:
        put(root / "proc/cpuinfo", content)
    monkeypatch.setattr(platform, "processor", lambda: "")
    monkeypatch.setattr(platform, "machine", lambda: "aarch64")
    assert machine.cpu_model() == "aarch64"
    monkeypatch.setattr(platform, "processor", lambda: "Intel64 Family 6")
    assert machine.cpu_model() == "Intel64 Family 6"


def test_an_installation_has_one_id_that_does_not_tell_what_it_is(root: Path) -> None:
    put(root / "etc/machine-id", b"0123456789abcdef\n")
    found = machine.machine_id()
    assert re.fullmatch("[0-9a-f]{12}", found)
    assert found not in "0123456789abcdef"
    put(root / "etc/machine-id", b"0123456789abcdef")
    assert machine.machine_id() == found
    put(root / "etc/machine-id", b"another")
    assert machine.machine_id() != found


@pytest.mark.parametrize("first", [None, b" \n", b"\xff\xfe"])
def test_where_the_first_file_says_nothing_the_second_is_asked(root: Path, first: bytes | None) -> None:
    put(root / "etc/machine-id", b"0123456789abcdef\n")
    expected = machine.machine_id()
    (root / "etc/machine-id").unlink()
    if first is not None:
        put(root / "etc/machine-id", first)
    put(root / "var/lib/dbus/machine-id", b"0123456789abcdef\n")
    assert machine.machine_id() == expected


@pytest.mark.usefixtures("root")
def test_a_system_without_an_id_is_known_by_its_name_and_processor(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(platform, "node", lambda: "one")
    found = machine.machine_id()
    assert re.fullmatch("[0-9a-f]{12}", found)
    assert machine.machine_id() == found
    monkeypatch.setattr(platform, "node", lambda: "two")
    assert machine.machine_id() != found


def test_the_host_is_its_name_and_its_id(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "machine_id", lambda: "abc")
    monkeypatch.setattr(platform, "node", lambda: "lab-3")
    assert machine.host_name() == "lab-3-abc"
    monkeypatch.setattr(platform, "node", lambda: "")
    assert machine.host_name() == "host-abc"


class Driver:
    """NVML with two GPUs: the calls, and what they answer."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.open = 0
        answers = {
            "nvmlInit": lambda: self._opened(1),
            "nvmlShutdown": lambda: self._opened(-1),
            "nvmlDeviceGetCount": lambda: 2,
            "nvmlDeviceGetHandleByIndex": lambda index: f"handle-{index}",
            "nvmlDeviceGetCudaComputeCapability": {"handle-0": (9, 0), "handle-1": (8, 6)}.__getitem__,
            "nvmlDeviceGetName": {"handle-0": "NVIDIA H100", "handle-1": "NVIDIA A10"}.__getitem__,
            "nvmlDeviceGetUUID": {"handle-0": "GPU-a", "handle-1": "GPU-b"}.__getitem__,
            "nvmlDeviceGetMemoryInfo": lambda _handle: SimpleNamespace(total=80 << 30, free=1),
            "nvmlSystemGetDriverVersion": lambda: "580.1",
        }
        for name, answer in answers.items():
            monkeypatch.setattr(pynvml, name, answer)

    def _opened(self, change: int) -> None:
        self.open += change


def test_each_gpu_is_listed_with_what_decides_about_engines(monkeypatch: pytest.MonkeyPatch) -> None:
    driver = Driver(monkeypatch)
    both = {"memory_bytes": 80 << 30, "driver": "580.1", "processes": None, "persistence": None}
    assert machine.gpus() == [
        {"name": "NVIDIA H100", "uuid": "GPU-a", "compute_capability": "9.0", **both},
        {"name": "NVIDIA A10", "uuid": "GPU-b", "compute_capability": "8.6", **both},
    ]
    assert driver.open == 0


def test_a_driver_that_fails_is_closed_and_one_that_is_not_there_has_no_gpus(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    driver = Driver(monkeypatch)

    def fail(*_handle: object) -> None:
        raise pynvml.NVMLError(pynvml.NVML_ERROR_UNKNOWN)

    monkeypatch.setattr(pynvml, "nvmlDeviceGetUUID", fail)
    with pytest.raises(pynvml.NVMLError):
        machine.gpus()
    assert driver.open == 0
    monkeypatch.setattr(pynvml, "nvmlInit", fail)
    assert machine.gpus() == []
    assert driver.open == 0


def test_the_facts_of_a_machine_are_json_and_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    Driver(monkeypatch)
    found = json.loads(json.dumps(as_json(machine.machine_facts())))
    assert found["host"] == machine.host_name()
    assert (found["system"], found["kernel"]) == (platform.system(), platform.release())
    assert (found["architecture"], found["python"]) == (platform.machine(), platform.python_version())
    assert (found["cpu"], found["cpus"]) == (machine.cpu_model(), os.cpu_count())
    assert found["memory_bytes"] > 2**20
    assert found["load_1_minute"] >= 0
    assert [gpu["uuid"] for gpu in found["gpus"]] == ["GPU-a", "GPU-b"]


def test_a_machine_of_which_nothing_is_known_has_no_gpus_either() -> None:
    assert Machine().gpus == ()
    assert Machine().facts() == {}
    known = Machine(host="h", cpus=2, gpus=(Gpu(name="A10"),))
    assert known.facts() == {"host": "h", "cpus": 2}
