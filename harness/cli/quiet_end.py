"""How a session of pytest that ``trtmatrix run`` began ends: in one line of ours, without banners."""

from __future__ import annotations

import sys
from typing import Any

import pytest


class QuietEnd:
    """A plugin of pytest for one session."""

    @pytest.hookimpl(trylast=True)
    def pytest_keyboard_interrupt(self, excinfo: pytest.ExceptionInfo[BaseException]) -> None:
        """Say why the session was ended, where that was not Ctrl-C: what that leaves, the command says."""
        if isinstance(excinfo.value, pytest.exit.Exception) and excinfo.value.msg:
            print(f"trtmatrix: {excinfo.value.msg}", file=sys.stderr)

    @pytest.hookimpl(trylast=True)
    def pytest_configure(self, config: pytest.Config) -> None:
        """Let the reporter write no line of exclamation marks, and count no tests after an interruption.

        There is no option for that; a pytest whose reporter has other members keeps its banner.
        """
        reporter: Any = config.pluginmanager.get_plugin("terminalreporter")
        if hasattr(reporter, "_report_keyboardinterrupt"):
            reporter._report_keyboardinterrupt = lambda: None

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session, exitstatus: int) -> None:
        """Leave out the count of tests where none came to its end."""
        reporter: Any = session.config.pluginmanager.get_plugin("terminalreporter")
        if exitstatus == pytest.ExitCode.INTERRUPTED and hasattr(reporter, "summary_stats"):
            reporter.summary_stats = lambda: None
