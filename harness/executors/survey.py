"""What a node says of itself before blocks are sent to it: its machine, its GPUs, what can run there."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

from harness import distribution
from harness.errors import PluginError
from harness.execution.fleet import Need
from harness.execution.parts import Parts
from harness.plugins import registry
from harness.store.machine import gpus, host_name


@cache
def code_digest() -> str:
    """Return a digest over the code of the harness: two of one version may differ in a source tree."""
    digest = hashlib.sha256()
    root = Path(distribution.__file__).parent
    for path in sorted(root.rglob("*.py")):
        digest.update(str(path.relative_to(root)).encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()


def survey(needs: Sequence[Need]) -> dict[str, Any]:
    """Return what this node is, in plain values.

    ``version`` and ``code`` of its trtmatrix, ``machine``, ``gpus`` (UUIDs), and ``refusals``: of *needs*
    those that it lacks, each with status and reason.
    """
    parts = registry.parts()
    found = [(need, _refusal(need, parts)) for need in needs]
    return {
        "version": distribution.__version__,
        "code": code_digest(),
        "machine": host_name(),
        "gpus": [str(gpu["uuid"]) for gpu in gpus()],
        "refusals": [[need, said] for need, said in found if said is not None],
    }


def _refusal(need: Need, parts: Parts) -> tuple[str, str] | None:
    """Return what a cell of *need* would become here, in the words of a local run; None where it can run."""
    runtime, version, environment = need
    for name, known in ((runtime, parts.runtimes), (environment, parts.environments)):
        if name not in known:
            return "unsupported", f"nothing registered is called '{name}'"
    try:
        available = parts.environments[environment].availability(parts.runtimes[runtime], version)
    except PluginError as error:
        return "failed", str(error)
    if available.state == "ok":
        return None
    return available.state, "; ".join(part for part in (available.reason, available.remedy) if part)
