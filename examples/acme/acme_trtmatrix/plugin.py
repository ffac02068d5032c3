"""The hooks, which the entry point of pyproject.toml names: each returns the parts of its kind."""

from collections.abc import Sequence

from acme_trtmatrix.environment import Cellar
from acme_trtmatrix.executor import Diary
from acme_trtmatrix.network import Perceptron
from acme_trtmatrix.rule import DenseRule
from acme_trtmatrix.runtime import Acme
from harness import hookimpl
from harness.analysis.rules.base import Rule
from harness.environments.base import Environment
from harness.execution.base import Executor
from harness.networks.base import NetworkFamily
from harness.runtimes.base import Runtime


@hookimpl
def trtmatrix_runtimes() -> Sequence[Runtime]:
    """Bring the runtime."""
    return [Acme()]


@hookimpl
def trtmatrix_environments() -> Sequence[Environment]:
    """Bring the environment."""
    return [Cellar()]


@hookimpl
def trtmatrix_networks() -> Sequence[NetworkFamily]:
    """Bring two networks of one kind."""
    return [Perceptron("acme_wide", 512), Perceptron("acme_narrow", 64)]


@hookimpl
def trtmatrix_bottlenecks() -> Sequence[Rule]:
    """Bring the rule."""
    return [DenseRule()]


@hookimpl
def trtmatrix_executors() -> Sequence[Executor]:
    """Bring the executor."""
    return [Diary()]
