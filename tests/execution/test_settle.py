"""What a run's builds add up to, written once it is over; whoever was not reached says so."""

from __future__ import annotations

from typing import Any

from harness.execution.settle import settle
from harness.store.bundle import Bundle
from harness.store.documents.build import Build, Outputs
from harness.store.status import UNREACHED
from tests.execution.ground import Ground


def put(bundle: Bundle, cell_id: str, number: int, **said: Any) -> None:
    files = bundle.root / "incoming"
    files.mkdir()
    bundle.put_build(files, Build(**{"cell": cell_id, "build": number, "status": "ok", **said}))


def test_a_cell_has_the_digest_of_the_build_that_decides_for_it(ground: Ground) -> None:
    bundle, cell = ground.bundle(), ground.cells[0]
    wrong = Outputs(valid=False, error=1.0, bound=0.1, reason="outputs differ")
    put(bundle, cell.id, 0, digest="sha256:0")
    put(bundle, cell.id, 1, digest="sha256:1", outputs=wrong)
    put(bundle, cell.id, 2, digest="sha256:2")
    settle(bundle, ground.cells, {})
    first, second = bundle.cells()
    assert (first.status, first.reason, first.digest) == ("invalid", "outputs differ", "sha256:1")
    assert (second.status, second.reason, second.digest) == ("interrupted", UNREACHED, "unknown")
    for name in ("samples.parquet", "layer_times.parquet"):
        assert (bundle.root / name).is_file()


def test_who_waits_keeps_the_network_it_was_to_be_measured_with(ground: Ground) -> None:
    bundle = ground.bundle()
    bundle.set_cell(ground.cells[0], "pending", "", "sha256:1")
    bundle.set_cell(ground.cells[1], "unsupported", "no such precision", "sha256:2")
    settle(bundle, ground.cells, {})
    assert [(one.status, one.reason, one.digest) for one in bundle.cells()] == [
        ("interrupted", UNREACHED, "sha256:1"),
        ("unsupported", "no such precision", "sha256:2"),
    ]


def test_cells_that_this_go_did_not_measure_keep_what_is_said_of_them(ground: Ground) -> None:
    """But none is left waiting: nobody will measure it any more."""
    bundle = ground.bundle()
    done, other = ground.cells
    put(bundle, other.id, 0, status="failed", reason="died")
    bundle.set_cell(other, "measured", "", "sha256:1")
    settle(bundle, [done], {})
    assert [(one.status, one.reason) for one in bundle.cells()] == [
        ("interrupted", UNREACHED),
        ("measured", ""),
    ]
