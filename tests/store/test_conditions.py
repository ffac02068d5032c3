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
    assert lines == [
        "the frequency governor of the CPUs is powersave; "
        "`cpupower frequency-set -g performance` keeps them at their highest",
        "the CPUs may go above their base clock (turbo), as far as heat and neighbours let them; "
        "`echo 1 > /sys/devices/system/cpu/intel_pstate/no_turbo` (Intel) or "
        "`echo 0 > /sys/devices/system/cpu/cpufreq/boost` keeps them from it",
        "other programs were running when it began (load 6.0); end them, or measure when they are done",
        "2 programs compute on H200 already; "
        "`nvidia-smi -i GPU-1` lists them; `CUDA_VISIBLE_DEVICES` names another GPU",
        "H200 is not in persistence mode and may be set up anew for each process; "
        "`nvidia-smi -i GPU-1 -pm 1`",
    ]
    taken = [one.line for one in of_neighbours(Neighbours(others=0.31, steal=0.02))]
    assert taken == [
        "other programs took 31 % of the time of all CPUs meanwhile; end them, or measure when they are done",
        "the hypervisor gave 2 % of the time of all CPUs to other guests; "
        "measure on a machine of its own, or when the others are quiet",
    ]


@pytest.mark.parametrize(
    ("gpu", "said"),
    [
        (
            Gpu(name="H200", processes=1),
            "1 program computes on H200 already; `nvidia-smi -i H200` lists them",
        ),
        (
            Gpu(uuid="GPU-1", processes=3),
            "3 programs compute on the GPU already; `nvidia-smi -i GPU-1` lists",
        ),
        (Gpu(processes=1), "1 program computes on the GPU already; `nvidia-smi -i 0` lists them"),
        (Gpu(persistence=False), "the GPU is not in persistence mode and may be set up anew"),
    ],
)
def test_a_gpu_is_called_by_what_is_known_of_it(gpu: Gpu, said: str) -> None:
    (line,) = [one.line for one in of_machine(Machine(gpus=(gpu,)))]
    assert line.startswith(said)


def test_each_gpu_of_a_machine_is_told_of() -> None:
    busy = Machine(gpus=(Gpu(name="a", processes=1), Gpu(name="b"), Gpu(name="c", persistence=False)))
    assert [one.what.split()[-1] for one in of_machine(busy)] == ["already", "process"]


def test_what_is_told_of_lies_above_the_bounds_and_not_on_them() -> None:
    """Half a program, a twentieth of the CPUs, a hundredth that was stolen."""
    assert list(of_machine(Machine(load_1_minute=0.5))) == []
    assert len(list(of_machine(Machine(load_1_minute=0.51)))) == 1
    assert list(of_neighbours(Neighbours(others=0.05, steal=0.01))) == []
    assert len(list(of_neighbours(Neighbours(others=0.051)))) == 1
    assert len(list(of_neighbours(Neighbours(steal=0.011)))) == 1


def test_governors_that_cannot_be_read_are_left_out(system: Path) -> None:
    """And each is named once, however many CPUs it drives."""
    (system / "cpu2" / "cpufreq" / "scaling_governor").mkdir(parents=True)
    more = system / "cpu3" / "cpufreq"
    more.mkdir(parents=True)
    (more / "scaling_governor").write_bytes(b"powersave\n")
    assert cpu_governor(system) == "performance, powersave"


def test_what_is_no_text_is_no_governor_that_is_known(tmp_path: Path) -> None:
    folder = tmp_path / "cpu0" / "cpufreq"
    folder.mkdir(parents=True)
    (folder / "scaling_governor").write_bytes(b"power\xff")
    assert cpu_governor(tmp_path) == "power\N{REPLACEMENT CHARACTER}"


def test_intel_s_own_switch_is_asked_before_the_common_one(tmp_path: Path) -> None:
    for name, content in (("intel_pstate/no_turbo", "1"), ("cpufreq/boost", "1")):
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).write_text(content, encoding="ascii")
    assert cpu_turbo(tmp_path) is False
