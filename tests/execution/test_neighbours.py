"""What others took of the CPUs meanwhile, of a machine whose clocks are set by hand."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from harness.execution import neighbours
from harness.execution.neighbours import Watch
from harness.store.documents.machine import Neighbours


class Machine:
    """Clocks, in seconds: of the wall, of all CPUs by what they did, of this process and its children."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *cpu: str, count: int | None = 4) -> None:
        self.wall = 1000.0
        self.cpu = dict.fromkeys(cpu, 500.0)
        self.own = dict.fromkeys(("user", "system", "children_user", "children_system"), 50.0)
        system = SimpleNamespace(cpu_times=lambda: SimpleNamespace(**self.cpu), cpu_count=lambda: count)
        monkeypatch.setattr(neighbours, "psutil", system)
        monkeypatch.setattr(neighbours, "os", SimpleNamespace(times=lambda: SimpleNamespace(**self.own)))
        monkeypatch.setattr(neighbours, "time", SimpleNamespace(monotonic=lambda: self.wall))

    def passes(self, wall: float, own: dict[str, float] | None = None, **cpu: float) -> None:
        """Let *wall* seconds pass, in which CPUs and processes did as is said."""
        self.wall += wall
        for clocks, more in ((self.cpu, cpu), (self.own, own or {})):
            for name, seconds in more.items():
                clocks[name] += seconds


LINUX = ("user", "nice", "system", "irq", "softirq", "iowait", "idle", "steal")


@pytest.fixture
def linux(monkeypatch: pytest.MonkeyPatch) -> Machine:
    return Machine(monkeypatch, *LINUX)


def test_what_others_took_is_a_share_of_the_time_of_all_cpus(linux: Machine) -> None:
    watch = Watch(own=True)
    linux.passes(10.0, {"user": 2.0}, user=8.0, steal=1.0)
    assert watch.seen() == Neighbours(others=pytest.approx(6 / 40), steal=pytest.approx(1 / 40))
    linux.passes(10.0, user=2.0)
    assert watch.seen() == Neighbours(others=pytest.approx(8 / 80), steal=pytest.approx(1 / 80)), "since then"


@pytest.mark.parametrize("kind", ["user", "nice", "system", "irq", "softirq"])
def test_a_cpu_works_for_programs_and_for_the_system(linux: Machine, kind: str) -> None:
    watch = Watch(own=True)
    linux.passes(10.0, **{kind: 4.0})
    assert watch.seen() == Neighbours(others=pytest.approx(0.1), steal=0.0)


@pytest.mark.parametrize("kind", ["iowait", "idle"])
def test_a_cpu_that_waits_does_not_work(linux: Machine, kind: str) -> None:
    watch = Watch(own=True)
    linux.passes(10.0, **{kind: 4.0})
    assert watch.seen() == Neighbours(others=0.0, steal=0.0)


@pytest.mark.parametrize("whose", ["user", "system", "children_user", "children_system"])
def test_what_the_run_itself_took_is_nobody_else_s(linux: Machine, whose: str) -> None:
    watch = Watch(own=True)
    linux.passes(10.0, {whose: 3.0}, user=7.0)
    assert watch.seen().others == pytest.approx(4 / 40)


def test_clocks_that_disagree_are_no_share_below_zero(linux: Machine) -> None:
    """Each is read at a time of its own, and a clock of stolen time may run back."""
    watch = Watch(own=True)
    linux.passes(10.0, {"children_user": 5.0}, user=4.9, steal=-0.1)
    assert watch.seen() == Neighbours(others=0.0, steal=0.0)


def test_in_containers_only_the_hypervisor_s_part_can_be_told(linux: Machine) -> None:
    watch = Watch(own=False)
    linux.passes(10.0, user=8.0, steal=2.0)
    assert watch.seen() == Neighbours(others=None, steal=pytest.approx(0.05))


def test_a_system_that_does_not_tell_what_was_stolen_has_none(monkeypatch: pytest.MonkeyPatch) -> None:
    machine = Machine(monkeypatch, "user", "system", "idle", count=None)
    watch = Watch(own=True)
    machine.passes(10.0, user=2.0, system=1.0)
    assert watch.seen() == Neighbours(others=pytest.approx(0.3), steal=None), "one CPU where none is counted"


def test_nothing_is_told_of_no_time(linux: Machine) -> None:
    watch = Watch(own=True)
    linux.passes(0.0, user=1.0, steal=1.0)
    assert watch.seen() == Neighbours()


def test_of_a_moment_that_much_is_told_too(linux: Machine) -> None:
    watch = Watch(own=True)
    more: dict[str, Any] = {"user": 0.1}
    linux.passes(0.25, **more)
    assert watch.seen().others == pytest.approx(0.1)
