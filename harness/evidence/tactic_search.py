"""What the lines of a tactic search add up to: the rows of each format combination, and its decision.

Rows wait until their format combination ends, because the fastest and the chosen tactic are named after them.
"""

from __future__ import annotations

from collections.abc import Callable

from harness.evidence.context import Context
from harness.evidence.numbers import NO_RESULT_ID, normal_tactic_id
from harness.evidence.records import Combination, Decision, SkippedRunner
from harness.evidence.tactic_groups import TacticGroup
from harness.evidence.texts import Texts

UNKNOWN_LAYER = "unknown"
MOST_KERNELS = 1 << 16
MOST_PENDING = 50_000


class OpenSearch:
    """The search of one engine: the format combination that is open, and what was seen of it."""

    def __init__(self, ctx: Context, next_engine: Callable[[], None]) -> None:
        self.ctx = ctx
        self._next_engine = next_engine
        self._text = Texts().text
        self._combinations: dict[bytes, tuple[str, bool]] = {}
        self.start_engine()

    def start_engine(self) -> None:
        """Forget everything of the engine before."""
        self.kernels: dict[tuple[str | None, str], str] = {}
        self._named: set[tuple[str, str]] = set()
        self._block = -1
        self._announced = False
        self._announced_layer: str | None = None
        self._reset(None)
        self._open = False

    def _reset(self, formats: str | None) -> None:
        self.layer: str | None = None
        self.runner: str | None = None
        self.formats = formats
        self._old_style = False
        self._kernel: str | None = None
        self._kernel_id: bytes | None = None
        self._groups: list[TacticGroup] = []
        self._own = 0
        self._count = self._timed = 0
        self._only_option = False
        self._runners: list[str] = []
        self._decision: Decision | None = None
        self._skipped = False
        self._reformat = False

    def _name(self, kernels: list[tuple[str, str]]) -> None:
        if len(self._named) < MOST_KERNELS:
            self._named.update(kernels)

    @property
    def named(self) -> dict[str, str | None]:
        """Kernels named ahead of tactics, by normal id; None where an id got several."""
        named: dict[str, str | None] = {}
        for tactic, kernel in self._named:
            tactic_id = normal_tactic_id(tactic)
            if tactic_id is not None:
                named[tactic_id] = kernel if named.get(tactic_id, kernel) == kernel else None
        return named

    def _best(self, tactic_id: str | None, time: float | None) -> None:
        """The runner above says which of its tactics was fastest: that with this id, and time if several."""
        for group in self._groups[self._own :]:
            same = group.positions(tactic_id)
            if same:
                at = (i for i in same if (printed := group.times[i]) is not None and float(printed) == time)
                group.fastest.add(next(at, same[-1]))
                return

    def _add(self, printed: bytes, kernel: str | None, time: float | None, number: int) -> None:
        tactic = self._text(printed)
        if self._decision is not None or not self._open or self.layer is None:
            self._begin_unknown(number)
        if normal_tactic_id(tactic) == NO_RESULT_ID:
            return
        self.ctx.found("builder_log")
        self._put(self.runner, tactic, kernel, time)
        if self._count >= MOST_PENDING:
            self._write_rows()

    def _put(self, runner: str | None, tactic: str, kernel: str | None, time: float | None) -> TacticGroup:
        """One more row, beside the others of its runner."""
        layer = self.layer or UNKNOWN_LAYER
        last = self._groups[-1] if len(self._groups) > self._own else None
        if last is None or last.runner != runner or last.layer != layer:
            last = TacticGroup(self.ctx.engine, layer, runner, self.formats)
            self._groups.append(last)
        last.add(tactic, kernel, None if time is None else repr(time))
        self._count += 1
        self._timed += time is not None
        return last

    def _begin_unknown(self, number: int) -> None:
        """Tactics without a header above them: in the middle of a search, or after the choice of a layer."""
        text = "tactics before the first layer header: the log begins in the middle"
        if self._decision is not None:
            self.flush()
            self._reset(None)
            text = "tactics after the choice of a layer, without a header: their layer is unknown"
        self.ctx.warn_once(number, text)
        if not self._open or not self._runners:
            self._begin_block()
        self._open = True
        self.layer = self.layer or UNKNOWN_LAYER

    def _begin_build(self) -> None:
        """A search begins: what comes after a finished build is another."""
        if self.ctx.engine in self.ctx.build_seconds:
            self._next_engine()

    def _header(self, layer: str, runner: str, *, old_style: bool) -> None:
        self._begin_build()
        self._close_group()
        if (
            not self._open
            or self._decision is not None
            or (self.layer not in (None, layer) and not self._reformat)
        ):
            self.flush()
            keep = self.formats if self._open and self._decision is None and not self._count else None
            self._reset(keep)
            self._open = True
        if self.layer is None or not self._runners:
            self._begin_block()
        self.layer, self.runner = layer, runner
        self._old_style = old_style
        self._own = len(self._groups)
        self._skipped = False
        self._kernel = None
        self._runners.append(runner)
        self.ctx.found("builder_log")

    def _begin_block(self) -> None:
        if not self._announced and not self._reformat:
            self._block += 1

    def _close_group(self) -> None:
        """The runner above is done: TensorRT 4 and 5 print neither its best tactic nor that it had none."""
        if not self._old_style or self.runner is None:
            return
        own = self._groups[self._own :]
        timed = [
            (float(time), i, j) for i, group in enumerate(own) for j, time in enumerate(group.times) if time
        ]
        if timed:
            _, i, j = min(timed)
            own[i].fastest.add(j)
        elif not own:
            self._skip("no tactics")

    def _skip(self, reason: str, runner: str | None = None) -> None:
        if self._skipped:
            return
        self._skipped = True
        row = SkippedRunner(self.layer or UNKNOWN_LAYER, runner or self.runner or "", reason, self.ctx.engine)
        self.ctx.sink.emit(row)

    def _choose(self, runner: str, printed: bytes, *, cached: bool = False) -> None:
        self._close_group()
        self._old_style = False
        tactic = self._text(printed)
        tactic_id = normal_tactic_id(tactic)
        own = [group for group in self._groups if group.runner in (runner, None)]
        same = [(group, i) for group in own for i in group.positions(tactic_id)]
        timed = [(group, i) for group, i in same if group.times[i] is not None]
        for group in self._groups:
            group.chosen = -1
        if not same and self._count and not self._reformat:
            # chosen and not shown: its time is not known
            group = self._put(runner, tactic, None, None)
            same = [(group, len(group.tactics) - 1)]
        for group, i in (timed or same)[:1]:
            group.chosen = i
        self._decision = self._decide(
            runner, tactic, tactic_id, timed=bool(timed) and not cached, cached=cached
        )
        self.ctx.found("builder_log")
        self._open = True

    def flush(self, *, complete: bool = True) -> None:
        """Hand over the rows of the format combination that ends here.

        :param complete: False at the end of a file: what is missing then was cut off
        """
        if not self._open:
            return
        if complete:
            self._close_group()
        if self._decision is None and self._only_option and self._count == 1:
            group = next(group for group in self._groups if group.tactics)
            group.chosen = 0
            tactic, runner = group.tactics[0], group.runner or ""
            found = (runner, tactic, normal_tactic_id(tactic), False, self.ctx.engine)
            self._decision = Decision(group.layer, self.formats, *found)
        timed, count = self._timed, self._count
        self._write_rows()
        self._open = False
        if self._decision is not None:
            self.ctx.sink.emit(self._decision)
        if not self._reformat:
            seen = (tuple(self._runners), count, timed, self._decision, self.ctx.engine)
            self.ctx.sink.emit(Combination(self.layer, self.formats, max(self._block, 0), *seen))

    def _decide(
        self, runner: str, tactic: str, tactic_id: str | None, *, timed: bool, cached: bool
    ) -> Decision:
        layer = self.layer or UNKNOWN_LAYER
        return Decision(layer, self.formats, runner, tactic, tactic_id, timed, self.ctx.engine, cached)

    def offers(self, printed: bytes) -> bool:
        """The tactic with this id stands among the rows of the open format combination."""
        tactic_id = normal_tactic_id(self._text(printed))
        return tactic_id is not None and any(group.positions(tactic_id) for group in self._groups)

    @property
    def inside(self) -> bool:
        """A format combination is open and nothing was decided for the tactics seen."""
        searched = bool(self._count) or bool(self._runners)
        if self._only_option and self._count == 1:
            return False
        return self._open and searched and self._decision is None and not self._skipped and not self._reformat

    def _write_rows(self) -> None:
        if not self._groups:
            return
        self.ctx.sink.tactics(self._groups)
        if len(self.kernels) < MOST_KERNELS:
            for group in self._groups:
                for tactic, kernel in zip(group.tactics, group.kernels or (), strict=False):
                    tactic_id = normal_tactic_id(tactic)
                    if kernel is not None and tactic_id is not None:
                        self.kernels[group.runner, tactic_id] = kernel
        self._groups, self._own, self._count, self._timed = [], 0, 0, 0
