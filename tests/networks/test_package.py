"""The runtime-neutral package: written and read, and every way it can be broken."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from harness.errors import InputError
from harness.networks.accounting import op_costs
from harness.networks.graph import Graph
from harness.networks.mobilenet import MobileNetV2
from harness.networks.package import as_json, read_structure, write_package
from harness.worker.errors import FailedError
from harness.worker.package import read_network


@pytest.fixture(scope="module")
def graph() -> Graph:
    return MobileNetV2(width=0.25, resolution=32, classes=11).graph(batch=2, relu6="relu_sub")


def test_the_same_graph_gives_the_same_bytes(graph: Graph, tmp_path: Path) -> None:
    folders = [tmp_path / "first", tmp_path / "second"]
    for folder in folders:
        folder.mkdir()
    first, second = ([path.read_bytes() for path in write_package(graph, folder)] for folder in folders)
    assert first == second


def test_the_worker_reads_it(graph: Graph, tmp_path: Path) -> None:
    network, weights = write_package(graph, tmp_path)
    found = read_network(str(network), str(weights))
    assert [(op.name, op.kind, op.inputs, op.output) for op in found.ops] == [
        (op.name, op.kind.value, op.inputs, op.output) for op in graph.ops
    ]
    assert [op.weights for op in found.ops] == [op.weights for op in graph.ops]
    assert (found.name, found.relu6, found.batch, found.inputs, found.outputs, found.digest) == (
        graph.name,
        graph.relu6,
        graph.batch,
        graph.inputs,
        graph.outputs,
        graph.digest,
    )
    assert found.shapes == graph.shapes
    assert set(found.weights) == set(graph.weights)
    assert all(np.array_equal(found.weights[key], graph.weights[key]) for key in graph.weights)
    op = found.ops[0]
    assert np.array_equal(found.weight(op, "kernel"), graph.weights[graph.ops[0].weights["kernel"]])


def test_structure_alone(graph: Graph, tmp_path: Path) -> None:
    (tmp_path / "network.json").write_text(json.dumps(as_json(graph)), encoding="utf-8")
    found = read_structure(tmp_path / "network.json")
    assert (found.ops, found.shapes, found.digest) == (graph.ops, graph.shapes, graph.digest)
    assert (found.name, found.relu6, found.batch) == (graph.name, graph.relu6, graph.batch)
    assert (found.inputs, found.outputs) == (graph.inputs, graph.outputs)
    assert found.weights == {}
    assert op_costs(found) == op_costs(graph)


def _delete(key: str) -> Callable[[dict[str, Any]], None]:
    def change(data: dict[str, Any]) -> None:
        del data[key]

    return change


def _set(key: str, value: object) -> Callable[[dict[str, Any]], None]:
    def change(data: dict[str, Any]) -> None:
        data[key] = value

    return change


def _first_op(key: str, value: object) -> Callable[[dict[str, Any]], None]:
    def change(data: dict[str, Any]) -> None:
        data["ops"][0][key] = value

    return change


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (_delete("shapes"), "missing shapes"),
        (_set("colour", 1), "unknown colour"),
        (_set("schema", "trtmatrix.network/2"), "schema: schema 'trtmatrix.network/2', expected"),
        (_set("ops", {}), "ops: expected a list"),
        (_set("ops", [3]), r"ops\[0\]: expected an object"),
        (_set("batch", None), "not a network package"),
        (_set("shapes", {}), "the tensor 'logits' has no shape"),
        (_first_op("kind", "conv3d"), r"ops\[0\].kind: unknown kind 'conv3d'"),
        (_first_op("weights", []), "attributes and weights must be objects"),
        (_first_op("inputs", "input"), "inputs must be a list"),
    ],
)
def test_broken_network(
    graph: Graph, tmp_path: Path, change: Callable[[dict[str, Any]], None], problem: str
) -> None:
    network, _ = write_package(graph, tmp_path)
    data = json.loads(network.read_text(encoding="utf-8"))
    change(data)
    network.write_text(json.dumps(data), encoding="utf-8")
    with pytest.raises(InputError, match=problem):
        read_structure(network)


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"\xff\xfe", b"3"])
def test_network_that_is_none(graph: Graph, tmp_path: Path, content: bytes) -> None:
    network, _ = write_package(graph, tmp_path)
    network.write_bytes(content)
    with pytest.raises(InputError, match=r"network\.json"):
        read_structure(network)


@pytest.mark.parametrize("keep", [0, 1, 100, 5000])
def test_cut_weights(graph: Graph, tmp_path: Path, keep: int) -> None:
    network, weights = write_package(graph, tmp_path)
    weights.write_bytes(weights.read_bytes()[:keep])
    with pytest.raises(FailedError, match="cannot read arrays"):
        read_network(str(network), str(weights))


def test_missing_file(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be read: No such file"):
        read_structure(tmp_path / "network.json")
