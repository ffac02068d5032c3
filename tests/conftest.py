"""For all tests: interrupts reach them, however they were started."""

from __future__ import annotations

import signal

# A shell without job control starts what runs in the background with interrupts ignored, and programs hand
# that down; tests that interrupt a run would wait for ever.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
