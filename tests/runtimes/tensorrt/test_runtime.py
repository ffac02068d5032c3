"""What is said about TensorRT before anything is fetched or run."""

import pytest

from harness.matrix.cell import Cell, Treatment
from harness.plugins import registry
from harness.runtimes.tensorrt import runtime as tensorrt


def cell(
    version: str, runtime: str = "tensorrt", environment: str = "docker", **treatment: str | int
) -> Cell:
    return Cell("mobilenet_v2", Treatment(**treatment), runtime, version, environment)  # type: ignore[arg-type]


@pytest.fixture
def h200(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tensorrt, "gpus", lambda: [{"compute_capability": "9.0"}])


def test_both_runtimes_are_registered() -> None:
    assert {"tensorrt", "tensorrt_rtx"} <= set(registry.runtimes())


@pytest.mark.usefixtures("h200")
def test_tensorrt_5_cannot_run_on_hopper() -> None:
    reason = registry.runtimes()["tensorrt"].unsupported(cell("5.1.5"))
    assert reason is not None
    assert "compute capability 9.0" in reason
    assert "8.5.0" in reason


@pytest.mark.usefixtures("h200")
def test_tensorrt_8_6_runs_on_hopper() -> None:
    assert registry.runtimes()["tensorrt"].unsupported(cell("8.6.0", environment="venv")) is None


def test_one_gpu_that_fits_is_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    both = [{"compute_capability": "9.0"}, {"compute_capability": "7.5"}]
    monkeypatch.setattr(tensorrt, "gpus", lambda: both)
    assert registry.runtimes()["tensorrt"].unsupported(cell("5.1.5")) is None


@pytest.mark.parametrize(
    ("version", "treatment", "part"),
    [
        ("10.0.1", {"batch_mode": "implicit"}, "implicit batch went away"),
        ("5.1.5", {"batch_mode": "explicit"}, "came with 6.0"),
        ("8.6.0", {"typing": "strong"}, "came with 9.0"),
        ("11.0", {"typing": "weak"}, "went away in 11.0"),
        ("5.0.2", {"tensor_format": "hwc8"}, "came with 6.0"),
    ],
)
def test_a_treatment_that_a_version_lacks(
    monkeypatch: pytest.MonkeyPatch, version: str, treatment: dict[str, str], part: str
) -> None:
    monkeypatch.setattr(tensorrt, "gpus", list)
    reason = registry.runtimes()["tensorrt"].unsupported(cell(version, **treatment))
    assert reason is not None
    assert part in reason


def test_a_release_without_a_complete_wheel_is_refused_in_a_venv(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tensorrt, "gpus", list)
    reason = registry.runtimes()["tensorrt"].unsupported(cell("10.3.0", environment="venv"))
    assert reason is not None
    assert "8.5.1.7" in reason


def test_rtx_has_neither_weak_typing_nor_implicit_batch() -> None:
    rtx = registry.runtimes()["tensorrt_rtx"]
    assert rtx.unsupported(cell("1.7.1.116", "tensorrt_rtx")) is None
    assert rtx.unsupported(cell("1.7.1.116", "tensorrt_rtx", typing="weak")) is not None
    assert rtx.unsupported(cell("1.7.1.116", "tensorrt_rtx", batch_mode="implicit")) is not None


def test_the_wheels_bring_the_libraries_of_their_cuda() -> None:
    runtime = registry.runtimes()["tensorrt"]
    assert any(line.startswith("nvidia-cublas-cu11") for line in runtime.requirements("8.5.3.1", (3, 9)))
    assert any(line.startswith("nvidia-cublas-cu12") for line in runtime.requirements("8.6.0", (3, 9)))
    assert runtime.pythons("8.6.0") == ((3, 6), (3, 10))
    assert runtime.pythons("10.3.0") is None


def test_versions_come_oldest_first() -> None:
    versions = list(registry.runtimes()["tensorrt"].known_versions())
    assert versions.index("5.0.2") < versions.index("8.5.3.1") < versions.index("8.6.0") < len(versions) - 1


@pytest.mark.parametrize(
    ("version", "opset"),
    [("5.0.2", 7), ("5.1.5", 9), ("6.0.1", 10), ("7.0.0", 11), ("7.2.3", 13), ("8.6.0", 13), ("11.0", 13)],
)
def test_an_export_is_no_newer_than_the_parser(version: str, opset: int) -> None:
    assert getattr(registry.runtimes()["tensorrt"], "onnx_opset")(version) == opset  # noqa: B009
