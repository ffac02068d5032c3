"""For all tests: interrupts reach them, however they were started, and workers of pytest-xdist share well."""

from __future__ import annotations

import os
import signal
from collections.abc import Sequence

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


_SHARED = {"docker_cache": "docker", "docker_host": "docker", "docker_engine": "docker", "small_pack": "pack"}
"""Fixtures that are dear to make (an engine with its images, a pack), and who shares them."""


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: Sequence[pytest.Item]) -> None:
    """Keep the tests of a file in one worker, which makes their fixtures once; those that share one too."""
    if not config.pluginmanager.hasplugin("xdist"):
        return
    for item in items:
        shared = (_SHARED[name] for name in getattr(item, "fixturenames", ()) if name in _SHARED)
        item.add_marker(pytest.mark.xdist_group(next(shared, str(item.path))))
