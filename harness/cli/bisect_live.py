"""The versions of a live bisection, measured into one bundle by the machinery of ``trtmatrix run``."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from harness.analysis.bisect import has_run, is_wrong
from harness.execution.measuring import measure_into
from harness.execution.plan import Choices, Plan
from harness.matrix.cell import Cell
from harness.observations.records import CellObservation
from harness.plugins import registry
from harness.plugins.reading import observe
from harness.store.bundle import Bundle


class Measured:
    """Measures versions as they are asked for.

    A version in the middle is held against both ends: so it is measured side by side with them, further
    builds of theirs in one block with its own.

    :param cells: of the versions, in their order
    """

    def __init__(
        self,
        bundle: Bundle,
        plan: Plan,
        choices: Choices,
        cells: Mapping[str, Cell],
        say: Callable[[str], None],
    ) -> None:
        self._bundle, self._plan, self._choices, self._cells, self._say = bundle, plan, choices, cells, say
        self._seen: dict[str, CellObservation] = {}

    def __call__(self, versions: Sequence[str]) -> list[CellObservation]:
        """Measure, interleaved in rounds, what the bundle does not hold yet of *versions*; read it back."""
        if any(self._missing(self._cells[version]) for version in versions):
            self._measure(versions)
        by_cell = {seen.cell: seen for seen in observe([self._bundle.root]).cells}
        self._seen.update((version, by_cell[self._cells[version]]) for version in versions)
        return [self._seen[version] for version in versions]

    def _measure(self, versions: Sequence[str]) -> None:
        ends = self._ends(versions)
        begin = {self._cells[version]: self._next_number(self._cells[version]) for version in ends}
        beside = f" beside {' and '.join(ends)}" if ends else ""
        self._say(f"measuring {' and '.join(versions)}{beside}")
        cells = [self._cells[version] for version in (*versions, *ends)]
        measure_into(self._bundle, self._plan, self._choices, cells, registry.parts(), self._say, begin=begin)

    def _ends(self, versions: Sequence[str]) -> list[str]:
        """Return the outermost versions that ran, which *versions* are to be held against.

        None where outputs of one of them are wrong: those tell the versions apart then, and no time does.
        """
        ran = [version for version in self._cells if version in self._seen and has_run(self._seen[version])]
        ends = [version for version in dict.fromkeys((*ran[:1], *ran[-1:])) if version not in versions]
        return [] if any(is_wrong(self._seen[version]) for version in ends) else ends

    def _missing(self, cell: Cell) -> bool:
        for number in range(self._plan.rounds(self._choices)):
            if not self._bundle.has_build(cell.id, number):
                return True
            if self._choices.retry_failed and self._bundle.build(cell.id, number).status == "failed":
                return True
        return False

    def _next_number(self, cell: Cell) -> int:
        return max((build.build for build in self._bundle.builds(cell.id)), default=-1) + 1
