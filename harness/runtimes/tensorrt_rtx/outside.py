"""The line of tensorrt_rtx, TensorRT-RTX's own tool, that builds and times an ONNX file.

Options: "Performance Benchmarking" and "Working with RTX CUDA Graphs" of NVIDIA's documentation of
TensorRT-RTX, those that its releases have in common. The tool is in no wheel, and was never run here.
"""

from __future__ import annotations

from harness.runtimes.outside import Asked, Outside, typed_note

NOTE = (
    "`tensorrt_rtx` comes with NVIDIA's archive of TensorRT-RTX, not with the wheels. Its options are as "
    "NVIDIA documents them; trtmatrix never ran it. Compare *GPU Compute Time*, which holds no copies in "
    "any version; TF32 is as the tool has it."
)


def outside(asked: Asked) -> Outside:
    """Return the line of tensorrt_rtx for what is *asked*."""
    graph = "wholeGraph" if asked.treatment.cuda_graph == "on" else "disable"
    options = [
        f"--onnx={asked.file}",
        f"--rtxCudaGraphStrategy={graph}",
        "--profilingVerbosity=detailed",
        "--dumpLayerInfo",
        "--dumpProfile",
    ]
    typed = typed_note(asked) if asked.treatment.precision != "tf32" else ""
    return Outside(" ".join(["tensorrt_rtx", *options]), note=f"{NOTE} {typed}".strip())
