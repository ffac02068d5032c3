"""TensorFlow's wheels with CUDA: which TensorRT and which CUDA libraries each was made for.

``2.14.1+cu11`` is TensorFlow 2.14.1 from the distribution ``tensorflow``, on the GPU; without the ending the
same release is the one of ``tensorflow-cpu``.
"""

from __future__ import annotations

from collections.abc import Sequence

from harness.environments.needs import Release

ENDING = "+cu11"

TENSORRT = "8.5.3.1"
"""What these wheels load (linked to 8.4.3, they ask for ``libnvinfer.so.8``), and a complete wheel."""

PYTHONS: dict[str, tuple[Release, Release]] = {
    "2.12.1": ((3, 8), (3, 10)),
    "2.13.1": ((3, 8), (3, 10)),
    "2.14.1": ((3, 9), (3, 10)),
}
"""Release to the Pythons that both TensorFlow and TensorRT have wheels for."""

OPENED = ("libcufft.so.10", "libcusolver.so.11", "libcusparse.so.11")
"""Libraries without which TensorFlow registers no GPU, and which no network here calls."""


FOLDERS = (
    "tensorrt",
    *(f"nvidia/{name}/lib" for name in ("cublas", "cudnn", "cuda_runtime", "cuda_cupti")),
)
"""Folders of the wheels' libraries, which not every release finds by itself."""


def requirements(release: str) -> Sequence[str]:
    """Return TensorFlow *release*, TensorRT and the CUDA libraries that both call."""
    return (
        f"tensorflow=={release}",
        f"tensorrt=={TENSORRT}",
        "nvidia-cuda-runtime-cu11==11.8.89",
        "nvidia-cuda-cupti-cu11==11.8.87",
        "nvidia-cublas-cu11==11.11.3.6",
        "nvidia-cudnn-cu11==8.7.0.84",
        "numpy==1.23.5",
    )


def release_of(version: str) -> str | None:
    """Return the release of a version with the ending, None for others."""
    return version.removesuffix(ENDING) if version.endswith(ENDING) else None
