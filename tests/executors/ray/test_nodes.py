from __future__ import annotations

from typing import Any

import pytest

import harness
from harness.errors import BadOptionError, MissingPackageError
from harness.execution.fleet import GPU
from harness.executors.ray import executor
from harness.executors.ray.actor import surveyor
from harness.executors.ray.address import checked
from harness.executors.ray.executor import RayExecutor
from harness.executors.ray.nodes import demands, names, places_of, problem_of
from harness.executors.survey import code_digest, survey

SAID = {"version": harness.__version__, "code": code_digest(), "machine": "m-1", "gpus": [], "refusals": []}


def node(number: int, machine: str = "m", **resources: float) -> dict[str, Any]:
    return {"NodeID": str(number).ljust(56, "0"), "NodeManagerHostname": machine, "Resources": resources}


@pytest.mark.parametrize("address", ["auto", "10.0.0.1:6379", "ray://head.local:10001", "[::1]:6379"])
def test_addresses_are_those_of_ray(address: str) -> None:
    assert checked(address) == address
    assert checked(None) == "auto"


@pytest.mark.parametrize("address", ["", "head", "http://head:80", "head:99999", "ray://head", "local"])
def test_what_is_no_address_is_refused(address: str) -> None:
    with pytest.raises(BadOptionError, match="--address: expected auto, HOST:PORT or ray://HOST:PORT"):
        RayExecutor().check(address)


def test_without_the_extra_one_line_says_how_to_have_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(executor, "find_spec", lambda _name: None)
    with pytest.raises(MissingPackageError, match=r"pip install 'trtmatrix\[ray\]'"):
        RayExecutor().check(None)


def test_each_gpu_that_ray_counts_is_a_place_and_all_cpus_are_one() -> None:
    two = places_of(node(1, CPU=8, GPU=2), "m", {**SAID, "gpus": ["GPU-a", "GPU-b"]})
    assert [(place.kind, place.number, place.host.device) for place in two] == [
        (GPU, 0, "unknown"),
        (GPU, 1, "unknown"),
        ("cpu", 0, "cpu"),
    ]
    (one,) = places_of(node(1, GPU=1), "m", {**SAID, "gpus": ["GPU-a"]})
    assert (one.host.machine, one.host.device) == ("m-1", "GPU-a")
    assert places_of(node(1), "m", SAID) == []


def test_a_gpu_is_asked_of_ray_and_a_cpu_block_leaves_no_cpu_to_others() -> None:
    gpu, cpu = places_of(node(1, CPU=8, GPU=1), "m", SAID)
    assert demands(gpu, {"CPU": 8, "GPU": 1}) == {"num_gpus": 1, "num_cpus": 1}
    assert demands(gpu, {"GPU": 1}) == {"num_gpus": 1, "num_cpus": 0}
    assert demands(cpu, {"CPU": 8, "GPU": 1}) == {"num_gpus": 0, "num_cpus": 8}


def test_nodes_of_one_machine_are_told_apart() -> None:
    called = names([node(1, "a"), node(2, "b"), node(3, "b")])
    assert list(called.values()) == ["a", "b/200000", "b/300000"]


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ({"missing": "No module named 'harness'"}, "trtmatrix cannot be imported there"),
        ({**SAID, "version": "9.9"}, f"has trtmatrix 9.9, and this is {harness.__version__}"),
        ({**SAID, "code": "other"}, "too, with other code"),
    ],
)
def test_a_node_with_another_trtmatrix_is_left_out(said: dict[str, Any], words: str) -> None:
    assert words in str(problem_of(said))
    assert problem_of(SAID) is None


def test_a_node_says_what_cannot_run_there() -> None:
    needs = [("onnxruntime", "0.0.1", "current"), ("acme", "1", "current")]
    found = surveyor()(needs)
    assert found == survey(needs)
    (missing, unknown) = found["refusals"]
    assert missing[0] == needs[0]
    assert missing[1][0] in ("unavailable", "unsupported")
    assert unknown == [needs[1], ("unsupported", "nothing registered is called 'acme'")]
    assert problem_of(found) is None
