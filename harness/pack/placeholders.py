"""Placeholder shared libraries: they satisfy the loader and refuse every call.

``import tensorrt`` loads ``libnvinfer_plugin``, which names cuBLAS and cuDNN; a cell whose tactic sources are
``core`` never calls them. A placeholder of a few kilobytes with the right soname and symbol versions stands
in for libraries of gigabytes. Every function of it returns 1, which is ``CUBLAS_STATUS_NOT_INITIALIZED`` and
``CUDNN_STATUS_NOT_INITIALIZED`` (cublas_api.h, cudnn_ops_infer.h), so that a call fails instead of computing
nothing.
"""

from __future__ import annotations

from pathlib import Path

from harness.environments.c_library import compile_library
from harness.pack.libraries import Missing


def compile_placeholder(missing: Missing, folder: Path) -> Path:
    """Write the placeholder for *missing* into *folder* and return its path.

    :raises UnavailableError: there is no C compiler, or it refuses
    """
    return compile_library(
        folder / missing.soname,
        source_text(missing),
        symbols=version_script(missing),
        otherwise="pack the real libraries with --libraries real",
    )


def source_text(missing: Missing) -> str:
    """Return the C source: one function a symbol, each of which refuses."""
    names = [name for symbols in missing.symbols.values() for name in symbols]
    return "".join(_function(name) for name in names) or "int trtmatrix_placeholder;\n"


def _function(name: str) -> str:
    # cudnnGetErrorString and its like return a pointer that the caller prints: 1 would be a crash.
    if name.endswith("String"):
        return f'const char *{name}(void) {{ return "placeholder library, the real one was not packed"; }}\n'
    return f"int {name}(void) {{ return 1; }}\n"


def version_script(missing: Missing) -> str:
    """Return the linker's version script: each version node with its symbols, all else local."""
    if not missing.symbols:
        return "{ global: *; };\n"
    nodes = [
        f"{node} {{ global: {' '.join(f'{n};' for n in names)} }};" for node, names in missing.symbols.items()
    ]
    # `local: *` may stand in one node only, or the linker complains about a symbol in two nodes.
    nodes[0] = nodes[0].replace(" };", " local: *; };")
    return "\n".join(nodes) + "\n"
