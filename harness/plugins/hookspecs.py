"""The hooks of trtmatrix. The built-in parts register through them, as a third party's do.

An implementation is a function of the same name marked with :data:`harness.hookimpl`, in a module named by
the entry-point group ``trtmatrix``, or in a ``conftest.py``. Each part follows the protocol of its kind; a
class that derives from the protocol has the defaults of all that is optional.
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
    """Bring runtimes: what builds and runs an engine.

    :return: runtimes (:class:`harness.runtimes.base.Runtime`), each with its own worker, by names that
        matrix files use in ``[[versions]]``
    """


@hookspec
def trtmatrix_environments() -> Sequence[Environment]:  # type: ignore[empty-body]
    """Bring environments: where a version lives.

    :return: environments (:class:`harness.environments.base.Environment`), by names that runtimes list
    """


@hookspec
def trtmatrix_networks() -> Sequence[NetworkFamily]:  # type: ignore[empty-body]
    """Bring networks: graphs of source ops that can be made for a batch and a ReLU6 form.

    :return: families (:class:`harness.networks.base.NetworkFamily`), by names that matrix files use in
        ``[[block]]``
    """


@hookspec
def trtmatrix_bottlenecks() -> Sequence[Rule]:  # type: ignore[empty-body]
    """Bring bottleneck rules: what a cost is, the evidence beside it, and what the report says of it.

    :return: rules (:class:`harness.analysis.rules.base.Rule`), each a column of the verdict board
    """


@hookspec
def trtmatrix_executors() -> Sequence[Executor]:  # type: ignore[empty-body]
    """Bring executors: what has blocks of builds measured where it sees fit.

    :return: executors (:class:`harness.execution.base.Executor`), by names for ``--executor``
    """
