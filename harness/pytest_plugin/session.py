"""What stands behind the pytest plugin: the one run of a session."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from harness.errors import EXIT_USAGE, TrtmatrixError
from harness.pytest_plugin.options import option_value
from harness.resources import data_folder

if TYPE_CHECKING:
    from harness.analysis.policy import Policy
    from harness.analysis.run_analysis import RunAnalysis
    from harness.analysis.verdict import Verdict
    from harness.execution.plan import Choices, Plan
    from harness.matrix.cell import Cell
    from harness.observations.records import CellObservation, RunObservation
    from harness.store.bundle import Bundle


class MatrixSession:
    """The run of one pytest session: planned at collection, measured at first use, then only read."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._plan: Plan | None = None
        self._observation: RunObservation | None = None
        self._verdicts: list[Verdict] | None = None
        self._observed: dict[Cell, CellObservation] = {}
        self._judged: dict[tuple[str, str], list[Verdict]] = {}
        self.bundle: Bundle | None = None
        self.selected: list[Cell] = []

    @staticmethod
    def names_suites(config: pytest.Config) -> bool:
        """Say whether the command line names the suites that come with trtmatrix."""
        suites = data_folder("suites").resolve()
        paths = [Path(config.invocation_params.dir, arg.partition("::")[0]).resolve() for arg in config.args]
        return any(path == suites or suites in path.parents for path in paths)

    @property
    def choices(self) -> Choices:
        """What the user chose."""
        from harness.execution.plan import Choices, above_zero
        from harness.matrix.file import MOST_BUILDS

        def path(name: str) -> Path | None:
            value = option_value(self._config, name)
            return Path(value) if value else None

        builds = option_value(self._config, "builds")
        if builds is not None and not (str(builds).isdecimal() and 1 <= int(builds) <= MOST_BUILDS):
            raise pytest.UsageError(
                f"--matrix-builds: expected a whole number from 1 to {MOST_BUILDS}, found '{builds}'"
            )
        try:
            given = above_zero(option_value(self._config, "minutes"), "--matrix-minutes")
        except TrtmatrixError as error:
            raise pytest.UsageError(error.one_line) from None
        return Choices(
            matrix=path("matrix"),
            out=path("out"),
            builds=int(builds) if builds is not None else None,
            quick=bool(option_value(self._config, "quick")),
            resume=bool(option_value(self._config, "resume")),
            retry_failed=bool(option_value(self._config, "retry_failed")),
            networks=tuple(Path(p) for p in option_value(self._config, "network") or ()),
            shapes=tuple(option_value(self._config, "shape") or ()),
            outputs=tuple(option_value(self._config, "output") or ()),
            executor=option_value(self._config, "executor"),
            address=option_value(self._config, "address"),
            minutes=given,
            history=path("history"),
        )

    @property
    def plan(self) -> Plan:
        """The matrix and its cells (those of the stored run with ``--matrix-run``).

        :raises pytest.UsageError: the matrix file is not good, in one line
        """
        if self._plan is None:
            from harness.execution.plan import make_plan, stored_plan
            from harness.plugins import registry

            stored = option_value(self._config, "run")
            try:
                # Asked for at collection, where a clash of names would be a traceback.
                registry.check_bottlenecks()
                self._plan = (
                    stored_plan(Path(stored)) if stored else make_plan(self.choices, registry.parts())
                )
            except TrtmatrixError as error:
                raise pytest.UsageError(error.one_line) from None
        return self._plan

    @property
    def rounds(self) -> int:
        """Builds a cell."""
        return self.plan.rounds(self.choices)

    def bottleneck_names(self) -> Sequence[str]:
        """Return the names of the registered bottleneck rules, and ``latency``."""
        from harness.plugins import registry

        return [*registry.bottlenecks(), "latency"]

    def observation(self) -> RunObservation:
        """Return the run, measured now if it was not yet."""
        if self._observation is None:
            from harness.plugins.reading import observe

            with _one_line():
                self._observation = observe([self._measured()])
        return self._observation

    def verdicts(self) -> list[Verdict]:
        """Return the verdicts over the run, with the matrix's baseline."""
        if self._verdicts is None:
            with _one_line():
                self._verdicts = self._judged_run(self.observation())
        return self._verdicts

    def _judged_run(self, run: RunObservation) -> list[Verdict]:
        from harness.analysis.grid import grid_of
        from harness.analysis.judge import judge
        from harness.plugins import registry
        from harness.plugins.nights import tonight

        baseline, accepted = self.plan.matrix.baseline, self.policy.accepted
        grid = grid_of(run)
        verdicts = judge(grid, baseline, rules=registry.bottlenecks(), accepted=accepted)
        history = option_value(self._config, "history")
        return tonight(Path(history), grid, verdicts, accepted) if history else verdicts

    @cached_property
    def policy(self) -> Policy:
        """What fails the run: what the matrix says, and the changes that were accepted.

        :raises pytest.UsageError: the file of accepted changes is not good, in one line
        """
        from harness.analysis.accepted import accepted_changes
        from harness.analysis.policy import policy_of

        said = option_value(self._config, "accepted")
        try:
            return policy_of(self.plan.matrix, accepted_changes(Path(said) if said else None))
        except TrtmatrixError as error:
            raise pytest.UsageError(error.one_line) from None

    def analysis(self) -> RunAnalysis:
        """Return what summaries of the run are made of."""
        from harness.analysis.grid import grid_of
        from harness.analysis.run_analysis import analyse
        from harness.plugins import registry

        grid, baseline = grid_of(self.observation()), self.plan.matrix.baseline
        return analyse(grid, self.verdicts(), baseline, rules=registry.bottlenecks())

    def observed(self, cell: Cell) -> CellObservation | None:
        """Return what was measured of *cell*, None where it was not, or not yet: nothing is measured here."""
        if self._observation is not None and not self._observed:
            self._observed = {seen.cell: seen for seen in self._observation.cells}
        return self._observed.get(cell)

    def judged(self, cell: Cell, bottleneck: str) -> Sequence[Verdict]:
        """Return the verdicts on one bottleneck of *cell*, none where nothing has asked for verdicts yet."""
        if self._verdicts is not None and not self._judged:
            for verdict in self._verdicts:
                self._judged.setdefault((verdict.cell, verdict.bottleneck), []).append(verdict)
        return self._judged.get((cell.id, bottleneck), ())

    def _measured(self) -> Path:
        stored = option_value(self._config, "run")
        if stored:
            return Path(stored)
        from harness.environments.docker.settings import NO_BUILD
        from harness.execution.measuring import measure
        from harness.plugins import registry

        if option_value(self._config, "no_build"):
            os.environ[NO_BUILD] = "1"
        self.bundle = measure(self.plan, self.choices, self.selected, registry.parts(), self._say())
        if self.plan.matrix.confirm:
            self._confirm(self.bundle)
        return self.bundle.root

    def _confirm(self, bundle: Bundle) -> None:
        """Measure again what would fail the run, before it does."""
        from harness.analysis.nights import KIND
        from harness.execution.confirming import confirm
        from harness.plugins import registry
        from harness.plugins.reading import observe

        suspects = self.policy.suspects(self._judged_run(observe([bundle.root])))
        ids = {name for verdict in suspects for name in (verdict.cell, verdict.against_cell)}
        # Against other nights the whole block is measured again: its neighbours are part of what a cell met.
        blocks = {verdict.subject for verdict in suspects if verdict.kind == KIND}
        cells = [cell for cell in self.selected if cell.id in ids or cell.subject in blocks]
        if cells:
            say = self._say()
            say(f"measured again before they count: {_named(suspects)}")
            confirm(bundle, self.plan, self.choices, cells, registry.parts(), say)

    def _say(self) -> Any:
        reporter = self._config.pluginmanager.get_plugin("terminalreporter")
        capture = self._config.pluginmanager.get_plugin("capturemanager")

        def say(line: str) -> None:
            if reporter is None or capture is None:
                return
            with capture.global_and_fixture_disabled():
                reporter.ensure_newline()
                reporter.write_line(line)
                # In a CI log or through `tee` too, progress is to be seen when it is made.
                reporter.flush()

        return say

    def tell(self) -> list[str]:
        """Write the step's summary and send the message, and return in lines what became of it."""
        if self._observation is None:
            return []  # Ended before anything could be judged.
        from harness.messages.message import has_news, message_of
        from harness.messages.sending import send, targets
        from harness.report.step_summary import append_summary

        append_summary(self.analysis)
        kept = self._keep_night()
        command = option_value(self._config, "notify_command")
        to = targets(
            option_value(self._config, "notify") or (), command, always=self.plan.matrix.notify_always
        )
        message = message_of(self._observation, self.verdicts(), self.policy)
        return [*kept, *(send(message, to) if has_news(message) or to.always else [])]

    def _keep_night(self) -> list[str]:
        """Add the run to the history that it was held against; what goes wrong there is a line."""
        history = option_value(self._config, "history")
        if not history or self.bundle is None:
            return []
        from harness.analysis.grid import grid_of
        from harness.plugins.nights import keep_night

        grid = grid_of(self.observation())
        try:
            return [keep_night(Path(history), self.bundle, grid, self.verdicts(), self.policy)]
        except (TrtmatrixError, OSError) as error:
            return [f"not added to {history}: {getattr(error, 'one_line', error)}"]

    def summary(self) -> list[str]:
        """Return the lines that end a session: where the bundle lies and what became of the cells."""
        assert self.bundle is not None
        counts: dict[str, int] = {}
        for record in self.bundle.cells():
            counts[record.status] = counts.get(record.status, 0) + 1
        said = ", ".join(f"{number} {status}" for status, number in sorted(counts.items()))
        return [f"trtmatrix: {said}; bundle in {self.bundle.root}"]


def _named(suspects: Sequence[Verdict]) -> str:
    """Return what the alarms are about, each once."""
    return ", ".join(dict.fromkeys(f"{v.bottleneck} of {v.cell}" for v in suspects))


@contextmanager
def _one_line() -> Iterator[None]:
    """End the session with one line where it would be an error of each test."""
    try:
        yield
    except TrtmatrixError as error:
        # Our 2 (bad input) is pytest's 4; pytest's 2 is an interruption.
        code = pytest.ExitCode.USAGE_ERROR if error.exit_code == EXIT_USAGE else error.exit_code
        pytest.exit(error.one_line, returncode=int(code))
