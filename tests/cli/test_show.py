"""``trtmatrix show`` on bundles written here."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from harness.cli import judge, report, show
from harness.errors import NothingChosenError, OptionsContradictError, UnknownNameError
from tests.cli.composed_runs import bundle, call
from tests.runtimes.worker_builds import bundle as worker_bundle
from tests.runtimes.worker_builds import v1


def test_builds_of_several_hosts_are_never_averaged(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = bundle(tmp_path / "run", {"2024.0.0": 3.0}, (1.0, 1.0, 2.0))
    said = run / "builds/mobilenet_v2-fp32-b1-clip-openvino-2024.0.0/2/build.json"
    said.write_text(said.read_text(encoding="utf-8").replace("host-a", "host-b"), encoding="utf-8")
    assert call(show, str(run), "--json") == 0
    rows = json.loads(capsys.readouterr().out)
    assert [(row["host"], row["builds"], row["latency_ms"]) for row in rows] == [
        ("host-a", 2, 3.0),
        ("host-b", 1, 6.0),
    ]
    assert call(show, str(run)) == 0
    assert [line.split()[1] for line in capsys.readouterr().out.splitlines()] == ["host", "host-a", "host-b"]


def test_one_host_is_not_named_in_every_row(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert call(show, str(bundle(tmp_path / "run", {"2024.0.0": 3.0}))) == 0
    head, row = capsys.readouterr().out.splitlines()
    assert "host" not in head
    assert row.split()[1:3] == ["measured", "3"]


def test_builds_without_a_latency_are_builds(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = bundle(tmp_path / "run", {"2024.0.0": 3.0})
    for samples in run.glob("builds/*/*/samples.json"):
        samples.unlink()
    assert call(show, str(run), "--json") == 0
    (row,) = json.loads(capsys.readouterr().out)
    assert (row["builds"], row["latency_ms"]) == (3, None)


def test_a_cell_that_was_built_and_is_wrong_has_its_builds(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = bundle(tmp_path / "run", {"2024.0.0": 3.0})
    for said in run.glob("builds/*/*/build.json"):
        document = json.loads(said.read_text(encoding="utf-8"))
        document["outputs"] = {
            **(document.get("outputs") or {}),
            "valid": False,
            "error": 0.5,
            "bound": 0.001,
            "reason": "outputs differ",
        }
        said.write_text(json.dumps(document), encoding="utf-8")
    assert call(show, str(run), "--json") == 0
    (row,) = json.loads(capsys.readouterr().out)
    assert (row["builds"], row["latency_ms"]) == (3, None)


def test_what_cannot_be_told_says_what_would_settle_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = bundle(tmp_path / "run", {"2024.0.0": 3.0, "2024.6.0": 2.7}, (0.95, 1.0, 1.04))
    assert call(show, str(run)) == 0
    cells, _, answers = capsys.readouterr().out.partition("\n\n")
    *rows, line = cells.splitlines()
    assert all("one after the other" in row for row in rows[1:])
    assert "images per s" in rows[0]
    assert answers.startswith("openvino\n  Which version? None stands out of 2024.0.0, 2024.6.0: ")
    assert line.startswith(
        "latency of mobilenet_v2-fp32-b1-clip-openvino-2024.6.0 cannot be told from that of 2024.0.0; "
        "would be settled by about "
    )
    assert call(show, str(run), "--json") == 0
    first, second = json.loads(capsys.readouterr().out)
    assert (first["measured"], first["settles"]) == ("one after the other", None)
    assert line.endswith(second["settles"])


def test_a_runtime_whose_plugin_is_not_here_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = bundle(tmp_path / "run", {"2024.0.0": 3.0})
    for said in (run / "manifest.json", *run.glob("builds/*/*/build.json")):
        said.write_text(said.read_text(encoding="utf-8").replace("openvino", "acme"), encoding="utf-8")
    (built,) = (run / "builds").iterdir()
    built.rename(built.with_name(built.name.replace("openvino", "acme")))
    assert call(show, str(run), "--json") == 0
    found = capsys.readouterr()
    assert json.loads(found.out)[0]["latency_ms"] == 3.0
    assert found.err == (
        "no runtime is called 'acme' here: of 1 cell only latencies are read; install its plugin\n"
    )
    assert call(judge, str(run)) == 0
    assert "no runtime is called 'acme' here" in capsys.readouterr().out
    page = tmp_path / "page.html"
    assert call(report, str(run), "-o", str(page)) == 0
    assert "No runtime is called &#39;acme&#39; here" in page.read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of real builds of MobileNet v1 on two versions."""
    return worker_bundle((v1("8.5.3.1"), v1("8.6.0")), tmp_path_factory.mktemp("recorded") / "run")


def test_a_trace_and_an_engine_graph_are_written(
    recorded: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    trace, graph = tmp_path / "trace.json", tmp_path / "engine.dot"
    assert call(show, str(recorded), "8.6.0/0", "--trace", str(trace), "--dot", str(graph)) == 0
    said = capsys.readouterr().out.splitlines()
    assert said[0].startswith(f"trace: {trace}")
    assert said[1].endswith(f"tensorrt-8.6.0, build 0: {graph}")
    assert json.loads(trace.read_text(encoding="utf-8"))["traceEvents"]
    assert graph.read_text(encoding="utf-8").startswith("digraph")


def test_a_cell_is_named_by_any_part_that_no_other_has(
    recorded: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call(show, str(recorded), "8.6.0", "--json") == 0
    (row,) = json.loads(capsys.readouterr().out)
    assert row["cell"].endswith("tensorrt-8.6.0")
    with pytest.raises(UnknownNameError, match=r"did you mean 'mobilenet_v1\S+tensorrt-8\.6\.0'"):
        call(show, str(recorded), "tensort-8.6.0")
    with pytest.raises(UnknownNameError, match="2 cells have that in their name"):
        call(show, str(recorded), "tensorrt")
    with pytest.raises(UnknownNameError, match="has no build 7; its builds are 0"):
        call(show, str(recorded), "8.6.0/7")
    with pytest.raises(OptionsContradictError, match="--dot needs CELL"):
        call(show, str(recorded), "--dot", "engine.dot")


def test_a_run_without_layer_times_has_no_trace(tmp_path: Path) -> None:
    run = bundle(tmp_path / "run", {"2024.0.0": 3.0})
    with pytest.raises(NothingChosenError, match="none of these builds has layer times"):
        call(show, str(run), "--trace", str(tmp_path / "trace.json"))
    with pytest.raises(NothingChosenError, match="no layers are known"):
        call(show, str(run), "2024", "--dot", str(tmp_path / "engine.dot"))


def test_what_builds_take_on_their_own_is_told_in_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = bundle(tmp_path / "run", {"2024.0.0": 3.0})
    assert call(show, str(run)) == 0
    assert "alone" not in capsys.readouterr().out, "bundles of before say nothing"
    for number, folder in enumerate(sorted(run.glob("builds/*/*"))):
        slices = [{"pass": "latency", "cycle": n, "latency_ms": [3.0] * 4} for n in range(3)]
        alone = [{"pass": "latency", "cycle": 0, "latency_ms": [2.5 + number / 1000] * 4}]
        samples = {"schema": "trtmatrix.samples/2", "slices": slices, "alone": alone if number < 2 else []}
        (folder / "samples.json").write_text(json.dumps(samples), encoding="utf-8")
        said = json.loads((folder / "build.json").read_text(encoding="utf-8"))
        (folder / "build.json").write_text(json.dumps({**said, "block": "b"}), encoding="utf-8")
    assert call(show, str(run)) == 0
    (line,) = [one for one in capsys.readouterr().out.splitlines() if "alone" in one]
    assert line.startswith("side by side 3.000 ms, alone 2.500 ms: 19.98 % (19.67 % to 20.28 %) apart")
    assert "warning: that is more than is material (1 %)" in line
    page = tmp_path / "page.html"
    assert call(report, str(run), "-o", str(page)) == 0
    text = page.read_text(encoding="utf-8")
    assert line[1:] in text
    assert '<p class="alone">' in text, "not set back as what is no matter is"
