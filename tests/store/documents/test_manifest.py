"""``manifest.json``: what is read of one that the release 0.1.0 wrote, and of its cells."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from harness.errors import InputError
from harness.matrix.cell import Cell, Treatment
from harness.store.documents.base import as_json, document_of
from harness.store.documents.manifest import CellEntry, Manifest, Matrix

CELL = Cell("mobilenet_v2", Treatment(), "openvino", "2024.6.0", "venv", "aa")


def read(**fields: Any) -> Manifest:
    return document_of({"schema": "trtmatrix.bundle/1", **fields}, Manifest, Path("manifest.json"))


def test_a_run_of_before_stated_nothing_as_null() -> None:
    found = read(run="r", started=None, finished=None, matrix=None, seed=None, visits=None)
    assert (found.run, found.state, found.started, found.matrix) == ("r", "running", None, Matrix())
    assert (found.visits, found.cells, found.began) == ((), (), "unknown")


@pytest.mark.parametrize(
    ("stated", "state"),
    [
        ("finished", "complete"),
        ("complete", "complete"),
        ("interrupted", "interrupted"),
        ("running", "running"),
    ],
)
def test_the_states_of_before_are_those_of_now(stated: str, state: str) -> None:
    assert read(state=stated).state == state


def test_a_state_that_nobody_writes_is_named() -> None:
    with pytest.raises(InputError, match=r"manifest\.json: state: invalid enum value 'done'"):
        read(state="done")


def test_visits_of_before_are_read_as_such() -> None:
    (visit,) = read(visits=[{"visit": "v1", "host": "lab", "rounds": [0, 2]}]).visits
    assert (visit.visit, visit.host, visit.rounds) == ("v1", "lab", (0, 2))


@pytest.mark.parametrize(
    ("started", "said"),
    [
        (datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC), "2026-01-02T03:04:05+00:00"),
        (datetime(2026, 1, 2, 3, 4, 5, 678_000, tzinfo=UTC), "2026-01-02T03:04:05.678+00:00"),
    ],
)
def test_a_beginning_is_said_as_finely_as_it_is_known(started: datetime, said: str) -> None:
    assert Manifest(started=started).began == said


def test_a_cell_is_its_entry() -> None:
    entry = CellEntry.of(CELL, "failed", "died", "sha256:1")
    assert entry.cell() == CELL
    assert (entry.id, entry.status, entry.reason, entry.digest) == (CELL.id, "failed", "died", "sha256:1")
    plain = CellEntry.of(CELL, "pending")
    assert (plain.reason, plain.digest) == ("", "unknown")
    manifest = Manifest(run="r", cells=(entry, plain))
    assert document_of(as_json(manifest), Manifest, Path("manifest.json")) == manifest


def test_an_entry_of_which_nothing_more_is_said_is_a_first_arm() -> None:
    said = as_json(CellEntry.of(Cell("m", Treatment(), "r", "1", "venv"), "pending"))
    short = {key: value for key, value in said.items() if key not in ("repeat", "reason", "digest")}
    (entry,) = read(cells=[short]).cells
    assert entry.cell() == Cell("m", Treatment(), "r", "1", "venv")
    assert (entry.repeat, entry.reason, entry.digest) == ("", "", "unknown")
