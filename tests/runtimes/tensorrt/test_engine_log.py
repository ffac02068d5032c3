"""What a builder log says of the engine: the same from the log, from its document, from what is kept."""

from __future__ import annotations

import json
import re
from functools import cache
from pathlib import Path

import pytest

from harness.analysis.grid import grid_of
from harness.errors import InputError
from harness.history.rows import followed, layer_rows, point_rows
from harness.networks.graph import Graph
from harness.observations.records import RunObservation
from harness.observations.tables import write_tables
from harness.plugins import registry
from harness.plugins.reading import observe
from harness.runtimes.tensorrt.engine_log import KEPT
from harness.runtimes.tensorrt.runtime import TensorRT
from harness.store.bundle import Bundle
from tests.runtimes.worker_builds import FORMATS, bundle, v2

BUILD = v2("8.6.0")
RUNTIME = TensorRT()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return BUILD.put(tmp_path / "build")


def engine(folder: Path, *, whole: bool = False) -> object:
    evidence = (RUNTIME.read if whole else RUNTIME.read_engine)(folder)
    return RUNTIME.attribute(graph(), evidence)


@cache
def graph() -> Graph:
    return BUILD.graph


@pytest.mark.parametrize("kernels", ["listed", "by the ids of tactics", "of layers that only the log lists"])
def test_the_engine_is_that_of_the_whole_evidence(folder: Path, kernels: str) -> None:
    described = folder / "evidence" / "layers.json"
    if kernels == "by the ids of tactics":
        described.write_text(re.sub(r'"TacticName":\s*"[^"]*",?', "", described.read_text("utf-8")), "utf-8")
    elif kernels != "listed":
        described.unlink()
    made = engine(folder, whole=True)
    assert RUNTIME.read(folder).tactics
    assert engine(folder) == made
    RUNTIME.keep_engine(folder)
    kept = folder / "evidence" / KEPT
    said = json.loads(kept.read_text("utf-8"))
    assert bool(said["kernels"]) == (kernels == "by the ids of tactics")
    assert bool(said["engine_layers"]) == (kernels == "of layers that only the log lists")
    assert engine(folder) == made
    before = kept.read_bytes()
    kept.unlink()
    RUNTIME.publish(folder)
    assert kept.read_bytes() == before
    kept.unlink()
    assert engine(folder) == made


def test_what_is_kept_is_read_in_place_of_the_log(folder: Path) -> None:
    made = engine(folder)
    RUNTIME.keep_engine(folder)
    (folder / "evidence" / "build.log.gz").write_bytes(b"nothing that anybody could read")
    RUNTIME.keep_engine(folder)
    assert engine(folder) == made
    with pytest.raises(InputError, match=r"build\.log\.gz"):
        RUNTIME.read(folder)


def test_a_document_that_is_torn_is_named(folder: Path) -> None:
    RUNTIME.publish(folder)
    path = folder / "evidence" / "builder_log.json"
    path.write_text(path.read_text("utf-8").replace('"runner": "', '"runner": 3, "x": "', 1), "utf-8")
    (folder / "evidence" / KEPT).unlink()
    with pytest.raises(InputError, match=r"builder_log\.json: tactics\[0\]"):
        engine(folder)
    (folder / "evidence" / KEPT).write_text('{"schema": "trtmatrix.engine-log/1", "kernels": 3}', "utf-8")
    with pytest.raises(InputError, match=r"engine_log\.json: kernels"):
        engine(folder)


def test_rows_of_a_night_are_those_of_all_evidence_without_a_search(tmp_path: Path) -> None:
    run = bundle((v2("8.5.3.1"), BUILD, FORMATS), tmp_path / "run")
    whole = rows(observe([run]))
    opened = Bundle.open(run)
    write_tables(opened, registry.runtimes())
    assert opened.manifest.warnings == ()
    logs = list(run.rglob("build.log.gz"))
    assert len(logs) == len(list(run.rglob(KEPT))) == 2
    for log in logs:
        log.unlink()
    seen = observe([run], searches=False)
    assert rows(seen) == whole
    assert not any(build.evidence.tactics for cell in seen.cells for build in cell.builds if build.evidence)


def rows(run: RunObservation) -> list[object]:
    rules = registry.bottlenecks()
    assert not any(rule.searches for rule in rules.values())
    found: list[object] = []
    for group in followed(grid_of(run)):
        found += point_rows(group, run.manifest, rules, {"night": "n"})
        found += layer_rows(group, {"night": "n"})
    assert found
    return found
