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
