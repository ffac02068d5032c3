"""What of a machine makes times scatter or changes them, with what to do about it: said, never changed here.

Nothing is guessed: what a system does not tell is not said.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from harness.written import number_of

if TYPE_CHECKING:
    from harness.store.documents.machine import Gpu, Machine, Neighbours

BUSY = 0.5
"""Load from which other programs are told of."""

OTHERS = 0.05
"""Share of the time of all CPUs from which that of other programs is told of."""

STEAL = 0.01
"""The same of what a hypervisor gave to other guests."""

_SYSTEM = Path("/sys/devices/system/cpu")
_NO_TURBO, _BOOST = "intel_pstate/no_turbo", "cpufreq/boost"


@dataclass(frozen=True)
class Condition:
    """One thing that makes times scatter.

    :param what: it is; :param remedy: what to do about it
    """

    what: str
    remedy: str

    @property
    def line(self) -> str:
        """Both in one line."""
        return f"{self.what}; {self.remedy}"


def cpu_governor(system: Path = _SYSTEM) -> str | None:
    """Return the frequency governors of the CPUs, None where the system names none."""
    found = {text for path in system.glob("cpu[0-9]*/cpufreq/scaling_governor") if (text := _read(path))}
    return ", ".join(sorted(found)) or None


def cpu_turbo(system: Path = _SYSTEM) -> bool | None:
    """Say whether CPUs may go above their base clock, None where the system does not tell."""
    no_turbo, boost = _read(system / _NO_TURBO), _read(system / _BOOST)
    if no_turbo in ("0", "1"):
        return no_turbo == "0"
    return boost == "1" if boost in ("0", "1") else None


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii", errors="replace").strip()
    except OSError:
        return ""


def of_machine(machine: Machine) -> Iterator[Condition]:
    """Yield what is told of *machine* as it was when a run began."""
    if machine.cpu_governor not in (None, "performance"):
        yield Condition(
            f"the frequency governor of the CPUs is {machine.cpu_governor}",
            "`cpupower frequency-set -g performance` keeps them at their highest",
        )
    if machine.cpu_turbo:
        yield Condition(
            "the CPUs may go above their base clock (turbo), as far as heat and neighbours let them",
            f"`echo 1 > {_SYSTEM}/{_NO_TURBO}` (Intel) or `echo 0 > {_SYSTEM}/{_BOOST}` keeps them from it",
        )
    if machine.load_1_minute is not None and machine.load_1_minute > BUSY:
        yield Condition(
            f"other programs were running when it began (load {machine.load_1_minute:.1f})",
            "end them, or measure when they are done",
        )
    for gpu in machine.gpus:
        yield from _of_gpu(gpu)


def _of_gpu(gpu: Gpu) -> Iterator[Condition]:
    which = gpu.uuid or gpu.name or "0"
    if gpu.processes:
        programs = number_of(gpu.processes, "program computes", "programs compute")
        yield Condition(
            f"{programs} on {gpu.name or 'the GPU'} already",
            f"`nvidia-smi -i {which}` lists them; `CUDA_VISIBLE_DEVICES` names another GPU",
        )
    if gpu.persistence is False:
        yield Condition(
            f"{gpu.name or 'the GPU'} is not in persistence mode and may be set up anew for each process",
            f"`nvidia-smi -i {which} -pm 1`",
        )


def of_neighbours(neighbours: Neighbours | None) -> Iterator[Condition]:
    """Yield what is told of the time that others took while a run lasted."""
    if neighbours is None:
        return
    if neighbours.others is not None and neighbours.others > OTHERS:
        yield Condition(
            f"other programs took {100 * neighbours.others:.0f} % of the time of all CPUs meanwhile",
            "end them, or measure when they are done",
        )
    if neighbours.steal is not None and neighbours.steal > STEAL:
        yield Condition(
            f"the hypervisor gave {100 * neighbours.steal:.0f} % of the time of all CPUs to other guests",
            "measure on a machine of its own, or when the others are quiet",
        )
