"""The block of all layers: what goes in comes out, texts once, nothing that could end its element."""

from __future__ import annotations

import base64
import json
import re
import zlib

from harness.analysis.grid import grid_of
from harness.matrix.cell import Treatment
from harness.report.layer_data import encoded, layer_document
from tests.report.composed import cell, engine, layers, on_hosts, run
from tests.report.payloads import PAYLOADS


def test_every_layer_comes_back_with_its_time_and_ops() -> None:
    names = list(PAYLOADS)
    document = layer_document(
        grid_of(run(cell("1", [1.0], engine(layers(names))), cell("2", status="failed")))
    )
    # As the page reads it, and whoever reads the page.
    found = json.loads(zlib.decompress(base64.b64decode(encoded(document))))
    strings, (one,) = found["strings"], found["cells"]
    assert [strings[i] for i in one["names"]] == names
    assert [[strings[i] for i in ops] for ops in one["ops"]] == [[name] for name in names]
    assert one["times"][:3] == [10_000, 20_000, 30_000]
    assert one["total"] == sum(one["times"])


def test_hosts_of_a_cell_stand_beside_each_other() -> None:
    both = on_hosts("8.6", Treatment(), {"a": "H100", "b": "H200"}, a=[1.0, 1.1], b=[0.9])
    ids = [found["id"] for found in layer_document(grid_of(run(both)))["cells"]]
    assert ids == [f"{both.cell.id} on H100 host-a", f"{both.cell.id} on H200 host-b"]


def test_texts_are_kept_once() -> None:
    cells = [cell(str(v), [1.0], engine(layers(["a", "b"]))) for v in range(5)]
    strings = layer_document(grid_of(run(*cells)))["strings"]
    assert len(strings) == len(set(strings))


def test_block_is_base64_alone() -> None:
    block = encoded(layer_document(grid_of(run(cell("1", [1.0], engine(layers(PAYLOADS)))))))
    assert re.fullmatch(r"[A-Za-z0-9+/]+=*", block)
