"""What a container of ours may do, asserted on the engine's own record and from inside."""

from __future__ import annotations

import json
import threading
import time
from pathlib import Path
from typing import Any

from harness.environments.base import Limits
from harness.environments.docker.engine import Engine, EngineFacts
from harness.environments.docker.gpu_access import GpuAccess
from harness.environments.docker.labels import OWNER, owner
from harness.environments.docker.posture import (
    HOME,
    JOB,
    NOBODY,
    RESULT,
    WORKER,
    Folders,
    Posture,
    container_arguments,
    environment_inside,
    user_ids,
)
from tests.environments.confined import QUICK, container, run

_FACTS = EngineFacts("docker", "20.10", (1, 41))
_GPU = GpuAccess("runtime", "GPU-1234", runtime="hook")
_FOLDERS = Folders(Path("/w"), Path("/j"), Path("/r"))

# Waits until the test has looked, then tells what it sees.
_LOOK_AROUND = """
import json, os, socket, sys, time
import numpy
job, result = sys.argv[1:]
while not os.path.exists(os.path.join(result, "go-on")):
    time.sleep(0.05)
def writable(folder):
    try:
        with open(os.path.join(folder, "probe"), "w") as stream:
            stream.write("x")
        return True
    except OSError as error:
        return error.errno
def capabilities():
    with open("/proc/self/status") as stream:
        rows = dict(line.split(":", 1) for line in stream)
    return {k: rows[k].strip() for k in ("CapEff", "CapBnd", "CapPrm", "NoNewPrivs")}
said = {
    "user": [os.getuid(), os.getgid()], "capabilities": capabilities(),
    "interfaces": sorted(os.listdir("/sys/class/net")),
    "writable": {f: writable(f) for f in ("/", "/usr", os.path.dirname(job), result, "/tmp",
                                          os.environ["PYTHONPATH"].split(":")[0], os.environ["HOME"])},
    "tmp": os.statvfs("/tmp").f_blocks * os.statvfs("/tmp").f_frsize,
    "home": os.statvfs(os.environ["HOME"]).f_blocks * os.statvfs(os.environ["HOME"]).f_frsize,
    "shm": os.statvfs("/dev/shm").f_blocks * os.statvfs("/dev/shm").f_frsize,
    "numpy": numpy.__version__,
}
with open(os.path.join(result, "result.json"), "w") as stream:
    json.dump(said, stream)
print("seen")
"""


def test_a_running_container_is_confined_as_the_engine_and_the_worker_see_it(
    docker_engine: Engine, tmp_path: Path
) -> None:
    prepared = container(docker_engine, tmp_path, _LOOK_AROUND)
    seen: dict[str, Any] = {}
    ended = threading.Event()

    def inspect() -> None:
        until = time.monotonic() + 30
        while time.monotonic() < until and not seen and not ended.is_set():
            for found in docker_engine.client.containers.list(filters={"label": f"{OWNER}={owner()}"}):
                seen.update(found.attrs)
            time.sleep(0.05)
        (tmp_path / "result" / "go-on").touch()

    looking = threading.Thread(target=inspect)
    looking.start()
    outcome, result = run(prepared, tmp_path)
    ended.set()
    looking.join()

    assert (outcome.status, outcome.reason) == ("ok", "")
    _assert_confined(seen["HostConfig"])
    assert seen["Config"]["User"] == f"{NOBODY}:{NOBODY}" or seen["Config"]["User"] != "0:0"
    assert seen["Config"]["Entrypoint"] == ["python3"]
    assert seen["Config"]["Labels"]["io.trtmatrix.cell"] == "a-cell"
    assert seen["NetworkSettings"]["Networks"].keys() == {"none"}
    stored = json.loads((result / "container.json").read_text())
    _assert_confined(stored["host_config"])
    assert stored["digest"].startswith("sha256:")
    assert stored["gpu"] is None
    _assert_seen_inside(json.loads((result / "result.json").read_text()))
    assert (result / "worker.log").read_text() == "seen\n"


def _assert_confined(config: dict[str, Any]) -> None:
    assert config["NetworkMode"] == "none"
    assert config["CapDrop"] == ["ALL"]
    assert not config["CapAdd"]
    assert config["SecurityOpt"] == ["no-new-privileges:true"]
    assert config["Privileged"] is False
    assert config["ReadonlyRootfs"] is True
    assert config["Memory"] == config["MemorySwap"] == QUICK.memory_bytes
    assert config["PidsLimit"] == Posture().processes
    assert config["ShmSize"] == Posture().shared_memory_bytes
    assert config["LogConfig"]["Type"] == "none"
    assert config["IpcMode"] in ("private", "shareable", "")
    assert not config["Binds"]
    assert not config["Devices"]
    assert not config["DeviceRequests"]
    assert set(config["Tmpfs"]) == {"/tmp", HOME}
    assert all("nosuid" in v and "nodev" in v and "size=" in v for v in config["Tmpfs"].values())
    mounts = {m["Target"]: m.get("ReadOnly", False) for m in config["Mounts"]}
    assert mounts == {WORKER: True, JOB: True, RESULT: False}
    limits = {u["Name"]: (u["Soft"], u["Hard"]) for u in config["Ulimits"]}
    assert "memlock" not in limits
    assert limits["stack"] == (64 << 20, 64 << 20)
    assert limits["fsize"][1] == QUICK.result_bytes + (1 << 20)


def _assert_seen_inside(said: dict[str, Any]) -> None:
    assert said["user"][0] != 0
    assert said["capabilities"] == {
        "CapEff": "0" * 16,
        "CapBnd": "0" * 16,
        "CapPrm": "0" * 16,
        "NoNewPrivs": "1",
    }
    assert said["interfaces"] == ["lo"]
    read_only, permission = 30, 13
    writable = said["writable"]
    assert writable.pop(RESULT) is True
    assert writable.pop("/tmp") is True
    assert writable.pop(HOME) is True
    assert set(writable.values()) <= {read_only, permission}
    assert (said["tmp"], said["home"], said["shm"]) == (
        Posture().tmp_bytes,
        Posture().home_bytes,
        Posture().shared_memory_bytes,
    )
    assert said["numpy"] == "1.26.4"


def test_a_gpu_is_asked_for_by_uuid_through_a_device_request() -> None:
    arguments = container_arguments(_FACTS, Limits(), Posture(), _FOLDERS, _GPU)

    (request,) = arguments["device_requests"]
    assert request["DeviceIDs"] == ["GPU-1234"]
    assert request["Capabilities"] == [["gpu"]]
    assert request["Driver"] == "nvidia"
    assert request["Count"] == 0
    limits = {u["Name"]: (u["Soft"], u["Hard"]) for u in arguments["ulimits"]}
    assert limits["memlock"] == (-1, -1)
    assert "runtime" not in arguments


def test_an_engine_without_device_requests_gets_the_nvidia_runtime_and_its_variable() -> None:
    old = EngineFacts("docker", "18.09", (1, 39), runtimes=("nvidia", "runc"))

    arguments = container_arguments(old, Limits(), Posture(), _FOLDERS, _GPU)
    variables = environment_inside({}, {}, _GPU, old)

    assert arguments["runtime"] == "nvidia"
    assert "device_requests" not in arguments
    assert variables["NVIDIA_VISIBLE_DEVICES"] == "GPU-1234"
    assert variables["NVIDIA_DRIVER_CAPABILITIES"] == "compute,utility"


def test_the_python_path_of_an_image_stays_behind_ours() -> None:
    variables = environment_inside({"PYTHONPATH": "/opt/tensorrt/python"}, {"A": "1"}, None, _FACTS)

    assert variables["PYTHONPATH"] == f"{WORKER}:/opt/tensorrt/python"
    assert variables["A"] == "1"
    assert "NVIDIA_DRIVER_CAPABILITIES" not in variables


def test_podman_is_asked_for_no_owner_of_a_tmpfs_which_it_refuses() -> None:
    podman = EngineFacts("podman", "4.3.1", (1, 41))
    podmans = container_arguments(podman, Limits(), Posture(), _FOLDERS, None)["tmpfs"][HOME]
    dockers = container_arguments(_FACTS, Limits(), Posture(), _FOLDERS, None)["tmpfs"][HOME]

    assert "uid=" not in podmans
    assert podmans.endswith(",mode=1777")
    assert "uid=" in dockers
    assert dockers.endswith(",mode=0700")


def test_rootless_engines_map_the_user_so_that_results_can_be_written() -> None:
    rootless = EngineFacts("docker", "27.0", (1, 46), user_namespace="rootless")
    podman = EngineFacts("podman", "5.0", (1, 41), user_namespace="rootless")
    remapped = EngineFacts("docker", "27.0", (1, 46), user_namespace="remap")
    with_gpu = container_arguments(rootless, Limits(), Posture(), _FOLDERS, _GPU)

    assert "memlock" not in {u["Name"] for u in with_gpu["ulimits"]}  # a right that no such engine has
    assert user_ids(rootless) == (0, 0)
    assert container_arguments(podman, Limits(), Posture(), _FOLDERS, None)["userns_mode"] == "keep-id"
    assert container_arguments(remapped, Limits(), Posture(), _FOLDERS, None)["userns_mode"] == "host"
    assert "userns_mode" not in container_arguments(rootless, Limits(), Posture(), _FOLDERS, None)
