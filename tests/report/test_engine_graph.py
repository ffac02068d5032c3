"""Engine graphs: the drawing of the page, and DOT that is read back as it was written."""

from __future__ import annotations

import re
import shutil
import subprocess
from itertools import combinations
from pathlib import Path
from xml.etree import ElementTree

import hypothesis.strategies as st
import pytest
from hypothesis import given

from harness.analysis.grid import grid_of
from harness.plugins.reading import observe
from harness.report.dot import dot, quoted
from harness.report.engine_graph import _arcs, engine_graphs
from tests.report.composed import cell, engine, graph, layers, run
from tests.runtimes.worker_builds import bundle, v1

SVG = "{http://www.w3.org/2000/svg}"
NAMES = ("a", "b", "c")
NODE = re.compile(r'^  (n\d+|"(?:[^"\\]|\\.)*") \[label="(?:[^"\\]|\\.)*", .*\];$', re.M)
EDGE = re.compile(r'^  (n\d+|"(?:[^"\\]|\\.)*") -> (n\d+|"(?:[^"\\]|\\.)*") \[.*\];$', re.M)

ends = st.tuples(st.integers(0, 40), st.integers(2, 20)).map(lambda pair: (pair[0], pair[0] + pair[1]))


@given(st.lists(ends, max_size=30, unique=True))
def test_arcs_of_one_channel_do_not_overlap_and_no_channel_is_wasted(pairs: list[tuple[int, int]]) -> None:
    arcs, channels = _arcs(pairs)
    drawn = [tuple(map(int, re.findall(r"-?\d+", arc)[1:4])) for arc in arcs]
    for (y1, x1, end1), (y2, x2, end2) in combinations(drawn, 2):
        assert x1 != x2 or max(y1, y2) >= min(end1, end2)
    assert len({x for _, x, _ in drawn}) == channels
    # Some row is crossed by as many arcs as there are channels.
    crossing = max((sum(a <= row < b for a, b in pairs) for row, _ in pairs), default=0)
    assert channels == crossing


def test_real_engines_are_drawn_with_formats_and_marked_reformats(tmp_path: Path) -> None:
    grid = grid_of(observe([bundle((v1("8.5.3.1"), v1("8.6.0")), tmp_path / "run")]))
    drawn = engine_graphs(grid, 1)
    assert drawn.left_out == 1
    (found,) = drawn.drawn
    build = grid.built[0].typical_build
    assert build is not None
    assert build.engine is not None
    assert len(found.nodes) == len(build.engine.layers) + 2
    assert (found.nodes[0].name, found.nodes[-1].name) == ("input", "logits")
    moved = [node for node in found.nodes if node.kind == "reformat"]
    assert moved
    assert f"{len(moved)} reformats run: {moved[0].name}" in found.words
    assert all(node.format for node in found.nodes[:-1])
    text = dot(found.title, build.engine)
    assert len(NODE.findall(text)) == len(build.engine.layers) + 2
    assert len(EDGE.findall(text)) == len(build.engine.edges)
    assert text.count("shape=hexagon") == len(moved)


def test_builds_whose_layers_cannot_be_tied_are_not_drawn() -> None:
    tied = cell("1", [1.0], engine(layers(NAMES), graph(NAMES)))
    grid = grid_of(run(tied, cell("2", [1.0], engine(layers(NAMES)))))
    assert [node.name for node in engine_graphs(grid, 9).drawn[0].nodes] == ["t0", *NAMES, "t3"]
    assert len(engine_graphs(grid, 9).drawn) == 1


@given(st.text())
def test_any_name_is_read_back_from_its_quotes(name: str) -> None:
    text = quoted(name)
    assert re.fullmatch(r'"(?:[^"\\\n]|\\.)*"', text)
    back = re.sub(r"\\(.)", lambda m: "\n" if m[1] == "n" else m[1], text[1:-1])
    assert back == name.replace("\r", "")


def test_graphviz_draws_it_with_the_names_as_they_are() -> None:
    program = shutil.which("dot")
    if program is None:
        pytest.skip("no Graphviz on this machine (Debian: graphviz)")
    names = (
        "first/Conv2D",
        'a "quoted" name',
        "back\\slash\\n",
        "<b>bold</b>",
        "&lt;entity&gt; & more",
        "é 卷积",
    )
    text = dot("a title", engine(layers(names), graph(names)))
    done = subprocess.run([program, "-Tsvg"], input=text, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")
    drawn = [said.text for said in ElementTree.fromstring(done.stdout).iter(f"{SVG}text")]
    assert {"a title", "t0", f"t{len(names)}", *names} <= {*drawn}
