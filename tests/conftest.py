"""For all tests: interrupts reach them, however they were started, and so does nothing of pytest-xdist."""

from __future__ import annotations

import os
import signal

# A shell without job control starts what runs in the background with interrupts ignored, and programs hand
# that down; tests that interrupt a run would wait for ever.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# A worker of pytest-xdist says so in its environment. The runs of pytest that tests start are no workers, but
# would switch their benchmarks off.
for _name in [name for name in os.environ if name.startswith("PYTEST_XDIST_")]:
    del os.environ[_name]
