"""How a session of pytest that ``trtmatrix run`` began ends: in one line of ours, without banners."""

from __future__ import annotations

import sys

import pytest

REPORTER = "terminalreporter"
"""The name by which pytest registers what writes to the terminal."""


class QuietEnd:
    """A plugin of pytest for one session."""

    def __init__(self) -> None:
        self._config: pytest.Config | None = None

    def pytest_configure(self, config: pytest.Config) -> None:
        """Keep the session's configuration."""
        self._config = config

    @pytest.hookimpl(trylast=True)
    def pytest_keyboard_interrupt(self, excinfo: pytest.ExceptionInfo[BaseException]) -> None:
        """End the reporter before the session: no line of exclamation marks, no count of tests.

        What failed until then is still told. Why the session was ended is said where that was not Ctrl-C;
        what that leaves, the command says.
        """
        plugins = self._config.pluginmanager if self._config is not None else None
        reporter = plugins.get_plugin(REPORTER) if plugins is not None else None
        if plugins is not None and reporter is not None:
            plugins.hook.pytest_terminal_summary(
                terminalreporter=reporter, exitstatus=pytest.ExitCode.INTERRUPTED, config=self._config
            )
            plugins.unregister(reporter)
        if isinstance(excinfo.value, pytest.exit.Exception) and excinfo.value.msg:
            print(f"trtmatrix: {excinfo.value.msg}", file=sys.stderr)
