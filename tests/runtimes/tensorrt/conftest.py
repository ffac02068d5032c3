"""Builds that the TensorRT worker really made, read."""

from __future__ import annotations

import pytest

from tests.runtimes.worker_builds import Known, Reading, WorkerBuild, read


@pytest.fixture(scope="session")
def known(tmp_path_factory: pytest.TempPathFactory) -> Reading:
    """Read a build once for all tests of this process."""
    found: dict[WorkerBuild, Known] = {}

    def of(build: WorkerBuild) -> Known:
        if build not in found:
            found[build] = read(build, tmp_path_factory.mktemp("build"))
        return found[build]

    return of
