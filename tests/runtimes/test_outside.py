"""The lines that measure a file without the harness, in the options of each version."""

from __future__ import annotations

import pytest

from harness.matrix.treatment import Treatment
from harness.plugins import registry
from harness.runtimes.outside import Asked, Outside


def line(runtime: str, version: str, treatment: Treatment | None = None, **more: object) -> Outside | None:
    """What *runtime* says of ``piece.onnx``."""
    asked = Asked("new", version, treatment or Treatment(), "piece.onnx", **more)  # type: ignore[arg-type]
    return registry.runtimes()[runtime].outside(asked)


@pytest.mark.parametrize(
    ("version", "treatment", "has", "lacks"),
    [
        ("5.1.5", Treatment(), ["--workspace=1024"], ["--noTF32", "--explicitBatch", "--useSpinWait"]),
        (
            "7.0.0",
            Treatment(precision="fp16"),
            ["--fp16", "--explicitBatch"],
            ["--noTF32", "--tacticSources"],
        ),
        ("6.0.1", Treatment(cuda_graph="on"), ["--useCudaGraph", "--dumpProfile"], ["--separateProfileRun"]),
        ("7.2.1", Treatment(), ["--noDataTransfers", "--separateProfileRun"], ["CUDNN"]),
        ("8.0.3", Treatment(precision="tf32"), ["--noDataTransfers"], ["--noTF32", "--exportLayerInfo"]),
        (
            "8.5.3.1",
            Treatment(tactic_sources="core"),
            [
                "--noTF32",
                "--memPoolSize=workspace:1024",
                "--tacticSources=-CUBLAS,-CUBLAS_LT,-CUDNN,+EDGE_MASK_CONVOLUTIONS,+JIT_CONVOLUTIONS",
                "--preview=+disableExternalTacticSourcesForCore0805",
                "--exportLayerInfo=new.layers.json",
            ],
            ["--fp16", "--useCudaGraph"],
        ),
        (
            "8.6.0",
            Treatment(tactic_sources="all", copies="in"),
            ["+CUBLAS,"],
            ["--preview", "--noDataTransfers"],
        ),
        (
            "10.3.0",
            Treatment(typing="strong", cuda_graph="on"),
            ["--stronglyTyped", "--useCudaGraph"],
            ["--preview"],
        ),
        (
            "11.0.0",
            Treatment(precision="fp16", tactic_sources="core"),
            ["--warmUp=500", "--noCudaGraph", "--tacticSources=+EDGE_MASK_CONVOLUTIONS,+JIT_CONVOLUTIONS"],
            ["--fp16", "--useSpinWait", "DataTransfers", "--separateProfileRun", "CUBLAS"],
        ),
        (
            "11.0.0",
            Treatment(cuda_graph="on", copies="in", tactic_sources="all"),
            ["--includeDataTransfers"],
            ["CudaGraph", "CUBLAS"],
        ),
    ],
)
def test_trtexec_is_given_what_its_version_knows(
    version: str, treatment: Treatment, has: list[str], lacks: list[str]
) -> None:
    said = line("tensorrt", version, treatment)
    assert said is not None
    assert said.command.startswith("trtexec --onnx=piece.onnx ")
    assert [option for option in has if option not in said.command] == []
    assert [option for option in lacks if option in said.command] == []


@pytest.mark.parametrize(
    ("version", "treatment", "converts"),
    [
        ("10.3.0", Treatment(precision="fp16", typing="strong"), True),
        ("11.0.0", Treatment(precision="fp16"), True),
        ("11.0.0", Treatment(), False),
        ("8.6.0", Treatment(precision="fp16"), False),
    ],
)
def test_types_that_the_file_has_are_told(version: str, treatment: Treatment, converts: bool) -> None:
    said = line("tensorrt", version, treatment)
    assert said is not None
    assert ("convert it to FP16 first" in said.note) == converts


def test_tensorrt_rtx_has_a_tool_of_its_own() -> None:
    said = line("tensorrt_rtx", "1.7.1.116", Treatment(precision="fp16", cuda_graph="on"))
    assert said is not None
    assert said.command == (
        "tensorrt_rtx --onnx=piece.onnx --rtxCudaGraphStrategy=wholeGraph --profilingVerbosity=detailed "
        "--dumpLayerInfo --dumpProfile"
    )
    assert "trtmatrix never ran it" in said.note
    assert said.note.endswith("convert it to FP16 first, or the command measures FP32.")
    plain = line("tensorrt_rtx", "1.4.0.76")
    assert plain is not None
    assert "--rtxCudaGraphStrategy=disable" in plain.command
    assert "FP32" not in plain.note


def test_formats_are_given_where_all_are_known() -> None:
    known = line("tensorrt", "8.6.0", inputs=("hwc8 fp16", "linear fp32"), outputs=("", "hwc fp32"))
    assert known is not None
    assert "--inputIOFormats=fp16:hwc8,fp32:chw" in known.command
    assert "--outputIOFormats" not in known.command


@pytest.mark.parametrize("runtime", ["onnxruntime", "openvino"])
def test_a_cpu_runtime_is_a_virtual_environment_and_a_script(runtime: str) -> None:
    said = line(runtime, "1.2.3", python="3.12.1")
    assert said is not None
    assert said.setup == (
        f"python3.12 -m venv new && new/bin/pip install --no-deps {runtime}==1.2.3 numpy==1.26.4",
    )
    assert said.command.endswith(f"new/bin/python measure.py {runtime} piece.onnx")
    compile(said.files["measure.py"], "measure.py", "exec")


def test_a_runtime_that_knows_of_no_command_says_none() -> None:
    assert line("tftrt", "2.14.1") is None
