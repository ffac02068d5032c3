"""Visits of the release before, which did not state the run that they belong to."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.store.documents.base import document_of, schema_of
from harness.store.documents.visit import Visit, VisitBuild

STAY = {"visit": "v1", "pack": "p", "state": "complete", "rounds": [0, 2], "cells": ["c"], "host": "lab"}
BUILD = {
    "visit": "v1", "cell": "c", "round": 1, "host": "lab", "started": 1.5, "status": "ok", "seconds": 2.0,
}  # fmt: skip


@pytest.mark.parametrize(("kind", "said"), [(Visit, STAY), (VisitBuild, BUILD)])
def test_a_visit_of_before_is_read_as_one_of_now(
    kind: type[Visit | VisitBuild], said: dict[str, object]
) -> None:
    path = Path("visit.json")
    before = document_of({"schema": "trtmatrix.visit/1", **said}, kind, path)
    now = document_of({"schema": schema_of(kind), **said}, kind, path)
    assert before == now
    assert (now.visit, now.host) == ("v1", "lab")
