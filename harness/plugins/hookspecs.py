"""The hooks of trtmatrix. The built-in parts register through them, as a third party's do.

An implementation is a function of the same name marked with :data:`harness.hookimpl`, in a module named by
the entry-point group ``trtmatrix``, or in a ``conftest.py``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import pluggy

if TYPE_CHECKING:
    from harness.analysis.rules.base import Rule
    from harness.environments.base import Environment
    from harness.execution.base import Executor
    from harness.networks.base import NetworkFamily
    from harness.runtimes.base import Runtime

hookspec = pluggy.HookspecMarker("trtmatrix")


@hookspec
def trtmatrix_runtimes() -> Sequence[Runtime]:  # type: ignore[empty-body]
    """Return runtimes: what builds and runs an engine."""


@hookspec
def trtmatrix_environments() -> Sequence[Environment]:  # type: ignore[empty-body]
    """Return environments: where a version lives."""


@hookspec
def trtmatrix_networks() -> Sequence[NetworkFamily]:  # type: ignore[empty-body]
    """Return networks: graphs of source ops that can be made for a batch and a ReLU6 form."""


@hookspec
def trtmatrix_bottlenecks() -> Sequence[Rule]:  # type: ignore[empty-body]
    """Return bottleneck rules: what a cost is, and the evidence beside it."""


@hookspec
def trtmatrix_executors() -> Sequence[Executor]:  # type: ignore[empty-body]
    """Return executors: what runs the measurements of a session in their order."""
