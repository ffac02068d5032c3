"""What rows call the hosts: short where that tells them apart, with the GPU where models differ."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from harness.analysis.hosts import HostNames

ONE, TWO = "GPU-38793a65-1111-2222", "GPU-4b8f0000-1111-2222"


def names(compose: Any, **models: str) -> HostNames:
    """Return the names of hosts, underlines standing for dashes, each with the model of its GPU."""
    builds = [
        replace(compose.build(n, 1.0, host=host.replace("_", "-")), facts={"gpu": model})
        for n, (host, model) in enumerate(models.items())
    ]
    return HostNames.of(compose.run(compose.cell("1.0", builds[:1]), compose.cell("2.0", builds)))


def test_a_gpu_is_called_by_the_first_part_of_its_number(compose: Any) -> None:
    found = names(compose, **{ONE: "H100", TWO: "H100", "a_machine_of_mine": ""})
    assert found.names == {ONE: "GPU-38793a65", TWO: "GPU-4b8f0000", "a-machine-of-mine": "a-machine-of-mine"}
    assert found.models == {ONE: "H100", TWO: "H100"}
    assert not found.mixed


def test_where_the_first_parts_are_alike_hosts_are_called_in_full(compose: Any) -> None:
    other = ONE.replace("2222", "3333")
    found = names(compose, **{ONE: "H100", other: "H100", TWO: "H100"})
    assert found.names == {host: host for host in (ONE, other, TWO)}


@pytest.mark.parametrize(
    ("models", "label", "alone"),
    [(("H100", "H200"), "H100 GPU-38793a65", "H100"), (("H100", "H100"), "GPU-38793a65", "")],
)
def test_the_model_is_said_where_there_are_several(
    compose: Any, models: tuple[str, str], label: str, alone: str
) -> None:
    found = names(compose, **{ONE: models[0], TWO: models[1], "cpu": ""})
    assert found.mixed is bool(alone)
    assert found.label(ONE) == found.where(ONE, [ONE, TWO]) == label
    assert found.where(ONE, [ONE]) == alone
    assert (found.label("cpu"), found.where("cpu", ["cpu"])) == ("cpu", "")
    assert found.label("elsewhere") == "elsewhere"
