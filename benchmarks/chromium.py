"""Chromium by its debugging pipe: how long a page takes until it can be used, and what it looks like.

The protocol is the DevTools protocol, messages of JSON that end in a zero byte, on descriptors 3 and 4.
"""

from __future__ import annotations

import base64
import json
import os
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

PROGRAMS = ("chromium", "chromium-browser", "google-chrome")
_WORDS = ("--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--remote-debugging-pipe")


class Browser:
    """One tab of a running Chromium."""

    def __init__(self, writes: int, reads: int) -> None:
        self._writes, self._reads = os.fdopen(writes, "wb", buffering=0), os.fdopen(reads, "rb")
        self._number, self._left, self._session = 0, b"", ""
        target = self.ask("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.ask("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        self.ask("Page.enable")
        self.ask("Runtime.enable")
        # CPU time of the page's main thread, which other work on the machine does not lengthen.
        self.ask("Performance.enable", timeDomain="threadTicks")

    def ask(self, method: str, **parameters: Any) -> Any:
        """Call *method* and return its result."""
        self._number += 1
        message: dict[str, Any] = {"id": self._number, "method": method, "params": parameters}
        if self._session:
            message["sessionId"] = self._session
        self._writes.write(json.dumps(message).encode() + b"\0")
        while True:
            said = self._next()
            if said.get("id") == self._number:
                if "error" in said:
                    raise RuntimeError(f"{method}: {said['error']['message']}")
                return said["result"]

    def open(self, path: Path) -> None:
        """Open *path* and wait until it is loaded."""
        self.ask("Page.navigate", url=path.resolve().as_uri())
        while self.value("document.readyState") != "complete":
            pass

    def cpu_seconds(self) -> dict[str, float]:
        """Return CPU seconds of the page's main thread since it was opened: ``Task``, ``Layout`` ..."""
        found = self.ask("Performance.getMetrics")["metrics"]
        ends = "Duration"
        return {one["name"].removesuffix(ends): one["value"] for one in found if one["name"].endswith(ends)}

    def value(self, expression: str) -> Any:
        """Return the value of *expression* in the page."""
        found = self.ask("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        return found["result"].get("value")

    def look(
        self, path: Path, *, width: int, height: int, scheme: str = "light", media: str = "screen"
    ) -> None:
        """Write a picture of the page as *media* with *scheme* shows it."""
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 500}
        self.ask("Emulation.setDeviceMetricsOverride", **size)
        features = [{"name": "prefers-color-scheme", "value": scheme}]
        self.ask("Emulation.setEmulatedMedia", media=media, features=features)
        shot = self.ask("Page.captureScreenshot", format="png")
        path.write_bytes(base64.b64decode(shot["data"]))

    def _next(self) -> dict[str, Any]:
        while b"\0" not in self._left:
            more = self._reads.read1(65536)  # type: ignore[attr-defined]
            if not more:
                raise RuntimeError("Chromium has ended")
            self._left += more
        text, self._left = self._left.split(b"\0", 1)
        found: dict[str, Any] = json.loads(text)
        return found


@contextmanager
def browser(program: str) -> Iterator[Browser]:
    """Start *program* and end it."""
    (its_in, writes), (reads, its_out) = os.pipe(), os.pipe()

    def give() -> None:
        # Numbers above 4 first: one of the pipes may have 3 or 4 itself.
        high = [os.dup(its_in), os.dup(its_out)]
        os.dup2(high[0], 3)
        os.dup2(high[1], 4)

    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        process = subprocess.Popen(
            [program, *_WORDS, f"--user-data-dir={profile}"],
            close_fds=False,
            preexec_fn=give,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        os.close(its_in)
        os.close(its_out)
        try:
            yield Browser(writes, reads)
        finally:
            process.terminate()
            process.wait(10)
