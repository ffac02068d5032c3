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
            "nvmlDeviceGetHandleByUUID": self._called,
        }
        for name, answer in answers.items():
            monkeypatch.setattr(pynvml, name, answer)

    def _opened(self, change: int) -> None:
        self.open += change

    def _called(self, uuid: str) -> str:
        known = {"GPU-a": "handle-0", "GPU-b": "handle-1"}
        if uuid not in known:
            raise pynvml.NVMLError(pynvml.NVML_ERROR_NOT_FOUND)
        return known[uuid]


def test_each_gpu_is_listed_with_what_decides_about_engines(monkeypatch: pytest.MonkeyPatch) -> None:
    driver = Driver(monkeypatch)
    both = {"memory_bytes": 80 << 30, "driver": "580.1", "processes": None, "persistence": None}
    assert machine.gpus() == [
        {"name": "NVIDIA H100", "uuid": "GPU-a", "compute_capability": "9.0", **both},
        {"name": "NVIDIA A10", "uuid": "GPU-b", "compute_capability": "8.6", **both},
    ]
    assert driver.open == 0


def test_what_a_gpu_does_already_is_told_where_its_driver_tells(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(_handle: str) -> int:
        raise pynvml.NVMLError(pynvml.NVML_ERROR_NOT_SUPPORTED)

    Driver(monkeypatch)
    running = {"handle-0": [object(), object()], "handle-1": []}
    monkeypatch.setattr(pynvml, "nvmlDeviceGetComputeRunningProcesses", running.__getitem__)
    monkeypatch.setattr(pynvml, "nvmlDeviceGetPersistenceMode", {"handle-0": 1, "handle-1": 0}.__getitem__)
    assert [(gpu["processes"], gpu["persistence"]) for gpu in machine.gpus()] == [(2, True), (0, False)]
    monkeypatch.setattr(pynvml, "nvmlDeviceGetPersistenceMode", refused)
    assert [(gpu["processes"], gpu["persistence"]) for gpu in machine.gpus()] == [(2, None), (0, None)]


def test_memory_is_that_of_the_gpu_of_this_name(monkeypatch: pytest.MonkeyPatch) -> None:
    driver = Driver(monkeypatch)
    memory = {
        "handle-0": SimpleNamespace(total=80 << 30, free=3 << 30),
        "handle-1": SimpleNamespace(total=24 << 30, free=5 << 30),
    }
    monkeypatch.setattr(pynvml, "nvmlDeviceGetMemoryInfo", memory.__getitem__)
    assert machine.free_gpu_memory("GPU-a") == (3 << 30, 80 << 30)
    assert machine.free_gpu_memory("GPU-b") == (5 << 30, 24 << 30)
    assert machine.free_gpu_memory("cpu") is None
    assert driver.open == 0, "closed, whether there is such a GPU or not"


def test_without_a_driver_no_memory_of_a_gpu_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> None:
        raise pynvml.NVMLError(pynvml.NVML_ERROR_LIBRARY_NOT_FOUND)

    driver = Driver(monkeypatch)
    monkeypatch.setattr(pynvml, "nvmlInit", fail)
    assert machine.free_gpu_memory("GPU-a") is None
    assert driver.open == 0, "what was not opened is not closed"


@pytest.mark.parametrize(
    ("said", "chosen"),
    [
        (None, "GPU-a"),
        ("1", "GPU-b"),
        (" 1 , 0", "GPU-b"),
        ("GPU-b", "GPU-b"),
        ("GPU-", "GPU-a"),
        ("2", None),
        ("2,0", None),
        ("", None),
        (",0", None),
        ("-1", None),
    ],
)
def test_the_gpu_to_measure_on_is_the_first_that_cuda_shows(
    monkeypatch: pytest.MonkeyPatch, said: str | None, chosen: str | None
) -> None:
    Driver(monkeypatch)
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    if said is not None:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", said)
    assert machine.chosen_gpu() == chosen
    monkeypatch.setattr(pynvml, "nvmlDeviceGetCount", lambda: 0)
    assert machine.chosen_gpu() is None


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
