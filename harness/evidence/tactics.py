"""The lines of the tactic search in builder logs of TensorRT 4 to 11 (docs/reference/formats.md)."""

from __future__ import annotations

from harness.evidence.numbers import NO_RESULT_ID, normal_tactic_id
from harness.evidence.records import SkippedRunner
from harness.evidence.tactic_blocks import Block
from harness.evidence.tactic_groups import TacticGroup
from harness.evidence.tactic_search import MOST_KERNELS, MOST_PENDING, OpenSearch

_LARGEST_TIME = 3.4e38


class TacticSearch(OpenSearch):
    """Reads headers, tactic lines and decisions; every method takes a line without prefix and its number
    and says whether it could use the line."""

    # most frequent first

    def tactic(self, content: bytes, number: int) -> bool:
        """``Tactic: <T> Time: <ms>``, ``Tactic Name: <K> Tactic: <T> Time: <ms>``, ``Tactic <T> time ..``."""
        parts = content.rsplit(None, 4)
        if len(parts) < 4 or parts[-2] not in (b"Time:", b"time"):
            return self._untimed(content, number)
        printed, time_text = parts[-3], parts[-1]
        try:
            time: float | None = float(time_text)
        except ValueError:
            self.ctx.partial = (number, content)
            return False
        if not -1 < time < _LARGEST_TIME or b"_" in time_text:  # type: ignore[operator]
            time = None
        kernel = None
        if len(parts) == 5:
            if parts[1] != b"Tactic:" or not content.startswith(b"Tactic Name: "):
                return False
            kernel = self._text(parts[0][13:].partition(b" numSplitK: ")[0])
        elif self._kernel is not None and (self._kernel_id is None or self._kernel_id == printed):
            kernel = self._kernel
        self._kernel = None
        self._add(printed, kernel, time, number)
        return True

    def named_tactic(self, content: bytes, number: int) -> bool:
        """``[<layer> ]Set Tactic Name: <K>[ Tactic: <T>]``: the kernel of the next tactic line."""
        name, found, tail = content.partition(b"Set Tactic Name: ")[2].partition(b" Tactic: ")
        if not name:
            self.ctx.partial = (number, content)
            return False
        self._kernel = kernel = self._text(name.rstrip())
        words = tail.split(None, 1) if found else []
        self._kernel_id = words[0] if words else None
        if words:
            self._name([(self._text(words[0]), kernel)])
        return True

    def dashes(self, content: bytes, number: int) -> bool:
        """``--------------- Timing Runner: <layer> (<Runner>)``, the 5.x header, the 5.x decision."""
        text = content.lstrip(b"-").strip()
        if text.startswith(b"Timing Runner: "):
            opening = text.rfind(b" (")
            layer, runner = text[15:opening], text[opening + 2 : -1]
            if not text.endswith(b")") or opening < 15:
                self.ctx.partial = (number, content)
                return False
            if runner.endswith(b"]"):
                runner = runner[: runner.rfind(b"[")]
            self._header(self._text(layer), self._text(runner), old_style=False)
            return True
        if text.startswith((b"Timing ", b"Chose ")):
            opening = text.rfind(b"(")
            head, inside = text[:opening].partition(b" ")[2], text[opening + 1 : -1]
            if not text.endswith(b")") or opening < 6:
                self.ctx.partial = (number, content)
                return False
            if text.startswith(b"Timing "):
                self._header(self._text(head), self._text(inside), old_style=True)
            else:
                self._choose(self._text(head.strip()), inside)
            return True
        return False

    def fastest(self, content: bytes, number: int) -> bool:
        """``[... ]Fastest Tactic: <T> Time: <ms>``: the best of the runner above."""
        parts = content.rsplit(None, 4)
        if len(parts) < 5 or parts[-2] != b"Time:" or not parts[0].endswith(b"Fastest"):
            self.ctx.partial = (number, content)
            return False
        self.ctx.found("builder_log")
        tactic_id = normal_tactic_id(self._text(parts[-3]))
        if tactic_id == NO_RESULT_ID:
            self._skip("no valid result")
        elif tactic_id is not None:
            self._best(tactic_id, _time(parts[-1]))
        return True

    def chose(self, content: bytes, number: int) -> bool:
        """``>>>>>>>>>>>>>>> Chose Runner Type: <Runner> Tactic: <T>``."""
        runner, found, tactic = content.partition(b"Chose Runner Type: ")[2].rpartition(b" Tactic: ")
        if not found or not tactic.strip():
            self.ctx.partial = (number, content)
            return False
        self._choose(self._text(runner), tactic.split(None, 1)[0])
        return True

    def stars(self, content: bytes, number: int) -> bool:
        """``*** Autotuning format combination: <in> -> <out> ***``, ``*** Autotuning Reformat: .. ***``."""
        known = self._combinations.get(content)
        if known is None:
            text = content.strip(b"* ")
            if not text.startswith(b"Autotuning "):
                return False
            if not content.rstrip().endswith(b"**"):
                self.ctx.partial = (number, content)
                return False
            title, _, formats = text.partition(b":")
            known = self._text(formats.strip()), title.startswith(b"Autotuning Reformat")
            if len(self._combinations) > MOST_KERNELS:
                self._combinations.clear()
            self._combinations[content] = known
        self._begin_build()
        self.flush()
        self._reset(known[0])
        self._reformat = known[1]
        self._open = True
        self.layer = None if self._reformat else self._announced_layer
        self.ctx.found("builder_log")
        return True

    def costs(self, content: bytes, number: int) -> bool:
        """``=============== Computing costs for [<layer>]``: the next layer (8.2 on)."""
        text = content.lstrip(b"=").lstrip()
        if not text.startswith(b"Computing costs for"):
            return False
        del number
        self._begin_build()
        self.flush()
        self._reset(None)
        self._announced = True
        self._block += 1
        self._announced_layer = self._text(text[19:].strip()) or None
        self.ctx.found("builder_log")
        return True

    def no_tactics(self, content: bytes, number: int) -> bool:
        """``<Runner> has no valid tactics for this config, skipping``."""
        del number
        runner = self._text(content.partition(b" has no valid tactics")[0].strip())
        self.ctx.found("builder_log")
        self._skip("no valid tactics for this config", runner)
        return True

    def skipping(self, content: bytes, number: int) -> bool:
        """``Skipping <Runner>: No valid tactics for <layer>`` (10.16)."""
        del number
        runner, found, layer = content.partition(b": No valid tactics for ")
        if not found:
            return False
        self.ctx.found("builder_log")
        name = self._text(layer.strip())
        self.ctx.sink.emit(
            SkippedRunner(name, self._text(runner[9:].strip()), "no valid tactics", self.ctx.engine)
        )
        return True

    def cached(self, content: bytes, number: int) -> bool:
        """``<layer> [<formats>] got cached result: <Runner>, tactic <T>, <ms> ms`` (10.x)."""
        del number
        head, _, tail = content.partition(b" got cached result: ")
        layer, opening, formats = head.rpartition(b" [")
        parts = tail.rstrip().split(b", ")
        if not opening or len(parts) < 3 or not parts[-2].startswith(b"tactic "):
            return False
        if not (self._open and not self._count and self._decision is None):
            self.flush()
            self._reset(None)
            self._begin_block()
        self.layer, self.runner = self._text(layer), self._text(b", ".join(parts[:-2]))
        self.formats = self._text(formats.removesuffix(b"]"))
        self._open = True
        printed = parts[-2][7:]
        self._add(printed, None, _time(parts[-1].removesuffix(b"ms").strip()), 0)
        self._choose(self.runner, printed, cached=True)
        return True

    def _untimed(self, content: bytes, number: int) -> bool:
        text = content[6:].lstrip(b": ")
        printed, _, rest = text.partition(b" ")
        if rest.startswith((b"is the only option", b"scratch requested", b"skipped")):
            self._add(printed, None, None, number)
            self._only_option = self._only_option or rest.startswith(b"is")
            return True
        if content.startswith((b"Tactic: ", b"Tactic Name: ")) or normal_tactic_id(
            printed.decode("ascii", "replace")
        ):
            self.ctx.partial = (number, content)
        return False

    def block(self, block: Block, number: int, lines: int) -> int:
        """Take a header with the tactics below it, as if line by line.

        :param number: of its first line; :param lines: how many there are
        :return: how many of them were used
        """
        combination, layer, runner, tactics, times, kernels, named, fastest, skipped = block[:9]
        if combination is not None and not self.stars(combination, number):
            lines -= 1
        self._header(layer, runner, old_style=False)
        if tactics:
            group = TacticGroup(self.ctx.engine, layer, runner, self.formats, tactics, times, kernels)
            self._groups.append(group)
            self._count += len(tactics)
            self._timed += len(tactics)
            if named:
                self._name(named)
        if fastest is not None:
            tactic, time = fastest
            at = tactics.index(tactic) if tactic in tactics else -1
            if at >= 0 and times[at] == time:
                group.fastest.add(at)
            else:
                self._best(normal_tactic_id(tactic), float(time))
        if skipped is not None:
            self._skip("no valid tactics for this config", skipped)
        if self._count >= MOST_PENDING:
            self._write_rows()
        return lines


def _time(raw: bytes) -> float | None:
    try:
        time = float(raw)
    except ValueError:
        return None
    return time if -1 < time < _LARGEST_TIME and b"_" not in raw else None
