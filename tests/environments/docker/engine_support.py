"""A Docker engine for tests: the one of ``DOCKER_HOST``, else one started here and stopped afterwards."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from pathlib import Path

from harness.environments.docker.engine import Engine, connect
from harness.errors import UnavailableError

GIVEN = os.environ.get("DOCKER_HOST", "")
"""The engine that the caller of the tests named, before any test changes the variable."""


class Daemon:
    """A dockerd with folders of its own, so that no other engine on the machine is touched."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.host = f"unix://{folder / 'docker.sock'}"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it and wait until it answers.

        :raises UnavailableError: it ended, or says nothing within 60 s
        """
        command = [
            "dockerd",
            f"--host={self.host}",
            f"--data-root={self.folder / 'data'}",
            f"--exec-root={self.folder / 'exec'}",
            f"--pidfile={self.folder / 'docker.pid'}",
            # Containers of ours have no network, so the machine's firewall and bridges stay as they are.
            "--iptables=false",
            "--ip6tables=false",
            "--bridge=none",
        ]
        with (self.folder / "dockerd.log").open("ab") as log:
            self._process = subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True)
        until = time.monotonic() + 60
        while time.monotonic() < until:
            if self._process.poll() is not None:
                break
            try:
                connect({"DOCKER_HOST": self.host})
            except UnavailableError:
                time.sleep(0.2)
            else:
                return
        self.stop()
        words = (self.folder / "dockerd.log").read_text(errors="replace").strip().splitlines()[-1:]
        raise UnavailableError(f"dockerd does not start here: {' '.join(words)}")

    def stop(self) -> None:
        """End it, containers included, and wait."""
        if self._process is None:
            return
        self._process.terminate()
        try:
            self._process.wait(timeout=60)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process = None

    def remove(self) -> None:
        """Remove its folders; mounts of containers are gone once it has ended."""
        shutil.rmtree(self.folder, ignore_errors=True)


def why_no_daemon() -> str:
    """Return why no dockerd can be started here, empty where one can."""
    if not hasattr(os, "geteuid") or os.geteuid() != 0:
        return "no DOCKER_HOST, and only root can start a dockerd"
    if shutil.which("dockerd") is None:
        return "no DOCKER_HOST, and no dockerd is installed"
    return ""


def leftovers(engine: Engine) -> list[str]:
    """Return names of our containers that still exist."""
    found = engine.client.containers.list(all=True, filters={"label": "io.trtmatrix.kind"})
    return [str(container.name) for container in found]
