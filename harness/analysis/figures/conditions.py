"""What made the times of a run scatter, or may have: what its machine told, its neighbours, and waiting.

Wall time is what is judged, less what all builds of a cycle share; where it is materially above the CPU time
of the same inferences, other programs or threads had the core, and that is said.
"""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Sequence

from harness.analysis.grid import Grid
from harness.analysis.groups import BuildGroup
from harness.observations.records import BuildObservation, RunObservation
from harness.store.conditions import Condition, of_machine, of_neighbours
from harness.written import number_of

CLOCKS = 0.02
"""Share of a GPU's clock by which it may change while it measures before that is told of."""


def condition_lines(grid: Grid) -> tuple[str, ...]:
    """Return what is told of the run of *grid*: time that was waited, then :func:`conditions`."""
    share = waiting(grid.groups, grid.run.manifest.matrix.material)
    return tuple(filter(None, (share, *(one.line for one in conditions(grid.run)))))


def conditions(run: RunObservation) -> tuple[Condition, ...]:
    """Return what the machines of *run* told of themselves, each thing once."""
    manifest = run.manifest
    machines = manifest.machines or (manifest.machine,)
    found = [one for machine in machines for one in of_machine(machine)]
    found += of_neighbours(manifest.neighbours)
    found += _of_gpus([build for seen in run.cells for build in seen.builds])
    return tuple(dict.fromkeys(found))


def _of_gpus(builds: Sequence[BuildObservation]) -> Iterator[Condition]:
    """Yield what GPUs were seen to do while builds were measured on them."""
    clocks = [ends for build in builds if (ends := _numbers(build.facts.get("gpu_sm_mhz_measured")))]
    if clocks:
        low, high = min(min(ends) for ends in clocks), max(max(ends) for ends in clocks)
        if high > low * (1 + CLOCKS):
            yield Condition(
                f"the GPU's clock went from {low:.0f} to {high:.0f} MHz while it measured: it is not locked",
                f"`nvidia-smi -lgc {low:.0f}` locks it, `nvidia-smi -rgc` frees it again",
            )
    states = [max(seen) for build in builds if (seen := _numbers(build.facts.get("gpu_power_states")))]
    if states and max(states) > 0:
        yield Condition(
            f"the GPU was in power state P{max(states):.0f} while it measured, where P0 is the highest",
            "`nvidia-smi -q -d PERFORMANCE` says why; locked clocks (`nvidia-smi -lgc`) keep it from that",
        )


def _numbers(said: object) -> list[float]:
    values = said if isinstance(said, (list, tuple)) else ()
    return [float(value) for value in values if isinstance(value, (int, float))]


def waited(group: BuildGroup) -> float | None:
    """Return the median over builds of what their wall time is above their CPU time, of 1."""
    known = [build.waited for build in group.good if build.waited is not None]
    return statistics.median(known) if known else None


def waiting(groups: Sequence[BuildGroup], material: float) -> str:
    """Say of how many cells wall and CPU time differ materially, and which is believed; empty for none.

    :param material: share from which a difference is
    """
    count = sum((waited(group) or 0.0) > material for group in groups)
    if not count:
        return ""
    whose = number_of(count, "cell")
    return (
        f"{whose} took over {100 * material:g} % more wall time than CPU time (waited): "
        "other programs or threads had the core; wall time is judged, less what all of a cycle share"
    )
