"""The text of a bug report: what changed, how to see it, figures, kernels on either side, environment."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from harness.analysis.groups import BuildGroup
from harness.analysis.verdict import LATENCY, Verdict
from harness.reproduce.sides import Side
from harness.runtimes.outside import Outside
from harness.store.documents.reproduction import PieceRecord, Reproduction
from harness.written import change, interval, milliseconds

FROM_AROUND = (
    "The ops alone do not show the change: it comes from what the runtime does around them, fusion with "
    "their neighbours or the layout of the tensors between them, or it does not happen on this machine."
)

OTHERWISE = 2.0
"""Times that a piece may take of what its layers take in the network, before that is told."""

WAITED = 0.1
"""Of its CPU time, that a piece may wait for the processor before that is told."""


@dataclass(frozen=True)
class Told:
    """All that the text is made of.

    :param old, new: the builds of the verdict; :param sides: what they say of the piece's ops
    :param alone: what the builds of the piece say of them, nothing where it was not measured
    :param lines: how the piece is measured without trtmatrix, old and new; None where nobody knows
    """

    verdict: Verdict
    found: Reproduction
    old: BuildGroup
    new: BuildGroup
    sides: tuple[Side, Side]
    alone: tuple[Side, ...]
    lines: tuple[Outside | None, Outside | None]

    @property
    def piece(self) -> PieceRecord | None:
        """The measurement of the piece that was written, None where there is none."""
        return next((one for one in self.found.pieces if one.ops == self.found.ops), None)


def bug_report(told: Told) -> str:
    """Return the Markdown text to paste into a bug report."""
    parts = [_head(told), _how(told), _times(told), _tried(told.found), *_kernels(told), _environment(told)]
    return "\n\n".join(part for part in parts if part) + "\n"


def _head(told: Told) -> str:
    found, verdict = told.found, told.verdict
    what = "latency" if verdict.bottleneck == LATENCY else verdict.bottleneck
    shapes = "; ".join(
        f"{title} {', '.join(f'`{name}` {_shape(shape)}' for name, shape in tensors.items())}"
        for title, tensors in (("in", found.inputs), ("out", found.outputs))
    )
    ops = ", ".join(f"`{name}`" for name in found.ops)
    lines = [
        f"# {found.runtime} {found.new} against {found.old}: {what} of {found.network} {verdict.moved}",
        f"{found.network} ({', '.join(told.new.cell.treatment.words)}): {verdict.reason}. "
        f"`piece.onnx` is {len(found.ops)} of its ops with their weights, cut out as they are: "
        f"{ops} ({shapes}).",
        _answer(told),
    ]
    return "\n\n".join(lines)


def _answer(told: Told) -> str:
    """Return in words whether the piece shows the change."""
    found, piece = told.found, told.piece
    of = f"{change(found.change)} of {'the network' if told.verdict.bottleneck == LATENCY else 'its layers'}"
    if found.state == "not measured":
        return f"**Not measured here**: {found.reason}. Where both versions run: `{found.compare}`."
    if found.state == "shown" and piece is not None:
        own = f"{change(piece.effect)} ({interval(piece.interval)})"
        said = f"The piece alone shows the change: {own}, beside {of}."
        if piece.again is not None:
            said += f" New builds of it, which did not choose it: {interval(piece.again)}."
        if found.neighbours:
            names = ", ".join(f"`{name}`" for name in found.neighbours)
            said += f" The ops that carry it show it with these neighbours only: {names}."
        return f"{said}{_otherwise(found, piece)}{_waiting(told.alone)}"
    if piece is not None and piece.shows and piece.again is not None:
        once, anew = interval(piece.interval), interval(piece.again)
        return (
            f"The piece showed the change once, {once} beside {of}, and new builds of it do not: {anew}. "
            "What this machine does meanwhile is larger; measure on a quiet one."
        )
    ended = f" {found.reason[:1].upper()}{found.reason[1:]}." if found.reason else ""
    return f"{FROM_AROUND} What was looked for: at least half of {of}.{ended}"


def _waiting(sides: Sequence[Side]) -> str:
    """Say that a piece waited for other programs while it was measured, nothing where it hardly did."""
    waits = [side.waited for side in sides if side.waited is not None]
    if not waits or max(waits) <= WAITED:
        return ""
    said = ", ".join(f"{100 * one:.0f} %" for one in waits)
    return (
        f" Other programs had the processor meanwhile (wall time above CPU time: {said}): on a quiet machine "
        "the change may be of another size."
    )


def _otherwise(found: Reproduction, piece: PieceRecord) -> str:
    """Say that the piece alone takes much longer, or shorter, than in the network; nothing elsewhere."""
    inside = sum(one.old_ms for one in found.carriers if set(one.ops) & set(found.ops))
    times = piece.old_ms / inside if piece.old_ms and inside > 0 else 1.0
    if 0.5 <= times <= OTHERWISE:
        return ""
    return (
        f" Alone it takes {milliseconds(piece.old_ms)} ms in {found.old}, its layers in the network "
        f"{milliseconds(inside)} ms: there the runtime hands it tensors in another layout, or takes another "
        "kernel."
    )


def _how(told: Told) -> str:
    found = told.found
    old, new = told.lines
    if old is None or new is None:
        how = f"trtmatrix measures both side by side: `{found.compare}`."
        return (
            f"## Reproduce\n\nNo command of {found.runtime} itself is known that measures an ONNX file; {how}"
        )
    setup = dict.fromkeys((*old.setup, *new.setup))
    lines = [
        *setup,
        *dict.fromkeys((_with_version(found, found.old, old), _with_version(found, found.new, new))),
    ]
    turns = (
        "Run the last two in turns, several times" if setup else "Run each with its version, several times"
    )
    code = "\n".join(lines)
    notes = "".join(f"\n\n{note}" for note in dict.fromkeys((old.note, new.note)) if note)
    busy = "the first run of either may meet a busy machine."
    return f"## Reproduce\n\n```sh\n{code}\n```\n\n{turns}: {busy}{notes}"


def _with_version(found: Reproduction, version: str, line: Outside) -> str:
    return line.command if line.setup else f"# {found.runtime} {version}\n{line.command}"


def _times(told: Told) -> str:
    found, verdict, piece = told.found, told.verdict, told.piece
    rows = [
        (
            f"the network, {told.new.host or 'host unknown'}",
            told.old.latency.middle,
            told.new.latency.middle,
            verdict.moved if verdict.bottleneck == LATENCY else f"{verdict.bottleneck} {verdict.moved}",
            "{} and {}".format(*verdict.builds),
        )
    ]
    carrying = [one for one in found.carriers if set(one.ops) & set(found.ops)]
    rows += [
        (
            f"layer `{one.name}` in its profile",
            one.old_ms,
            one.new_ms,
            change(one.new_ms / one.old_ms) if one.old_ms > 0 else "",
            "{} and {}".format(*verdict.builds),
        )
        for one in carrying
    ]
    if piece is not None and piece.effect is not None:
        ends = f" ({interval(piece.interval)})" if piece.interval else ""
        builds = "{} and {}".format(*piece.builds)
        rows.append(("`piece.onnx` alone", piece.old_ms, piece.new_ms, change(piece.effect) + ends, builds))
    head = ("", f"{found.old}, ms", f"{found.new}, ms", "change (95 % interval over builds)", "builds")
    body = ((name, milliseconds(a), milliseconds(b), *rest) for name, a, b, *rest in rows)
    how = "Both versions measured in turns, slice by slice, on one machine, with several builds of each."
    return f"## Times\n\n{_table(head, body)}\n\n{how}"


def _tried(found: Reproduction) -> str:
    """Return the pieces that were measured, where there are several."""
    if len(found.pieces) < 2:
        return ""
    rows = (
        (
            str(len(one.ops)),
            f"`{one.ops[0]}` to `{one.ops[-1]}`",
            milliseconds(one.old_ms),
            milliseconds(one.new_ms),
            f"{change(one.effect)} ({interval(one.interval)})" if one.interval else one.reason,
            "yes" if one.shows else "no",
        )
        for one in found.pieces
    )
    head = ("ops", "piece", f"{found.old}, ms", f"{found.new}, ms", "change", "shows it")
    return f"## Pieces that were measured\n\n{_table(head, rows)}"


def _kernels(told: Told) -> Iterator[str]:
    """Yield the kernels that the ops had in the network, and the tactics that were timed for them."""
    for where, sides in (("in the network", told.sides), ("in the piece", told.alone)):
        if any(side.kernels for side in sides):
            yield f"## Kernels of these ops {where}\n\n{_kernel_table(sides)}"
    timed = [
        (
            side.version,
            f"`{one.kernel}`",
            one.runner,
            one.formats,
            milliseconds(one.ms),
            "chosen" * one.chosen,
        )
        for side in told.sides
        for one in side.tactics
    ]
    if timed:
        head = ("version", "tactic", "runner", "formats", "ms", "")
        yield f"## Tactics that the builder timed for them (one build of each)\n\n{_table(head, timed)}"


def _kernel_table(sides: Iterable[Side]) -> str:
    rows = (
        (
            side.version,
            f"`{row.layer}`",
            row.family,
            f"`{row.kernel}`",
            row.tactic,
            row.formats,
            f"{row.builds} of {row.of}",
            milliseconds(row.ms),
        )
        for side in sides
        for row in side.kernels
    )
    return _table(("version", "layer", "family", "kernel", "tactic", "formats", "builds", "ms"), rows)


def _environment(told: Told) -> str:
    old, new = told.sides
    names = dict.fromkeys((*old.facts, *new.facts))
    rows = ((name, old.facts.get(name, ""), new.facts.get(name, "")) for name in names)
    return f"## Environment\n\n{_table(('', told.found.old, told.found.new), rows)}"


def _table(head: Sequence[str], rows: Iterable[Iterable[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(_cell(text) for text in line) + " |" for line in lines)


def _cell(text: str) -> str:
    return " ".join(text.replace("|", "\\|").split())


def _shape(shape: Iterable[int]) -> str:
    return "x".join(map(str, shape))


def commands(lines: Mapping[str, Outside | None]) -> dict[str, str]:
    """Return side to its command, where one is known."""
    return {side: line.command for side, line in lines.items() if line is not None}
