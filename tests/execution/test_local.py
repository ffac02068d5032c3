from __future__ import annotations

import threading
import time

from harness.environments.base import Outcome
from harness.execution.local import LocalExecutor


def test_two_runs_never_measure_on_one_device_at_once() -> None:
    inside, most = 0, 0

    def work() -> Outcome:
        nonlocal inside, most
        inside += 1
        most = max(most, inside)
        time.sleep(0.02)
        inside -= 1
        return Outcome("ok")

    threads = [threading.Thread(target=lambda: LocalExecutor().run("test-device", work)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == 1


def test_the_cpu_is_always_a_device() -> None:
    assert "cpu" in LocalExecutor().devices()
