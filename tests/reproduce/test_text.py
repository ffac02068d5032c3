"""The text of a bug report in each state that a search can end in (composed times)."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from msgspec import structs

from harness.analysis.groups import BuildGroup
from harness.analysis.verdict import Verdict
from harness.matrix.treatment import Treatment
from harness.reproduce.sides import KernelRow, Side, TacticRow
from harness.reproduce.text import FROM_AROUND, Told, bug_report
from harness.runtimes.outside import Asked, Outside
from harness.store.documents.reproduction import CarrierRecord, PieceRecord, Reproduction
from tests.report.composed import engine, layers
from tests.reproduce.test_carriers import NAMES, compared, slower

PIECE = PieceRecord(
    folder="measured/1",
    ops=["c", "d"],
    effect=1.3,
    interval=(1.2, 1.4),
    builds=(3, 3),
    old_ms=0.06,
    new_ms=0.078,
)


TRTEXEC = Outside("trtexec --onnx=piece.onnx")
PAGE = Path(__file__).resolve().parents[2] / "docs/how-to/plugin.md"


def told(
    found: Reproduction,
    waited: float = 0.0,
    lines: tuple[Outside | None, Outside | None] = (TRTEXEC, TRTEXEC),
) -> str:
    """The text, with a kernel of a hostile name."""
    verdict, old, new = compared(engine(layers(NAMES)), slower(c=2.0))
    row = KernelRow("c|d", "gemm", "k`x`", "0x1", "hwc fp32 -> hwc fp32", 2, 3, 0.03)
    side = Side(
        "8.6.0", "h", (row,), (TacticRow("c", "f", "runner", "kernel", 0.02, True),), {"gpu": "G"}, waited
    )
    return bug_report(_told(verdict, found, (old, new), side, lines))


def _told(
    verdict: Verdict,
    found: Reproduction,
    groups: tuple[BuildGroup, BuildGroup],
    side: Side,
    lines: tuple[Outside | None, Outside | None],
) -> Told:
    return Told(verdict, found, *groups, (side, side), (side, side), lines)


FOUND = Reproduction(
    state="shown",
    verdict="latency-aaaaaa",
    run="r",
    runtime="tensorrt",
    old="8.5.3.1",
    new="8.6.0",
    network="mobilenet_v2",
    treatment="fp32-b1",
    host="h",
    change=1.2,
    carriers=[CarrierRecord(name="c", ops=["c"], old_ms=0.03, new_ms=0.06, changed=True)],
    pieces=[PIECE],
    ops=["c", "d"],
    neighbours=["d"],
    inputs={"t2": (1, 8, 4, 4)},
    outputs={"t4": (1, 8, 4, 4)},
    compare="trtmatrix compare tensorrt==8.5.3.1 tensorrt==8.6.0 piece.onnx",
)


def test_a_piece_that_shows_it_names_its_figures_and_the_neighbours_that_were_needed() -> None:
    text = told(FOUND)
    assert "shows the change: +30.0 % (+20.0 % to +40.0 %), beside +20.0 % of the network" in text
    assert "with these neighbours only: `d`" in text
    assert "| `piece.onnx` alone | 0.0600 | 0.0780 | +30.0 % (+20.0 % to +40.0 %) | 3 and 3 |" in text
    assert "| layer `c` in its profile | 0.0300 | 0.0600 | 2.0 times |" in text
    assert "`c\\|d`" in text, "a name cannot end a column"
    assert "| 8.6.0 | `kernel` | runner | f | 0.0200 | chosen |" in text
    assert "trtexec --onnx=piece.onnx" in text
    assert "Other programs" not in text


def test_the_command_of_a_plugin_stands_as_its_page_has_it() -> None:
    blocks = re.findall(r"^```python\n(.*?)^```", PAGE.read_text(encoding="utf-8"), re.M | re.S)
    (code,) = (block for block in blocks if "def outside" in block)
    names: dict[str, Any] = {}
    exec(code, names)
    asked = [Asked(side, "1.2", Treatment(), "piece.onnx") for side in ("old", "new")]
    old, new = (names["outside"](None, one) for one in asked)
    text = told(FOUND, lines=(old, new))
    lines = [*old.setup, *new.setup, old.command, new.command]
    code = "\n".join(lines)
    assert f"```sh\n{code}\n```" in text
    assert text.count(old.note) == 1
    assert new.command == "new/bin/acme-bench --precision fp32 piece.onnx"
    assert "No command of tensorrt itself is known" in told(FOUND, lines=(None, None))


def test_what_a_busy_machine_or_another_layout_did_is_told() -> None:
    assert "wall time above CPU time: 50 %" in told(FOUND, waited=0.5)
    long = structs.replace(FOUND, pieces=[structs.replace(PIECE, old_ms=0.6)])
    assert "Alone it takes 0.600 ms in 8.5.3.1, its layers in the network 0.0300 ms" in told(long)


def test_new_builds_confirm_a_piece_or_take_it_back() -> None:
    piece = structs.replace(PIECE, shows=True, again=(1.1, 1.3))
    assert "New builds of it, which did not choose it: +10.0 % to +30.0 %." in told(
        structs.replace(FOUND, pieces=[piece])
    )
    back = structs.replace(piece, again=(0.9, 1.1))
    text = told(structs.replace(FOUND, state="not shown", reason="r", pieces=[back]))
    assert "and new builds of it do not: −10.0 % to +10.0 %" in text
    assert FROM_AROUND not in text


def test_where_no_piece_shows_it_that_is_said_with_what_was_looked_for() -> None:
    text = told(structs.replace(FOUND, state="not shown", reason="the time was over", neighbours=[]))
    assert FROM_AROUND in text
    assert "at least half of +20.0 % of the network. The time was over." in text


def test_what_was_not_measured_says_why_and_how() -> None:
    text = told(structs.replace(FOUND, state="not measured", reason="no GPU", pieces=[]))
    assert f"**Not measured here**: no GPU. Where both versions run: `{FOUND.compare}`." in text
    assert "`piece.onnx` alone" not in text
