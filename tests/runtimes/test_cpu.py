"""What the CPU runtimes need and refuse."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
from packaging.version import Version

from harness.errors import InputError
from harness.matrix.cell import Cell, Treatment
from harness.plugins import registry
from harness.runtimes.cpu import numpy_for
from harness.runtimes.onnxruntime.runtime import OnnxRuntime
from harness.runtimes.openvino.runtime import OpenVino


@pytest.mark.parametrize("name", ["onnxruntime", "openvino", "tensorflow"])
def test_they_are_registered_with_what_the_worker_needs(name: str) -> None:
    runtime = registry.runtimes()[name]
    assert runtime.device == "cpu"
    assert runtime.environments[0] == "venv"
    assert "current" in runtime.environments
    assert runtime.worker.module == f"harness.runtimes.{name}.worker"
    assert (runtime.worker.path / "__init__.py").is_file()
    known = [Version(version) for version in runtime.known_versions()]
    assert known == sorted(set(known))
    assert all(runtime.pythons(str(version)) is not None for version in known)


@pytest.mark.parametrize(
    ("runtime", "version", "bounds"),
    [
        (OnnxRuntime(), "1.14.1", ((3, 8), (3, 10))),
        (OnnxRuntime(), "1.18.1", ((3, 8), (3, 12))),
        (OnnxRuntime(), "1.23.2", ((3, 10), (3, 13))),
        (OnnxRuntime(), "1.32.0", ((3, 11), (3, 14))),
        (OnnxRuntime(), "1.0.0", None),
        (OnnxRuntime(), "no version", None),
        (OpenVino(), "2023.1.0", ((3, 8), (3, 11))),
        (OpenVino(), "2024.6.0", ((3, 9), (3, 12))),
        (OpenVino(), "2026.2.1", ((3, 10), (3, 14))),
    ],
)
def test_which_pythons_have_wheels(
    runtime: OnnxRuntime | OpenVino, version: str, bounds: tuple[tuple[int, int], tuple[int, int]] | None
) -> None:
    assert runtime.pythons(version) == bounds


@pytest.mark.parametrize(
    ("python", "version"),
    [((3, 6), "1.19.5"), ((3, 8), "1.24.4"), ((3, 11), "1.26.4"), ((3, 12), "1.26.4"), ((3, 13), "2.1.3")],
)
def test_numpy_is_pinned_by_python(python: tuple[int, int], version: str) -> None:
    assert numpy_for(python) == f"numpy=={version}"
    assert OnnxRuntime().requirements("1.20.1", python) == ("onnxruntime==1.20.1", f"numpy=={version}")


def test_the_instruction_set_is_capped_for_openvino_and_for_the_peaks_it_is_held_against() -> None:
    assert OpenVino().environment_variables == {"ONEDNN_MAX_CPU_ISA": "AVX2", "OPENBLAS_CORETYPE": "Haswell"}
    assert OnnxRuntime().environment_variables == {}


def cell(runtime: str, **treatment: object) -> Cell:
    """Return a cell with one field of the treatment changed."""
    changed = dataclasses.replace(Treatment(), **treatment)  # type: ignore[arg-type]
    return Cell("mobilenet_v2", changed, runtime, "1.0", "venv")


@pytest.mark.parametrize(
    ("runtime", "treatment", "reason"),
    [
        (OnnxRuntime(), {}, None),
        (OnnxRuntime(), {"relu6": "relu_sub", "batch": 8, "source": "onnx"}, None),
        (OnnxRuntime(), {"precision": "fp16"}, "onnxruntime on the CPU has no precision 'fp16'"),
        (OnnxRuntime(), {"tensor_format": "hwc"}, "onnxruntime on the CPU has no tensor format 'hwc'"),
        (OpenVino(), {"tensor_format": "hwc"}, None),
        (OpenVino(), {"source": "api"}, "openvino on the CPU has no source 'api'"),
    ],
)
def test_what_a_cpu_cannot_do(
    runtime: OnnxRuntime | OpenVino, treatment: dict[str, object], reason: str | None
) -> None:
    assert runtime.unsupported(cell(runtime.name, **treatment)) == reason


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (None, r"result\.json: no such file"),
        ("", r"result\.json:1: not JSON: "),
        ("[]", r"result\.json: expected a JSON object, found list"),
        ('{"facts": 3}', r"result\.json: facts: expected `object`, got `int`"),
        (
            '{"facts": {"profile_warmup": "two"}}',
            r"result\.json: facts\.profile_warmup: not a result of the ",
        ),
    ],
)
def test_a_torn_result_is_one_line(tmp_path: Path, text: str | None, problem: str) -> None:
    if text is not None:
        (tmp_path / "result.json").write_text(text)
    with pytest.raises(InputError, match=problem) as caught:
        OpenVino().read(tmp_path)
    assert "\n" not in str(caught.value)
