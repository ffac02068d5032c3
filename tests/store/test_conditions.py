"""What of a machine makes times scatter: told where it is known, with what to do about it."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.store.conditions import cpu_governor, cpu_turbo, of_machine, of_neighbours
from harness.store.documents.machine import Gpu, Machine, Neighbours


@pytest.fixture
def system(tmp_path: Path) -> Path:
    for number, governor in enumerate(("powersave", "performance")):
        folder = tmp_path / f"cpu{number}" / "cpufreq"
        folder.mkdir(parents=True)
        (folder / "scaling_governor").write_text(governor + "\n")
    return tmp_path


def test_governors_are_read_where_the_system_names_them(system: Path, tmp_path: Path) -> None:
    assert cpu_governor(system) == "performance, powersave"
    assert cpu_governor(tmp_path / "nothing") is None


@pytest.mark.parametrize(
    ("name", "content", "turbo"),
    [
        ("intel_pstate/no_turbo", "0", True),
        ("intel_pstate/no_turbo", "1", False),
        ("cpufreq/boost", "1", True),
        ("cpufreq/boost", "0", False),
        ("cpufreq/boost", "maybe", None),
        ("other", "1", None),
    ],
)
def test_turbo_is_known_where_the_system_tells(
    tmp_path: Path, name: str, content: str, turbo: bool | None
) -> None:
    path = tmp_path / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content + "\n")
    assert cpu_turbo(tmp_path) is turbo


def test_nothing_is_said_of_what_is_not_known_or_as_it_should_be() -> None:
    assert list(of_machine(Machine(gpus=(Gpu(name="H200"),)))) == []
    gpu = Gpu(name="H200", processes=0, persistence=True)
    quiet = Machine(cpu_governor="performance", cpu_turbo=False, load_1_minute=0.2, gpus=(gpu,))
    assert list(of_machine(quiet)) == []
    assert list(of_neighbours(None)) == []
    assert list(of_neighbours(Neighbours())) == []
    assert list(of_neighbours(Neighbours(others=0.04, steal=0.009))) == []


def test_each_condition_is_said_with_its_remedy() -> None:
    gpu = Gpu(name="H200", uuid="GPU-1", processes=2, persistence=False)
    busy = Machine(cpu_governor="powersave", cpu_turbo=True, load_1_minute=6.0, gpus=(gpu,))
    lines = [one.line for one in of_machine(busy)]
    assert [line.partition(";")[0] for line in lines] == [
        "the frequency governor of the CPUs is powersave",
        "the CPUs may go above their base clock (turbo), as far as heat and neighbours let them",
        "other programs were running when it began (load 6.0)",
        "2 programs compute on H200 already",
        "H200 is not in persistence mode and may be set up anew for each process",
    ]
    assert "`cpupower frequency-set -g performance`" in lines[0]
    assert "`nvidia-smi -i GPU-1 -pm 1`" in lines[4]
    taken = [one.line for one in of_neighbours(Neighbours(others=0.31, steal=0.02))]
    assert "31 % of the time of all CPUs" in taken[0]
    assert "2 % of the time of all CPUs to other guests" in taken[1]
