"""A runtime that a ``conftest.py`` brings, its worker a file beside it: measured and judged by pytest."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.plugins.reading import observe

CONFTEST = """
import json
from pathlib import Path

from harness import hookimpl
from harness.attribution.engine import KernelFamily, LayerRole
from harness.attribution.fused import Claim, assemble
from harness.environments.needs import WorkerSource
from harness.evidence.records import EngineLayer, Evidence, LayerTime
from harness.matrix.treatment import BATCH, RELU6, TreatmentField
from harness.runtimes.base import Runtime


class Beside(Runtime):
    name = "beside"
    device = "cpu"
    environments = ("current",)
    worker = WorkerSource("beside_worker", Path(__file__).with_name("beside_worker.py"))
    treatment_fields = (BATCH, RELU6, TreatmentField("rounds", None, 1, "{}rounds", most=9))

    def installed_version(self, version):
        return "7"

    def unsupported(self, cell):
        if cell.treatment.relu6 != "clip":
            raise ArithmeticError("no other form, please")

    def read(self, folder):
        rows = json.loads((folder / "evidence" / "times.json").read_text())
        facts = json.loads((folder / "result.json").read_text())["facts"]
        layers = tuple(EngineLayer(at, name) for at, (name, _) in enumerate(rows))
        times = tuple(LayerTime(at, name, median_ms=ms) for at, (name, ms) in enumerate(rows))
        return Evidence(layers=layers, times=times, facts=facts)

    def attribute(self, graph, evidence):
        def claim(layer):
            return Claim(LayerRole.COMPUTE, KernelFamily.GEMM, (layer.name,), "name")

        return assemble(graph, evidence, claim)


@hookimpl
def trtmatrix_runtimes():
    return [Beside()]
"""

WORKER = """
import time

import numpy

from harness.worker import base
from harness.worker.cpu import latency_pass
from harness.worker.package import read_arrays, read_network


class Worker(base.Worker):
    def build(self):
        self.network = read_network(self.job.network, self.job.weights)
        self.rounds = self.job.treatment["rounds"]
        self.result.fact("rounds", self.rounds)

    def load(self):
        self.feeds = read_arrays(self.job.inputs)
        held = self.infer()
        self.result.outputs({name: held[name] for name in self.network.outputs})
        return [latency_pass(self.infer)]

    def infer(self, times=None):
        for _ in range(self.rounds):
            held = dict(self.feeds)
            for op in self.network.ops:
                begin, value = time.perf_counter(), held[op.inputs[0]]
                if op.kind == "matmul":
                    value = numpy.dot(value, self.network.weight(op, "matrix"))
                elif op.kind == "add_vector":
                    value = value + self.network.weight(op, "vector")
                else:
                    value = numpy.clip(value, 0, 6)
                held[op.output] = value
                if times is not None:
                    times[op.name] = (time.perf_counter() - begin) * 1e3
        return held

    def profile(self, iterations):
        times = {}
        self.infer(times)
        self.result.write_json("times.json", list(times.items()))
"""

TESTS = """
def test_measured(trtmatrix_cell, trtmatrix_observed):
    assert trtmatrix_observed.status == "measured", trtmatrix_observed.reason
    (build,) = trtmatrix_observed.builds
    assert build.outputs.valid
    assert build.engine.unattributed_ms == 0
    assert build.facts["rounds"] == dict(trtmatrix_cell.treatment.own)["rounds"]


def test_judged(trtmatrix_cell, trtmatrix_verdicts):
    mine = [v for v in trtmatrix_verdicts if v.cell == trtmatrix_cell.id]
    assert "pointwise" in {v.bottleneck for v in mine}
"""

MATRIX = """
schema = "trtmatrix.matrix/1"
[run]
builds = 1
[measure]
warmup_seconds = 0.01
minimum_samples = 5
maximum_seconds = 0.05
profile_iterations = 1
[[versions]]
runtime = "beside"
versions = ["7"]
[[block]]
networks = ["linear_relu6_probe"]
rounds = [1, 3]
"""


@pytest.fixture
def project(pytester: pytest.Pytester) -> Path:
    pytester.makeconftest(CONFTEST)
    pytester.makepyfile(beside_worker=WORKER, test_beside=TESTS)
    (pytester.path / "matrix.toml").write_text(MATRIX, encoding="utf-8")
    return pytester.path


def test_it_is_measured_and_judged_with_a_treatment_of_its_own(
    pytester: pytest.Pytester, project: Path
) -> None:
    result = pytester.runpytest_subprocess("--matrix=matrix.toml", "--matrix-out=run", "-v")
    result.assert_outcomes(passed=4)
    result.stdout.fnmatch_lines(
        ["*test_measured[[]linear_relu6_probe-fp32-b1-clip-3rounds-beside-7[]] PASSED*"]
    )
    # Here the conftest.py is unknown: names and times are read all the same.
    cells = observe([project / "run"]).cells
    assert [seen.cell.treatment.label for seen in cells] == ["fp32-b1-clip", "fp32-b1-clip-3rounds"]
    assert all(build.latency_ms for seen in cells for build in seen.builds)


def test_when_it_raises_its_file_is_named_and_the_other_cell_is_measured(
    pytester: pytest.Pytester, project: Path
) -> None:
    text = MATRIX.replace("rounds = [1, 3]", 'relu6 = ["clip", "relu_sub"]')
    (project / "matrix.toml").write_text(text, encoding="utf-8")
    result = pytester.runpytest_subprocess("--matrix=matrix.toml", "--matrix-out=run", "-k", "measured")
    result.assert_outcomes(passed=1, failed=1)
    line = f"*runtime 'beside' of {project / 'conftest.py'}: unsupported() raised ArithmeticError: no other*"
    result.stdout.fnmatch_lines([line])


def test_a_hook_that_there_is_not_is_one_line(pytester: pytest.Pytester, project: Path) -> None:
    text = CONFTEST.replace("def trtmatrix_runtimes", "def trtmatrix_runtime")
    (project / "conftest.py").write_text(text, encoding="utf-8")
    result = pytester.runpytest_subprocess("--matrix=matrix.toml")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([f"*{project / 'conftest.py'}: cannot be registered: unknown hook*"])
    assert "Traceback" not in result.stderr.str()


def test_a_rule_of_a_name_that_is_taken_is_one_line(pytester: pytest.Pytester, project: Path) -> None:
    rule = """
from harness.analysis.rules.relu6 import Relu6Rule


@hookimpl
def trtmatrix_bottlenecks():
    return [Relu6Rule()]
"""
    (project / "conftest.py").write_text(CONFTEST + rule, encoding="utf-8")
    result = pytester.runpytest_subprocess("--matrix=matrix.toml")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    place = project / "conftest.py"
    result.stderr.fnmatch_lines(
        [f"*the bottleneck 'relu6' comes from both trtmatrix and {place}; remove one*"]
    )
    assert "Traceback" not in result.stderr.str()
