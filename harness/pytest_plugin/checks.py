"""What is refused before anything is measured: what a run asks for beside its matrix and cannot have."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from harness.errors import TrtmatrixError
from harness.pytest_plugin.options import option_value

if TYPE_CHECKING:
    from harness.execution.plan import Plan


def check_executor(config: pytest.Config, plan: Plan) -> None:
    """Refuse an executor that cannot be used here.

    :raises pytest.UsageError: in one line
    """
    from harness.execution.fleet import FleetExecutor
    from harness.plugins import registry

    executor = None if option_value(config, "run") else registry.executors()[plan.executor]
    if not isinstance(executor, FleetExecutor):
        return
    try:
        executor.check(plan.address)
    except TrtmatrixError as error:
        raise pytest.UsageError(error.one_line) from None


def check_history(config: pytest.Config) -> None:
    """Refuse a history that could not be read afterwards.

    :raises pytest.UsageError: in one line
    """
    history = option_value(config, "history")
    if not history:
        return
    from harness.history.folder import open_history
    from harness.history.reading import connect

    try:
        connect()
        if any(Path(history).glob("*")):
            open_history(Path(history))
    except TrtmatrixError as error:
        raise pytest.UsageError(error.one_line) from None
