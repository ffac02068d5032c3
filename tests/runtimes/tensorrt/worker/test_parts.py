"""The parts that need no TensorRT: profiles, logs, launch-bound builds, and a machine without a GPU."""

from __future__ import annotations

import gzip
import os
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from harness.runtimes.tensorrt.worker import driver, memory
from harness.runtimes.tensorrt.worker.dialect_legacy import Tensor
from harness.runtimes.tensorrt.worker.library import load
from harness.runtimes.tensorrt.worker.logger import Log, Redirected, make_logger
from harness.runtimes.tensorrt.worker.nvml import Nvml
from harness.runtimes.tensorrt.worker.passes import launch_bound, median
from harness.runtimes.tensorrt.worker.profile import LayerProfile, profile_json, samples_json
from harness.runtimes.tensorrt.worker.session import Session
from harness.store.documents.profile import read_profile_runs
from harness.worker.errors import FailedError
from harness.worker.result import Result
from tests.runtimes.tensorrt.worker.surface import module


class _Profiler:
    def __init__(self) -> None:
        pass


def test_layers_of_one_name_stay_apart(tmp_path: Path) -> None:
    """Rows are known by position, and a run of other layers is counted, not mixed in."""
    rows = [("conv", 1.0), ("copy", 0.0), ("copy", 0.5)]
    context = SimpleNamespace(profiler=None)

    def execute() -> None:
        if context.profiler is not None:
            for name, ms in rows[:2] if len(context.profiler.runs) == 7 else rows:
                context.profiler.report_layer_time(name, ms)

    session: Any = SimpleNamespace(context=context, execute=execute)
    taken = LayerProfile(SimpleNamespace(IProfiler=_Profiler), False, session, Result(str(tmp_path)))
    taken.take(2)
    taken.take(1)
    samples = samples_json(taken.runs, taken.of_other_layers)
    assert samples["runs"] == 2
    assert samples["runs_of_other_layers"] == 1
    profile = read_profile_runs(tmp_path / "evidence")
    assert profile is not None
    rounds = [(one.round, one.settle, len(one.inference_ms)) for one in profile.rounds]
    assert rounds == [(0, 5, 1), (1, 2, 1)]
    exported = profile_json(samples)
    assert exported[0] == {"count": 2}
    assert [row["name"] for row in exported[1:]] == ["conv", "copy", "copy"]
    assert [row["timeMs"] for row in exported[1:]] == [2.0, 0.0, 1.0]
    assert sum(row["percentage"] for row in exported[1:]) == pytest.approx(100, abs=0.01)


@pytest.mark.parametrize(("values", "middle"), [([3.0], 3.0), ([4.0, 1.0], 2.5), ([9.0, 1.0, 2.0], 2.0)])
def test_the_median_is_the_middle(values: list[float], middle: float) -> None:
    assert median(values) == middle


@pytest.mark.parametrize(
    ("enqueue", "graph", "answer"),
    [(0.95, None, True), (0.9, 1.0, True), (0.2, 0.9, True), (0.2, 0.91, False), (0.2, None, None)],
)
def test_launching_bounds_a_build(enqueue: float, graph: float | None, answer: bool | None) -> None:
    facts = {"latency_median_ms": 1.0, "latency_enqueue_median_ms": enqueue}
    if graph is not None:
        facts["cuda_graph_median_ms"] = graph
    assert launch_bound(facts) is answer


def test_a_python_logger_keeps_every_message_with_its_severity(
    tmp_path: Path, all_surfaces: dict[str, Any]
) -> None:
    log = Log()
    logger = make_logger(module(all_surfaces["8.5.3.1"]), log)
    for severity, text in ((4, "one\ntwo"), (1, "Error Code 10"), (1, "a consequence")):
        logger.log(severity, text)
    log.write(str(tmp_path / "build.log.gz"))
    with gzip.open(tmp_path / "build.log.gz", "rt") as stream:
        lines = stream.read().splitlines()
    assert lines == ["[TRT] [V] one", "two", "[TRT] [E] Error Code 10", "[TRT] [E] a consequence"]
    assert log.reason("otherwise") == "Error Code 10"
    log.forget()
    assert log.reason("otherwise") == "otherwise"


def test_what_a_built_in_logger_prints_is_caught_on_file_descriptor_2(all_surfaces: dict[str, Any]) -> None:
    trt, log = module(all_surfaces["7.2.3"]), Log()
    with Redirected(trt, log):
        os.write(2, b"[TensorRT] VERBOSE: Original: 3 layers\n[TensorRT] ERROR: out of memory\n")
    assert log.lines == ["[TensorRT] VERBOSE: Original: 3 layers", "[TensorRT] ERROR: out of memory"]
    assert log.reason("otherwise") == "out of memory"


def test_a_runtime_that_is_not_installed_is_named() -> None:
    with pytest.raises(FailedError, match="cannot import tensorrt_rtx"):
        load("tensorrt_rtx")


@pytest.mark.skipif(driver.open_driver() is not None, reason="this machine has a GPU")
def test_without_a_gpu_every_way_to_memory_says_why_it_fails() -> None:
    with pytest.raises(FailedError, match=r"pycuda: .*; ctypes: "):
        memory.open_memory("auto")
    assert Nvml("GPU-0").problem
    assert Nvml("GPU-0").driver_version() is None


def test_an_unknown_way_to_memory_is_refused() -> None:
    with pytest.raises(FailedError, match="none of pycuda, ctypes"):
        memory.open_memory("opencl")


class HostMemory:
    """A back end whose device is host memory: addresses are positions of a list."""

    def __init__(self) -> None:
        self.blocks: list[np.ndarray] = []

    def allocate(self, size: int) -> int:
        self.blocks.append(np.zeros(size, np.uint8))
        return len(self.blocks) - 1

    def pinned(self, size: int) -> np.ndarray:
        return np.zeros(size, np.uint8)

    def stream(self) -> int:
        return 1

    def synchronize(self, stream: int) -> None:
        assert stream == 1

    def upload(self, address: int, array: np.ndarray, _stream: int) -> None:
        self.blocks[address][: array.nbytes] = array

    def download(self, array: np.ndarray, address: int, _stream: int) -> None:
        array[:] = self.blocks[address][: array.nbytes]


class CopyingDialect:
    """An engine that copies its input to its output, both as HWC8 in FP16."""

    def __init__(self, memory: HostMemory) -> None:
        self.memory = memory

    def tensors(self, _engine: Any, _context: Any) -> list[Tensor]:
        shape = (2, 3, 4, 5)
        return [Tensor("input", True, shape, "fp16", "HWC8"), Tensor("logits", False, shape, "fp16", "HWC8")]

    def bind(self, _context: Any, names: list[str], _addresses: list[int]) -> None:
        assert names == ["input", "logits"]

    def enqueuer(self, _context: Any, addresses: list[int], _stream: int) -> Any:
        def copy() -> None:
            self.memory.blocks[addresses[1]][:] = self.memory.blocks[addresses[0]]

        return copy

    executor = lambda self, context, addresses: self.enqueuer(context, addresses, 1)  # noqa: E731


def test_a_session_packs_its_inputs_and_unpacks_its_outputs() -> None:
    memory_ = HostMemory()
    engine = SimpleNamespace(create_execution_context=lambda: object())
    session = Session(CopyingDialect(memory_), engine, memory_, {"logits": (2, 3, 4, 5)}, {})  # type: ignore[arg-type]
    assert session.sizes == [2 * 4 * 5 * 8 * 2] * 2
    values = np.random.default_rng(0).standard_normal((2, 3, 4, 5)).astype(np.float16).astype(np.float32)
    session.fill({"input": values})
    np.testing.assert_array_equal(session.infer()["logits"], values)
    with pytest.raises(FailedError, match="reads 'input'"):
        session.fill({"engine": values})
