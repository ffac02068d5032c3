"""Which graph a stored cell's network is: what its bundle keeps, else what is registered and the same."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from harness.errors import InputError, PluginPartError, UsageError
from harness.matrix.cell import Cell, Treatment
from harness.networks.base import NetworkFamily
from harness.networks.graph import Graph
from harness.networks.mobilenet import MobileNetV2
from harness.networks.package import write_package
from harness.observations.graphs import Graphs
from harness.store.bundle import Bundle, CellRecord
from harness.store.documents.manifest import Manifest

SMALL = MobileNetV2(width=0.25, resolution=64, classes=11, calibrated=False, name="small")
CELL = Cell("small", Treatment(batch=2, relu6="relu_sub"), "onnxruntime", "1.22.1", "venv")


class Family:
    """A registered network that notes in which forms it was asked for."""

    name = "small"

    def __init__(self, error: Exception | None = None) -> None:
        self.asked: list[tuple[int, str]] = []
        self.error = error

    def graph(self, batch: int = 1, relu6: str = "clip") -> Graph:
        """Return it."""
        self.asked.append((batch, relu6))
        if self.error is not None:
            raise self.error
        return made(batch, relu6)


MADE: dict[tuple[int, str], Graph] = {}


def made(batch: int = 2, relu6: str = "relu_sub") -> Graph:
    if (batch, relu6) not in MADE:
        MADE[batch, relu6] = SMALL.graph(batch, relu6)
    return MADE[batch, relu6]


@pytest.fixture
def bundle(tmp_path: Path) -> Bundle:
    return Bundle.create(tmp_path / "run", Manifest())


def record(cell: Cell = CELL, digest: str = "") -> CellRecord:
    return CellRecord(cell, "measured", "", digest or made().digest)


def graphs(family: Family | None) -> Graphs:
    families: dict[str, NetworkFamily] = {} if family is None else {"small": family}
    return Graphs(families)


def keep(bundle: Bundle, tmp_path: Path, graph: Graph) -> None:
    network, _ = write_package(graph, tmp_path)
    bundle.keep_network(CELL, network)


def test_a_registered_network_is_made_in_the_form_of_its_cell_and_once(bundle: Bundle) -> None:
    family = Family()
    found = graphs(family)
    graph = found.of(bundle, record())
    assert graph is not None
    assert graph.digest == made().digest
    other = replace(CELL, version="2.0", treatment=replace(CELL.treatment, precision="fp16"))
    assert found.of(bundle, record(other)) is graph
    assert family.asked == [(2, "relu_sub")]


def test_a_cell_that_states_no_form_has_the_plain_one(bundle: Bundle) -> None:
    family = Family()
    unknown = replace(CELL, treatment=Treatment(batch=None, relu6="unknown"))
    graph = graphs(family).of(bundle, record(unknown, "unknown"))
    assert family.asked == [(1, "clip")]
    assert graph is not None
    assert graph.digest == made(1, "clip").digest


def test_another_network_of_that_name_is_none(bundle: Bundle) -> None:
    assert graphs(Family()).of(bundle, record(digest="sha256:other")) is None
    assert graphs(None).of(bundle, record()) is None


@pytest.mark.parametrize("error", [UsageError("no such batch"), PluginPartError("not today")])
def test_a_network_that_cannot_be_made_is_asked_for_once(bundle: Bundle, error: Exception) -> None:
    family = Family(error)
    found = graphs(family)
    assert [found.of(bundle, record()) for _ in range(3)] == [None] * 3
    assert len(family.asked) == 1


def test_what_a_bundle_keeps_is_read_once_and_nothing_is_made(bundle: Bundle, tmp_path: Path) -> None:
    keep(bundle, tmp_path, made())
    family = Family()
    found = graphs(family)
    kept = found.of(bundle, record())
    assert kept is not None
    assert kept.digest == made().digest
    bundle.network_path(CELL).unlink()
    assert found.of(bundle, record()) is kept
    assert family.asked == []


def test_what_a_bundle_keeps_speaks_for_a_cell_that_states_no_digest(bundle: Bundle, tmp_path: Path) -> None:
    keep(bundle, tmp_path, made(1, "clip"))
    family = Family()
    kept = graphs(family).of(bundle, record(digest="unknown"))
    assert kept is not None
    assert (kept.digest, family.asked) == (made(1, "clip").digest, [])


def test_where_a_bundle_keeps_another_one_the_registered_that_fits_comes_first(
    bundle: Bundle, tmp_path: Path
) -> None:
    keep(bundle, tmp_path, made(1, "clip"))
    found = graphs(Family()).of(bundle, record())
    assert found is not None
    assert found.digest == made().digest
    left = graphs(None).of(bundle, record())
    assert left is not None
    assert left.digest == made(1, "clip").digest, "its structure, at least"


def test_a_torn_file_is_an_error_unless_the_same_network_is_registered(
    bundle: Bundle, tmp_path: Path
) -> None:
    keep(bundle, tmp_path, made())
    bundle.network_path(CELL).write_text("{", encoding="utf-8")
    with pytest.raises(InputError):
        graphs(None).of(bundle, record())
    with pytest.raises(InputError):
        graphs(Family()).of(bundle, record(digest="sha256:other"))
    found = graphs(Family()).of(bundle, record())
    assert found is not None
    assert found.digest == made().digest
