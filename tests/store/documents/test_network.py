"""The structure of a network, which is written and read below the store, keeps to its published type."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.networks.package import as_json, read_structure, write_package
from harness.plugins import registry
from harness.store.documents import base
from harness.store.documents.network import Network

NETWORKS = sorted(registry.networks())


@pytest.mark.parametrize("name", NETWORKS)
def test_what_is_written_is_of_the_type_and_comes_back(tmp_path: Path, name: str) -> None:
    graph = registry.networks()[name].graph(batch=1, relu6="clip")
    path, _ = write_package(graph, tmp_path)
    document = base.read_document(path, Network)
    assert document.digest == graph.digest
    assert [op.name for op in document.ops] == [op.name for op in graph.ops]
    again = tmp_path / "again.json"
    base.write_document(again, document)
    assert as_json(read_structure(again)) == as_json(graph)
