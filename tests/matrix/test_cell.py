from __future__ import annotations

import pytest

from harness.matrix.cell import Cell, Treatment


def test_the_id_names_the_usual_axes_and_nothing_that_is_default() -> None:
    cell = Cell("mobilenet_v2", Treatment(), "openvino", "2024.6.0", "venv")
    assert cell.id == "mobilenet_v2-fp32-b1-clip-openvino-2024.6.0"


def test_the_id_names_each_axis_that_is_not_default() -> None:
    treatment = Treatment(
        precision="fp16", batch=8, tensor_format="hwc8", source="onnx", tactic_sources="core"
    )
    cell = Cell("mobilenet_v1", treatment, "tensorrt", "8.6.0", "docker", "aa")
    assert cell.id == "mobilenet_v1-fp16-b8-clip-hwc8-from_onnx-core-tensorrt-8.6.0-aa"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("precision", "fp16"),
        ("batch", 4),
        ("relu6", "relu_sub"),
        ("tensor_format", "hwc"),
        ("source", "onnx"),
        ("batch_mode", "implicit"),
        ("typing", "strong"),
        ("tactic_sources", "all"),
        ("timing_cache", "on"),
        ("cuda_graph", "on"),
        ("l2", "cold"),
        ("copies", "in"),
    ],
)
def test_every_axis_changes_the_id(field: str, value: object) -> None:
    plain = Treatment()
    changed = Treatment(**{**plain.as_json(), field: value})  # type: ignore[arg-type]
    assert changed.label != plain.label


def test_an_unknown_batch_stays_unknown() -> None:
    assert Treatment(precision="unknown", batch=None, relu6="unknown").label == "unknown-bunknown-unknown"


def test_json_and_back() -> None:
    cell = Cell("mobilenet_v2", Treatment(batch=8, l2="cold"), "tensorrt", "8.6.0", "venv", "aa")
    assert Cell.from_json(cell.as_json()) == cell


def test_the_subject_does_not_know_the_version() -> None:
    old, new = (Cell("n", Treatment(), "tensorrt", v, "venv") for v in ("8.5.3.1", "8.6.0"))
    assert old.subject == new.subject
    assert old.release != new.release


def test_both_relu6_forms_go_together() -> None:
    clip, pieces = (
        Cell("n", Treatment(relu6=form), "tensorrt", "8.6.0", "venv") for form in ("clip", "relu_sub")
    )
    assert clip.subject != pieces.subject
    assert clip.without_relu6 == pieces.without_relu6 == "n-fp32-b1"
