"""trtmatrix: where the time of a MobileNet goes, on every TensorRT version.

The public Python API is small: :func:`read` returns stored runs as DataFrames, and :data:`hookimpl` marks an
implementation of one of the hooks in :mod:`harness.plugins.hookspecs`, for third-party plugins. It may import
every room, and no room imports it.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from harness.distribution import __version__, hookimpl

if TYPE_CHECKING:
    from harness.tables.frames import Frames

__all__ = ["__version__", "hookimpl", "read"]


def read(runs: Path | str | Sequence[Path | str], library: str | None = None) -> Frames:
    """Return stored runs as DataFrames of pandas or polars: builds, samples, layers, tactics, verdicts.

    :param runs: folder or published archive of a run, or several, read as one
    :param library: ``pandas`` or ``polars``; None: the first of them that is installed
    :raises TrtmatrixError: it is not installed, or a run cannot be read
    """
    from harness.tables import frames  # plugins import this package for its hookimpl alone

    return frames.read(runs, library)
