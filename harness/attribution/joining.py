"""Profile rows joined to engine layers, and kernel names joined to tactic ids."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from harness.attribution.names import CUT_AT
from harness.evidence.records import EngineLayer, Evidence, LayerTime


@dataclass(frozen=True, slots=True)
class TimedLayer:
    """An engine layer and its profile row, where it has one.

    :param time_ms: median of the profile where there is one, else the mean; None without a row
    """

    layer: EngineLayer
    time_ms: float | None


def join_times(evidence: Evidence) -> list[TimedLayer]:
    """Return all engine layers with their times, in execution order.

    Joined by position where lengths and names agree, else by name in order (tables leave out rows of zero),
    else by the first 40 columns (the sample profiler cuts names there). A row without an engine layer becomes
    a layer of its own behind the row before it: no time is lost. Several engines are joined one by one.
    """
    engines = sorted({x.engine for x in evidence.layers} | {x.engine for x in evidence.times})
    joined: list[TimedLayer] = []
    for engine in engines:
        layers = [layer for layer in evidence.layers if layer.engine == engine]
        times = [row for row in evidence.times if row.engine == engine]
        joined.extend(_join(layers, times))
    return joined


def _join(layers: Sequence[EngineLayer], times: Sequence[LayerTime]) -> Iterator[TimedLayer]:
    if [layer.name for layer in layers] == [row.name for row in times]:
        yield from (TimedLayer(layer, row.typical_ms) for layer, row in zip(layers, times, strict=True))
        return
    row_of, extra = _rows_by_name(layers, times)
    yield from (_alone(row) for row in extra[-1])
    for place, layer in enumerate(layers):
        row = row_of.get(place)
        yield TimedLayer(layer, row.typical_ms if row else None)
        yield from (_alone(row) for row in extra[place])


def _rows_by_name(
    layers: Sequence[EngineLayer], times: Sequence[LayerTime]
) -> tuple[dict[int, LayerTime], dict[int, list[LayerTime]]]:
    """Return place of a layer to its row, and place to the rows behind it that have none."""
    full: dict[str, deque[int]] = defaultdict(deque)
    cut: dict[str, deque[int]] = defaultdict(deque)
    for place, layer in enumerate(layers):
        full[layer.name].append(place)
        cut[layer.name[:CUT_AT].rstrip()].append(place)
    row_of: dict[int, LayerTime] = {}
    extra: dict[int, list[LayerTime]] = defaultdict(list)
    last = -1
    for row in times:
        found = _next_free(full[row.name], row_of)
        if found is None and len(row.name) in (CUT_AT - 1, CUT_AT):
            found = _next_free(cut[row.name], row_of)
        if found is None:
            extra[last].append(row)
            continue
        row_of[found] = row
        last = found
    return row_of, extra


def _next_free(places: deque[int], taken: dict[int, LayerTime]) -> int | None:
    while places:
        if (place := places.popleft()) not in taken:
            return place
    return None


def _alone(row: LayerTime) -> TimedLayer:
    return TimedLayer(EngineLayer(row.position, row.name, engine=row.engine), row.typical_ms)


def tactic_key(tactic: str | None) -> str | None:
    """Return *tactic* as ``0x`` and 16 hexadecimal digits, None where it is no number.

    Versions print one id as signed decimal or hexadecimal: ``-3`` and ``0xfffffffffffffffd`` are equal.
    """
    if tactic is None:
        return None
    try:
        number = int(tactic, 0)
    except ValueError:
        return None
    return f"0x{number % 2**64:016x}"


class KernelNames:
    """Kernel names of a builder log, by runner and tactic id.

    An engine's layer list names tactics by id only; their kernels stand in the tactic lines of the whole log,
    often of another layer, since results are reused.
    """

    def __init__(self, evidence: Evidence) -> None:
        self._by_runner: dict[tuple[str | None, str], str] = {}
        self._by_id: dict[str, set[str]] = defaultdict(set)
        for tactic in evidence.tactics:
            key = tactic.tactic_id or tactic_key(tactic.tactic)
            if key and tactic.kernel:
                self._by_runner[bare_runner(tactic.runner), key] = tactic.kernel
                self._by_id[key].add(tactic.kernel)

    def find(self, layer: EngineLayer) -> str | None:
        """Return the kernel of *layer*: as listed, else by its type and tactic id, None where unknown."""
        key = tactic_key(layer.tactic)
        if layer.kernel or key is None:
            return layer.kernel
        if (kernel := self.of(layer.type, key)) is not None:
            return kernel
        # Layer lists of 7.x use other type names than the runners; ids of named kernels are long hashes.
        kernels = self._by_id[key] if int(key, 16) > 0xFFFF else set()
        return next(iter(kernels)) if len(kernels) == 1 else None

    def of(self, runner: str | None, key: str | None) -> str | None:
        """Return the kernel that *runner* (without a number behind it) calls *key*, None where unnamed."""
        return self._by_runner.get((runner, key)) if key is not None else None


def bare_runner(runner: str | None) -> str | None:
    """Return *runner* without the number that 8.6 and later print behind it (``Reformat[0x80000006]``)."""
    return runner.partition("[")[0] if runner else runner
