"""TF-TRT: which versions there are, what each needs, what it refuses."""

from __future__ import annotations

import dataclasses

import pytest

from harness.environments.gpus import without_gpu
from harness.matrix.cell import Cell
from harness.matrix.treatment import Treatment
from harness.plugins import registry
from harness.runtimes.tensorflow.runtime import TensorFlow
from harness.runtimes.tftrt.runtime import TFTRT


def test_tensorflow_with_cuda_and_tf_trt_are_one_set_of_wheels() -> None:
    with_cuda = TensorFlow().requirements("2.14.1+cu11", (3, 10))
    assert with_cuda == TFTRT().requirements("2.14.1", (3, 10))
    assert with_cuda[:2] == ("tensorflow==2.14.1", "tensorrt==8.5.3.1")
    assert TensorFlow().pythons("2.14.1+cu11") == TFTRT().pythons("2.14.1") == ((3, 9), (3, 10))
    assert TFTRT().pythons("2.15.1") is None
    assert "2.14.1+cu11" in TensorFlow().known_versions()


def test_only_the_wheels_with_cuda_occupy_a_gpu() -> None:
    tensorflow = TensorFlow()
    assert [tensorflow.device_of(version) for version in ("2.14.1", "2.14.1+cu11")] == ["cpu", "gpu"]
    assert tensorflow.distribution("2.14.1+cu11") == "tensorflow"
    assert tensorflow.opened_libraries("2.14.1") == ()
    assert without_gpu(tensorflow, "2.14.1") is None
    assert TFTRT().measures_on_gpu("2.14.1")


@pytest.mark.parametrize(
    ("treatment", "reason"),
    [
        ({"precision": "fp16", "batch_mode": "explicit", "copies": "in"}, None),
        ({"precision": "int8"}, "tftrt has no precision 'int8'"),
        ({"source": "onnx"}, "tftrt has no source 'onnx'"),
    ],
)
def test_what_tf_trt_cannot_do(treatment: dict[str, object], reason: str | None) -> None:
    changed = dataclasses.replace(Treatment(), **treatment)  # type: ignore[arg-type]
    assert TFTRT().unsupported(Cell("mobilenet_v2", changed, "tftrt", "2.14.1", "venv")) == reason


def test_placement_and_converter_are_treatments() -> None:
    table = registry.parts().treatments
    asked = Treatment(own=(("placement", "gpu"), ("converter", "v2"), ("minimum_segment_size", 5)))
    assert table.fitted(asked, "tftrt").label == "fp32-b1-clip-v2-placed_gpu-segments_of_5"
    cell = Cell("mobilenet_v2", table.fitted(asked, "tftrt"), "tftrt", "2.14.1", "venv")
    beside = Cell("mobilenet_v2", Treatment(relu6="relu_sub"), "tensorrt", "8.5.3.1", "venv")
    assert cell.beside == beside.beside == "mobilenet_v2-fp32-b1"


@pytest.mark.parametrize(
    ("version", "environment", "own", "begins"),
    [
        ("2.14.1", "venv", {}, None),
        ("2.14.1", "venv", {"converter": "v2"}, "TrtGraphConverterV2"),
        ("2.14.1", "venv", {"engines": "dynamic"}, "engines that are built at the first inference"),
        ("2.12.1", "venv", {}, "engines of 2.12.1"),
        ("1.15.0", "venv", {}, "engines of 1.15.0: with a stub of TensorRT"),
        ("5.0.2+tf1", "docker", {}, "the NGC container of 5.0.2+tf1 and its create_inference_graph"),
        ("8.5.3.1+tf2", "docker", {}, "the NGC container of 8.5.3.1+tf2 and its TrtGraphConverterV2"),
    ],
)
def test_what_was_never_run(version: str, environment: str, own: dict[str, str], begins: str | None) -> None:
    cell = Cell("mobilenet_v2", Treatment(own=tuple(own.items())), "tftrt", version, environment)
    said = TFTRT().untried(cell)
    assert said is begins or str(said).startswith(str(begins))


def test_the_release_with_a_stub_converts_and_occupies_no_gpu() -> None:
    runtime = TFTRT()
    assert runtime.known_versions()[0] == "1.15.0"
    assert (runtime.device_of("1.15.0"), runtime.measures_on_gpu("1.15.0")) == ("cpu", False)
    assert runtime.stub_libraries("1.15.0") == {"libnvinfer.so.5": {"getInferLibVersion": 5105}}
    assert runtime.stub_libraries("2.14.1") == {}
    assert "tensorflow==1.15.0" in runtime.requirements("1.15.0", (3, 7))
    assert runtime.pythons("1.15.0") == ((3, 6), (3, 7))
