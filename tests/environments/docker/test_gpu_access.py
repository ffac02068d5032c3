"""The way of one GPU into a container: which is taken, what it brings in, what is said where none."""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.environments.base import Limits
from harness.environments.docker import cdi, driver, gpu_access, loader_cache
from harness.environments.docker.driver import Driver
from harness.environments.docker.engine import Engine, EngineFacts
from harness.environments.docker.gpu_access import DRIVER, GpuAccess, Offer
from harness.environments.docker.posture import (
    NOBODY,
    RESULT,
    Folders,
    Posture,
    container_arguments,
    environment_inside,
)
from tests.environments.confined import container, run

_UUID, _OTHER = "GPU-aaaa-1", "GPU-bbbb-2"
_VERSION = "580.95.05"
_OLD = EngineFacts("docker", "20.10", (1, 41))
_NEW = EngineFacts("docker", "28.2", (1, 50), cdi_folders=("/etc/cdi",))
_FOLDERS = Folders(Path("/w"), Path("/j"), Path("/r"))

_YAML = f"""cdiVersion: 0.5.0
kind: nvidia.com/gpu
containerEdits:
  deviceNodes:
  - path: /dev/nvidiactl
devices:
- containerEdits:
    deviceNodes:
    - path: /dev/nvidia0
  name: "0"
- name: {_UUID}
  containerEdits:
    deviceNodes:
    - path: /dev/nvidia0
"""


def _device(path: Path, mode: int = 0o666) -> None:
    """Make a harmless node, the null device, under the name of a GPU's."""
    try:
        os.mknod(path, stat.S_IFCHR | mode, os.makedev(1, 3))
    except PermissionError:
        pytest.skip("device nodes cannot be made by this user")
    path.chmod(mode)


def _library(folder: Path, name: str, version: str = _VERSION, content: bytes = b"x") -> dict[str, Path]:
    """Make a library as a driver's package does, and return what the loader's cache says of it."""
    folder.mkdir(exist_ok=True)
    real = folder / f"{name}.so.{version}"
    real.write_bytes(content)
    soname = folder / f"{name}.so.1"
    soname.unlink(missing_ok=True)
    soname.symlink_to(real.name)
    return {soname.name: soname}


@pytest.fixture
def host(tmp_path: Path) -> Driver:
    """A machine with two GPUs, the second one's node first, and a driver."""
    devices = tmp_path / "dev"
    devices.mkdir()
    for name in ("nvidia0", "nvidia1", "nvidiactl", "nvidia-uvm", "nvidia-uvm-tools"):
        _device(devices / name)
    cache: dict[str, Path] = {}
    for name in ("libcuda", "libnvidia-ml", "libnvidia-ptxjitcompiler", "libnvidia-nvvm", "libnvidia-glcore"):
        cache |= _library(tmp_path / "lib", name)
    return Driver(_VERSION, {_UUID: 1, _OTHER: 0}, cache, devices)


def _offer(facts: EngineFacts, found: Driver, **changes: Any) -> Offer:
    values: dict[str, Any] = {"cdi_devices": (), "runtime": "", "local": True, "user": NOBODY, **changes}
    return Offer(facts, driver=found, **values)


def test_cdi_comes_before_the_runtime_and_the_runtime_before_the_explicit_way(host: Driver) -> None:
    named = (f"{cdi.KIND}=0", f"{cdi.KIND}={_UUID}")

    everything, _ = gpu_access.gpu_access(_offer(_NEW, host, cdi_devices=named, runtime="hook"), _UUID)
    without_cdi, _ = gpu_access.gpu_access(_offer(_NEW, host, runtime="hook"), _UUID)
    neither, _ = gpu_access.gpu_access(_offer(_OLD, host), _UUID)

    assert everything is not None
    assert everything.said == f"by CDI, as nvidia.com/gpu={_UUID}"
    assert without_cdi is not None
    assert without_cdi.said == "by the engine's hook"
    assert neither is not None
    assert neither.said == (
        "explicitly: /dev/nvidia1, /dev/nvidiactl, /dev/nvidia-uvm, /dev/nvidia-uvm-tools and 4 libraries of "
        f"driver {_VERSION}"
    )


def test_a_cdi_device_that_is_named_by_a_number_alone_is_not_taken_for_a_gpu(host: Driver) -> None:
    found, _ = gpu_access.gpu_access(
        _offer(_NEW, host, cdi_devices=(f"{cdi.KIND}=0", f"{cdi.KIND}=all")), _UUID
    )

    assert found is not None
    assert found.way == "explicit"


def test_a_job_without_a_gpu_of_its_own_gets_one_and_only_one(host: Driver) -> None:
    found, _ = gpu_access.gpu_access(_offer(_OLD, host), "")

    assert found is not None
    assert found.uuid == _UUID
    assert [name for name in found.nodes if name[6:].isdigit()] == ["nvidia1"]


def _none(offer: Offer, uuid: str = _UUID) -> str:
    found, problem = gpu_access.gpu_access(offer, uuid)
    assert found is None
    assert "\n" not in problem
    return problem.partition("no way to a GPU: ")[2]


def test_an_engine_with_none_of_the_three_ways_says_of_each_why(host: Driver) -> None:
    assert _none(_offer(_OLD, Driver())) == (
        "no CDI; no NVIDIA runtime or hook; no NVIDIA driver answers on this machine"
    )
    assert _none(_offer(_NEW, Driver())).startswith(f"no CDI specification names nvidia.com/gpu={_UUID}; ")
    assert _none(_offer(_OLD, host), "GPU-gone").endswith("; NVML knows no GPU GPU-gone")
    assert _none(_offer(_OLD, host, local=False)).endswith(
        "it is not on this machine, whose device nodes could be handed in"
    )


def test_podman_takes_cdi_devices_from_5_4_on_and_never_a_runtime(host: Driver) -> None:
    named = {"cdi_devices": (f"{cdi.KIND}={_UUID}",)}
    old = EngineFacts("podman", "4.3.1", (1, 41))
    new = EngineFacts("podman", "5.4.0", (1, 41))

    assert gpu_access.cdi_folders(old) == ()
    assert gpu_access.cdi_folders(new) == ("/etc/cdi", "/var/run/cdi")
    assert "no NVIDIA runtime" in _none(_offer(old, Driver(), runtime="nvidia runtime"))
    found, _ = gpu_access.gpu_access(_offer(new, host, **named), _UUID)
    assert found is not None
    assert found.way == "cdi"


@pytest.mark.parametrize("name", ["nvidia1", "nvidiactl", "nvidia-uvm"])
def test_a_node_that_is_missing_closed_or_no_device_is_named(host: Driver, name: str) -> None:
    path = host.devices / name
    path.chmod(0o660)
    assert f"{path} may not be read and written by user {NOBODY}" in _none(_offer(_OLD, host))
    path.unlink()
    assert f"{path}: no such file or directory" in _none(_offer(_OLD, host))
    path.touch()
    assert f"{path} is no device" in _none(_offer(_OLD, host))


def test_tools_of_profilers_may_be_missing(host: Driver) -> None:
    (host.devices / "nvidia-uvm-tools").unlink()

    found, _ = gpu_access.gpu_access(_offer(_OLD, host), _UUID)

    assert found is not None
    assert list(found.nodes) == ["nvidia1", "nvidiactl", "nvidia-uvm"]


def test_only_libraries_of_the_driver_that_nvml_states_are_taken(host: Driver, tmp_path: Path) -> None:
    compat = _library(tmp_path / "compat", "libcuda", "610.1")
    found, problem = driver.libraries(host)
    other, missing = driver.libraries(Driver(_VERSION, host.minors, {**host.cache, **compat}, host.devices))

    assert problem == ""
    assert sorted(found) == [
        "libcuda.so.1",
        f"libcuda.so.{_VERSION}",
        "libnvidia-ml.so.1",
        f"libnvidia-ml.so.{_VERSION}",
        "libnvidia-nvvm.so.1",
        f"libnvidia-nvvm.so.{_VERSION}",
        "libnvidia-ptxjitcompiler.so.1",
        f"libnvidia-ptxjitcompiler.so.{_VERSION}",
    ]
    assert all(path.name.endswith(f".so.{_VERSION}") and not path.is_symlink() for path in found.values())
    assert (other, missing) == ({}, f"the loader's cache (ldconfig -p) names no libcuda.so.{_VERSION}")


def test_the_loader_s_words_are_read_and_32_bit_libraries_left() -> None:
    text = (
        "3 libs found in cache `/etc/ld.so.cache'\n"
        "\tlibcuda.so.1 (libc6) => /usr/lib/i386-linux-gnu/libcuda.so.1\n"
        "\tlibcuda.so.1 (libc6,x86-64) => /usr/local/nvidia/lib64/libcuda.so.1\n"
        "\tlibcuda.so.1 (libc6,x86-64) => /usr/lib/x86_64-linux-gnu/libcuda.so.1\n"
        "\tlibz.so.1 (libc6,x86-64, OS ABI: Linux 3.2.0) => /lib/x86_64-linux-gnu/libz.so.1\n"
        "Cache generated by: ldconfig (GNU libc) stable release version 2.36\n"
    )

    assert loader_cache.parse(text) == {
        "libcuda.so.1": Path("/usr/local/nvidia/lib64/libcuda.so.1"),
        "libz.so.1": Path("/lib/x86_64-linux-gnu/libz.so.1"),
    }


@pytest.mark.parametrize(
    "text",
    [
        _YAML,
        json.dumps({"cdiVersion": "0.5.0", "kind": cdi.KIND, "devices": [{"name": "0"}, {"name": _UUID}]}),
        json.dumps({"devices": [{"name": "0"}, {"name": _UUID}], "kind": cdi.KIND}, indent=2),
    ],
)
def test_specifications_name_their_gpus_in_yaml_and_json(text: str, tmp_path: Path) -> None:
    (tmp_path / "nvidia.yaml").write_text(text)
    (tmp_path / "notes.txt").write_text(text.replace(_UUID, _OTHER))

    assert cdi.gpu_names(text) == ["0", _UUID]
    assert cdi.devices([str(tmp_path), str(tmp_path / "none")]) == (f"{cdi.KIND}=0", f"{cdi.KIND}={_UUID}")
    assert cdi.gpu_names(text.replace(cdi.KIND, "vendor.com/net")) == []


@given(st.lists(st.from_regex(r"\AGPU-[0-9a-f]{8}\Z"), unique=True), st.sampled_from([None, 1]))
def test_every_name_of_a_json_specification_is_read_in_its_order(
    names: list[str], indent: int | None
) -> None:
    edits = {"deviceNodes": [{"path": "/dev/nvidia0"}]}
    said = {"kind": cdi.KIND, "devices": [{"name": name, "containerEdits": edits} for name in names]}

    assert cdi.gpu_names(json.dumps(said, indent=indent)) == names


def _arguments(access: GpuAccess, facts: EngineFacts) -> tuple[dict[str, Any], Mapping[str, str]]:
    image = {"LD_LIBRARY_PATH": "/usr/local/cuda/lib64"}
    made = container_arguments(facts, Limits(), Posture(), _FOLDERS, access)
    return made, environment_inside(image, {}, access, facts)


def test_a_cdi_device_is_asked_for_by_its_full_name_and_no_hook_adds_another() -> None:
    made, variables = _arguments(GpuAccess("cdi", _UUID, device=f"{cdi.KIND}={_UUID}"), _NEW)

    (request,) = made["device_requests"]
    assert (request["Driver"], request["DeviceIDs"]) == ("cdi", [f"{cdi.KIND}={_UUID}"])
    assert variables["NVIDIA_VISIBLE_DEVICES"] == "void"
    assert "LD_LIBRARY_PATH" not in variables
    assert "devices" not in made


def test_the_explicit_way_puts_the_driver_before_the_image_s_libraries(host: Driver) -> None:
    access, _ = gpu_access.gpu_access(_offer(_OLD, host), _UUID)
    assert access is not None

    made, variables = _arguments(access, _OLD)

    assert made["devices"][0] == f"{host.devices / 'nvidia1'}:/dev/nvidia1:rw"
    assert "device_requests" not in made
    assert "runtime" not in made
    driver_mounts = [m for m in made["mounts"] if m["Target"].startswith(DRIVER)]
    assert len(driver_mounts) == 8
    assert all(m["ReadOnly"] for m in driver_mounts)
    assert variables["LD_LIBRARY_PATH"] == f"{DRIVER}:/usr/local/cuda/lib64"
    assert variables["NVIDIA_VISIBLE_DEVICES"] == "void"


# Tells what of GPUs and their driver a worker sees, and whether a library is found by its name alone.
_LOOK = """
import ctypes, json, os, sys
folder = os.environ["LD_LIBRARY_PATH"].split(":")[0]
def may(path, mode):
    try:
        with open(path, mode) as stream:
            stream.write("x") if "w" in mode or "a" in mode else stream.read(1)
        return True
    except OSError as error:
        return error.errno
with open("/proc/self/status") as stream:
    rows = dict(line.split(":", 1) for line in stream)
said = {
    "nodes": sorted(n for n in os.listdir("/dev") if n.startswith("nvidia")),
    "usable": {n: may("/dev/" + n, "rb") for n in ("nvidia1", "nvidiactl", "nvidia-uvm")},
    "written": may("/dev/nvidia1", "w"),
    "libraries": sorted(os.listdir(folder)),
    "changed": may(os.path.join(folder, "libcuda.so.1"), "a"),
    "loaded": ctypes.CDLL("libcuda.so.1").zlibVersion is not None,
    "user": os.getuid(), "capabilities": rows["CapEff"].strip(), "privileges": rows["NoNewPrivs"].strip(),
    "interfaces": os.listdir("/sys/class/net"),
}
with open(os.path.join(sys.argv[2], "result.json"), "w") as stream:
    json.dump(said, stream)
"""


def test_a_running_container_sees_one_gpu_its_driver_and_keeps_its_posture(
    docker_engine: Engine, host: Driver, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if docker_engine.gpu_runtime:
        pytest.skip("this engine has a GPU runtime, which comes first")
    zlib = loader_cache.read()["libz.so.1"].read_bytes()  # a library that loads anywhere
    (tmp_path / "lib" / f"libcuda.so.{_VERSION}").write_bytes(zlib)
    monkeypatch.setattr(driver, "read", lambda: host)

    prepared = container(docker_engine, tmp_path, _LOOK)
    outcome, result = run(prepared, tmp_path, gpu=True)

    assert (outcome.status, outcome.reason) == ("ok", "")
    stored = json.loads((result / "container.json").read_text())
    assert stored["gpu"]["way"] == "explicit"
    assert stored["gpu"]["uuid"] == _UUID
    assert outcome.facts["gpu_access"] == stored["gpu"]
    _assert_posture(stored["host_config"], host)
    lifted = "memlock" in {u["Name"] for u in stored["host_config"]["Ulimits"]}
    assert stored["gpu"]["locked_memory"] == ("unlimited" if lifted else "limit of the engine")
    said = json.loads((result / "result.json").read_text())
    assert said["nodes"] == ["nvidia-uvm", "nvidia-uvm-tools", "nvidia1", "nvidiactl"]  # and no nvidia0
    assert set(said["usable"].values()) == {True}
    assert said["written"] is True
    assert "libcuda.so.1" in said["libraries"]
    assert not any("glcore" in name for name in said["libraries"])
    assert said["changed"] in (13, 30)
    assert said["loaded"] is True
    assert (said["user"], said["capabilities"], said["privileges"]) == (NOBODY, "0" * 16, "1")
    assert said["interfaces"] == ["lo"]


def _assert_posture(config: dict[str, Any], host: Driver) -> None:
    devices = {d["PathInContainer"]: d for d in config["Devices"]}
    assert set(devices) == {"/dev/nvidia1", "/dev/nvidiactl", "/dev/nvidia-uvm", "/dev/nvidia-uvm-tools"}
    assert devices["/dev/nvidia1"]["PathOnHost"] == str(host.devices / "nvidia1")
    assert {d["CgroupPermissions"] for d in devices.values()} == {"rw"}
    assert [m["Target"] for m in config["Mounts"] if not m.get("ReadOnly")] == [RESULT]
    assert config["Privileged"] is False
    assert config["CapDrop"] == ["ALL"]
    assert config["ReadonlyRootfs"] is True
    assert config["NetworkMode"] == "none"
    assert config["SecurityOpt"] == ["no-new-privileges:true"]
    assert not config["DeviceRequests"]
