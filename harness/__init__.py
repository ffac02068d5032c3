"""trtmatrix: where the time of a MobileNet goes, on every TensorRT version.

The public Python API is what third-party plugins need and nothing more: :data:`hookimpl` marks an
implementation of one of the hooks in :mod:`harness.plugins.hookspecs`.
"""

from __future__ import annotations

import pluggy

__version__ = "0.1.0"

hookimpl = pluggy.HookimplMarker("trtmatrix")
"""Marks an implementation of a hook of :mod:`harness.plugins.hookspecs`."""

__all__ = ["__version__", "hookimpl"]
