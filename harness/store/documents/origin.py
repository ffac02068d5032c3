"""Where a build comes from: its host and its software, as its document states them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from harness.store.documents.base import UNKNOWN, Part

CPU = "cpu"
"""The device of a build that ran on a CPU."""
NO_DRIVER = "none"
"""The driver of a build that needs none."""

# What an environment's facts say of where it came from rather than of what it holds.
_CONTENT = ("implementation", "packages", "placeholder_libraries", "python")


class Host(Part, frozen=True, kw_only=True, order=True):
    """The level above builds: machine and device together; a machine with two GPUs is two hosts.

    :param machine: node name and machine id, ``unknown`` where only the device is known
    :param device: ``cpu``, the GPU's UUID, or ``unknown``
    """

    machine: str = UNKNOWN
    device: str = UNKNOWN

    @property
    def name(self) -> str:
        """How the host is called: its machine, its GPU, or both."""
        known = [part for part in (self.machine, self.device) if part not in (UNKNOWN, CPU)]
        return "/".join(known) or UNKNOWN

    @classmethod
    def named(cls, name: str) -> Host:
        """Return the host that a bundle of before calls *name*: a GPU's UUID, or else a machine."""
        return cls(device=name) if name.startswith("GPU-") else cls(machine=name)


class Software(Part, frozen=True, kw_only=True, order=True):
    """What a build ran on.

    :param version: the runtime's, as the worker reported it
    :param environment: kind of environment (``venv``, ``docker``, ``pack`` ...)
    :param fingerprint: digest over what the environment really held (:func:`fingerprint`)
    :param driver: the GPU's driver; ``none`` on a CPU
    """

    version: str = UNKNOWN
    environment: str = UNKNOWN
    fingerprint: str = UNKNOWN
    driver: str = UNKNOWN


def fingerprint(facts: Mapping[str, Any]) -> str:
    """Return a digest over what an environment held: the image's own digest, Python and its packages.

    Two environments of the same content have the same, however they were made; ``unknown`` where the facts
    name none of it.
    """
    content = {key: facts[key] for key in _CONTENT if key in facts}
    image = facts.get("image_digest") or facts.get("image_id")
    if image:
        content["image"] = image
    elif "packages" not in facts:
        return UNKNOWN
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=True, default=str)
    return "sha256:" + hashlib.sha256(text.encode()).hexdigest()
