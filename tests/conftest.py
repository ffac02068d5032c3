"""For all tests: interrupts reach them, however they were started, and workers of pytest-xdist share well."""

from __future__ import annotations

import os
import signal
from typing import Any

import pytest
from hypothesis import settings

# How long an example takes is the machine's doing: performance is measured in benchmarks.
# Thirty examples of each law at every landing; ``--hypothesis-profile=thorough`` looks for longer.
settings.register_profile("any machine", deadline=None, max_examples=30)
settings.register_profile("thorough", deadline=None, max_examples=1000)
settings.load_profile("any machine")

# A shell without job control starts what runs in the background with interrupts ignored, and programs hand
# that down; tests that interrupt a run would wait for ever.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# A worker of pytest-xdist says so in its environment. The runs of pytest that tests start are no workers, but
# would switch their benchmarks off.
for _name in [name for name in os.environ if name.startswith("PYTEST_XDIST_")]:
    del os.environ[_name]


_TOGETHER = ("tests/environments/docker/", "tests/pack/")
"""Folders whose files share what is dear to make: an engine with its images; a pack."""


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Keep the tests of a file in one worker, which makes their fixtures once; those that share one too.

    By the path, since ``--dist loadgroup`` of pytest-xdist 3.8 groups nothing with pytest 9.2: it puts the
    group into an attribute that is no longer read.
    """
    from xdist.scheduler import LoadScopeScheduling

    class ByFile(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            path = nodeid.split("::")[0]
            return next((folder for folder in _TOGETHER if path.startswith(folder)), path)

    return ByFile(config, log)
