"""What has to hold before a container can run: driver, compute capability, engine, image."""

from __future__ import annotations

import pytest

from harness.environments.base import Check, availability_of
from harness.environments.docker.catalogue import catalogue
from harness.environments.docker.checks import docker_checks, driver_problem, gpu_checks
from harness.environments.docker.engine import Endpoint, Engine
from harness.environments.docker.recipes import Choice, Image
from harness.environments.docker.settings import DockerSettings
from harness.environments.gpus import Gpu, Host
from harness.plugins import registry

_IMAGE = Image(
    "repo:1", "8.5.0.12", driver="520", datacenter_branches="450.51+ 470.57+ 510.47+", python="3.8"
)
_T4 = Gpu("GPU-1", "Tesla T4", "7.5")
_H200 = Gpu("GPU-2", "NVIDIA H200", "9.0")
_RTX = Gpu("GPU-3", "NVIDIA GeForce RTX 3090", "8.6")


@pytest.mark.parametrize(
    ("driver", "data_centre", "fits"),
    [
        ("535.104.05", False, True),
        ("520", False, True),
        ("515.65.01", False, False),
        ("515.65.01", True, False),
        ("470.82.01", True, True),
        ("470.82.01", False, False),
        ("470.42.01", True, False),
        ("510.47.03", True, True),
    ],
)
def test_a_driver_is_new_enough_or_an_older_branch_on_a_data_centre_gpu(
    driver: str, data_centre: bool, fits: bool
) -> None:
    problem = driver_problem(driver, _IMAGE, data_centre=data_centre)

    assert (problem == "") is fits
    assert fits or problem.startswith(f"driver {driver} is older than 520")


def test_an_unknown_driver_need_forbids_nothing() -> None:
    assert driver_problem("390.1", Image("repo:1", "5.0.2"), data_centre=False) == ""


@pytest.mark.parametrize(
    ("version", "gpu", "state"),
    [
        ("6.0.1", _H200, "unsupported"),
        ("8.5.0.12", _H200, "ok"),
        ("8.4.1", _T4, "ok"),
        ("7.1.3", _RTX, "unsupported"),
        ("7.2.1", _RTX, "ok"),
    ],
)
def test_a_gpu_that_a_version_does_not_know_makes_it_unsupported(version: str, gpu: Gpu, state: str) -> None:
    checks = gpu_checks(Image("repo:1", version), Host("620.1", (gpu,)))

    assert availability_of(checks).state == state
    assert state == "ok" or gpu.compute_capability in availability_of(checks).reason


def test_an_old_driver_is_no_trait_of_the_machine_and_comes_with_a_remedy() -> None:
    found = availability_of(gpu_checks(_IMAGE, Host("515.65.01", (_RTX,))))

    assert found.state == "unavailable"
    assert found.remedy == "install driver 520 or newer"


def test_what_can_never_work_outweighs_what_is_missing_and_all_its_reasons_are_named() -> None:
    checks = [
        Check("a", "unavailable", "no engine", "start it"),
        Check("b", "unsupported", "too old", "take another"),
        Check("c", "unsupported", "too new"),
        Check("d", "unsupported", "too old", "take another"),
    ]

    found = availability_of(checks)

    assert (found.state, found.reason, found.remedy) == ("unsupported", "too old; too new", "take another")
    assert availability_of(checks[:1]).state == "unavailable"
    assert availability_of([Check("e", "ok", "fine")]).state == "ok"


def test_an_ngc_image_without_a_gpu_names_the_missing_gpu_and_no_way_to_it(
    docker_engine: Engine,
) -> None:
    runtime = registry.runtimes()["tensorrt"]
    choice = catalogue().choose("tensorrt", "6.0.1")

    checks = docker_checks(
        docker_engine, choice, runtime, "6.0.1", DockerSettings(), registry=False, host=Host()
    )

    assert [c.name for c in checks][:4] == ["engine", "files", "gpu", "image"]
    found = availability_of(checks)
    assert found.state == "unavailable"
    # What else is missing follows: an image of NGC may have no room on this machine's disk either.
    assert found.reason.split("; ")[0] == "this machine has no usable NVIDIA GPU"
    assert "no way to a GPU" not in found.reason


def test_an_engine_with_no_way_to_a_gpu_that_is_there_says_so_in_one_line(docker_engine: Engine) -> None:
    if docker_engine.gpu_runtime:
        pytest.skip("this engine has a GPU runtime")
    runtime = registry.runtimes()["tensorrt"]
    choice = catalogue().choose("tensorrt", "8.5.3")

    found = availability_of(
        docker_checks(
            docker_engine,
            choice,
            runtime,
            "8.5.3",
            DockerSettings(),
            registry=False,
            host=Host("560", (_H200,)),
        )
    )

    facts = docker_engine.facts
    assert found.state == "unavailable"
    assert found.reason.startswith(f"{facts.name} {facts.version} has no way to a GPU: no CDI")
    assert "no NVIDIA runtime or hook; no NVIDIA driver answers on this machine" in found.reason
    assert "\n" not in found.reason
    assert "nvidia-ctk" in found.remedy


def test_an_engine_on_another_machine_cannot_mount_our_folders(docker_engine: Engine) -> None:
    remote = Engine(docker_engine.client, Endpoint("tcp://10.0.0.1:2376", "DOCKER_HOST"), docker_engine.facts)
    runtime = registry.runtimes()["onnxruntime"]
    choice = catalogue().choose("onnxruntime", "1.22.1")

    found = availability_of(
        docker_checks(remote, choice, runtime, "1.22.1", DockerSettings(), registry=False)
    )

    assert found.state == "unavailable"
    assert "tcp://10.0.0.1:2376 is on another machine" in found.reason


def test_an_image_that_no_registry_has_is_unavailable_with_the_registry_named(
    docker_engine: Engine,
) -> None:
    recipe = catalogue().choose("tensorrt", "6.0.1").recipe
    # Nobody listens on port 1, so the engine's own answer is what is explained.
    choice = Choice(recipe, Image("localhost:1/team/trt:1", "6.0.1"))
    runtime = registry.runtimes()["tensorrt"]

    checks = docker_checks(
        docker_engine, choice, runtime, "6.0.1", DockerSettings(), registry=True, host=Host()
    )

    image = next(check for check in checks if check.name == "image")
    assert image.state == "unavailable"
    assert image.reason.startswith("localhost:1 cannot be reached for localhost:1/team/trt:1")
    assert "docker load" in image.reason
