"""Properties of the suites' tests, read from a real JUnit file of a stored bundle (composed times)."""

from __future__ import annotations

import json
import math
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from msgspec import structs

from harness.analysis.table import Change, State
from harness.analysis.verdict import Verdict
from harness.matrix.cell import Cell, Treatment
from harness.observations.records import BuildObservation, CellObservation, OutputCheck
from harness.pytest_plugin.properties import judged, measured
from harness.resources import data_folder
from harness.store.bundle import Bundle
from harness.store.documents.build import Build, Outputs
from harness.store.documents.manifest import Manifest
from harness.store.documents.origin import Host

SUITES = str(data_folder("suites"))
SUBJECT = "mobilenet_v2-fp32-b1-clip-openvino"
OLD, NEW, WRONG, AWAY = "2023.0.2", "2024.0.0", "2024.6.0", "2025.0.0"


def cell(version: str) -> Cell:
    return Cell("mobilenet_v2", Treatment(), "openvino", version, "venv")


def put_build(
    made: Bundle, version: str, number: int, latency: float, outputs: Outputs, facts: dict[str, object]
) -> None:
    files = made.root / f"incoming-{number}"
    (files / "evidence").mkdir(parents=True)
    (files / "result.json").write_text(json.dumps({"facts": facts}), encoding="utf-8")
    window = {"pass": "latency", "window": 0, "clock": "host", "latency_ms": [latency] * 5}
    (files / "samples.json").write_text(json.dumps({"windows": [window]}), encoding="utf-8")
    host = Host(machine="host-a", device="cpu")
    document = Build(
        cell=cell(version).id, build=number, status="ok", host=host, round=number, outputs=outputs
    )
    made.put_build(files, document)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An old version, a faster one, one with an output that is missing, and one that could not run."""
    made = Bundle.create(
        tmp_path_factory.mktemp("composed") / "run", Manifest(run="composed", state="complete")
    )
    good = Outputs(valid=True, error=0.0, bound=1e-4, top1=1.0)
    for version, latency in ((OLD, 4.0), (NEW, 3.0)):
        made.set_cell(cell(version), "measured")
        for number, factor in enumerate((1.0, 1.25, 0.8) if version == OLD else (1.0, 1.004, 0.996)):
            facts: dict[str, object] = {} if version == OLD else {"launch_bound": number == 1}
            put_build(
                made, version, number, latency * factor, structs.replace(good, error=1e-5 * number), facts
            )
    made.set_cell(cell(WRONG), "invalid", "no output 'logits'")
    put_build(made, WRONG, 0, 1.0, structs.replace(good, valid=False, error=None), {"launch_bound": None})
    made.set_cell(cell(AWAY), "unsupported", "no wheel for this Python")
    made.save()
    return made.root


@pytest.fixture(scope="module")
def properties(run: Path) -> dict[str, dict[str, str]]:
    """Name of each test to its properties in the JUnit file."""
    arguments = (f"--matrix-run={run}", "--junitxml=junit.xml", "-p", "no:cacheprovider")
    subprocess.run([sys.executable, "-m", "pytest", SUITES, *arguments], cwd=run.parent, check=False)
    found = {}
    for case in ElementTree.parse(run.with_name("junit.xml")).iter("testcase"):
        pairs = [(p.attrib["name"], p.attrib["value"]) for p in case.iter("property")]
        assert len(dict(pairs)) == len(pairs), f"{case.attrib['name']} says something twice"
        found[case.attrib["name"]] = dict(pairs)
    return found


def test_every_test_says_what_was_measured_of_its_cell(properties: dict[str, dict[str, str]]) -> None:
    for test in ("builds", "outputs", "layers"):
        said = properties[f"test_{test}[{SUBJECT}-{OLD}]"]
        assert said.items() >= {
            ("network", "mobilenet_v2"),
            ("treatment", "fp32-b1-clip"),
            ("release", f"openvino {OLD}"),
            ("builds", "3"),
            ("builds_used", "3"),
            ("outputs_valid", "true"),
            ("outputs_error", "2e-05"),
            ("outputs_bound", "0.0001"),
        }
        # 4, 5 and 3.2 ms: the mean is the geometric one.
        assert float(said["latency_ms"]) == pytest.approx(4.0)
        low, high = float(said["latency_low_ms"]), float(said["latency_high_ms"])
        assert low < 3.2 < 5.0 < high
        assert low * high == pytest.approx(16.0, rel=1e-4)
        assert "launch_bound" not in said
        assert "verdict" not in said
    assert properties[f"test_latency[{SUBJECT}-{NEW}-build1]"]["latency_ms"] == "2.99998"
    assert properties[f"test_builds[{SUBJECT}-{NEW}]"]["launch_bound"] == "true"


def test_a_bottleneck_says_its_verdict(properties: dict[str, dict[str, str]]) -> None:
    said = properties[f"test_bottlenecks[{SUBJECT}-{NEW}-latency]"]
    # Three builds that scatter by 20 % show no change of this size: the effect is there, no change is.
    assert (said["bottleneck"], said["against"], said["verdict"]) == ("latency", OLD, "indeterminate")
    assert "change" not in said
    assert "state" not in said
    assert float(said["effect"]) == pytest.approx(0.75, rel=1e-3)
    assert float(said["effect_low"]) < 0.75 < float(said["effect_high"])
    assert "could have been shown" in said["reason"]
    no_layers = properties[f"test_bottlenecks[{SUBJECT}-{NEW}-depthwise]"]
    assert no_layers["reason"] == "no build has layer times that tell"
    assert not {"state", "change", "effect", "effect_low", "effect_high"} & set(no_layers)


def test_what_was_not_measured_is_left_out(properties: dict[str, dict[str, str]]) -> None:
    wrong = properties[f"test_outputs[{SUBJECT}-{WRONG}]"]
    assert (wrong["builds"], wrong["builds_used"], wrong["outputs_valid"]) == ("1", "0", "false")
    assert wrong["outputs_bound"] == "0.0001"
    assert not {"outputs_error", "latency_ms", "latency_low_ms", "launch_bound"} & set(wrong)
    away = properties[f"test_builds[{SUBJECT}-{AWAY}]"]
    assert set(away) == {"network", "treatment", "release"}
    assert properties[f"test_bottlenecks[{SUBJECT}-{AWAY}-latency]"]["verdict"] == "unsupported"


def test_a_test_that_asks_for_no_measurement_starts_none(pytester: pytest.Pytester, run: Path) -> None:
    pytester.makepyfile(
        """
        def test_cell(trtmatrix_cell, record_property):
            record_property("mine", trtmatrix_cell.version)
        """
    )
    pytester.runpytest_subprocess(f"--matrix-run={run}", "--junitxml=junit.xml").assert_outcomes(passed=4)
    case = next(ElementTree.parse(pytester.path / "junit.xml").iter("testcase"))
    names = [p.attrib["name"] for p in case.iter("property")]
    assert names == ["network", "treatment", "release", "mine"]


def test_one_build_has_no_interval() -> None:
    build = BuildObservation(0, "ok", "host-a", passes={"latency": np.array([2.0, 2.5, 9.0])})
    assert measured(CellObservation(cell(OLD), "measured", builds=(build,))) == [
        ("builds", "1"),
        ("builds_used", "1"),
        ("latency_ms", "2.5"),
    ]


def test_the_worst_build_speaks_for_the_outputs() -> None:
    checks = [
        OutputCheck(True, 3e-5, 1e-4),
        OutputCheck(False, math.inf, 1e-4),
        OutputCheck(False, 0.3, 1e-4),
    ]
    builds = [BuildObservation(i, "ok", "host-a", outputs=check) for i, check in enumerate(checks)]
    found = dict(measured(CellObservation(cell(OLD), "invalid", builds=tuple(builds))))
    assert (found["outputs_valid"], found["outputs_bound"]) == ("false", "0.0001")
    assert "outputs_error" not in found
    found = dict(measured(CellObservation(cell(OLD), "invalid", builds=(builds[0], builds[2]))))
    assert found["outputs_error"] == "0.3"


VERDICT = Verdict(
    bottleneck="relu6",
    network="mobilenet_v2",
    treatment="fp32-b1-clip",
    runtime="openvino",
    version=NEW,
    host="host-a",
    verdict="removed",
    reason="0.010 times (0.009 to 0.011), present before and absent now",
    cell=f"{SUBJECT}-{NEW}",
    state=State.ABSENT,
    change=Change.REMOVED,
    effect=0.01,
    interval=(0.009, math.inf),
    against=OLD,
)


def test_a_verdict_in_full() -> None:
    assert judged([VERDICT]) == [
        ("bottleneck", "relu6"),
        ("against", OLD),
        ("state", "absent"),
        ("change", "removed"),
        ("verdict", "removed"),
        ("effect", "0.01"),
        ("effect_low", "0.009"),
        ("reason", VERDICT.reason),
    ]


def test_several_hosts_are_told_apart() -> None:
    said = dict(judged([VERDICT, structs.replace(VERDICT, host="host-b", verdict="reduced")]))
    assert (said["host-a:verdict"], said["host-b:verdict"]) == ("removed", "reduced")
    assert "verdict" not in said
