"""Writing of a result folder. ``result.json`` comes last, so that a folder with one is complete."""

import json
import os
import platform
import sys
from typing import Any, Dict, List, Mapping  # noqa: F401

from harness.worker.messages import plain

SCHEMA = "trtmatrix.result/2"

KEPT = "engine.plan"
"""The engine in the result folder, where further processes are to load it (the job's ``keep_engine``)."""


class Result(object):
    """What one job leaves behind; layout and keys are those of the worker protocol."""

    def __init__(self, folder: str) -> None:
        self.folder = os.path.abspath(folder)
        self.facts = {
            "python": platform.python_version(),
            "platform": platform.platform(),
            "machine": platform.machine(),
            "host": platform.node(),
            "executable": os.path.basename(sys.executable or ""),
        }  # type: Dict[str, Any]
        self.settings = []  # type: List[Dict[str, Any]]
        self.not_expressible = []  # type: List[str]
        self.slices = 0
        """How many were answered, so that lost samples are missed."""

    def fact(self, name: str, value: Any) -> None:
        """State one thing about build or host: a number, a string, or a flat container of them."""
        self.facts[name] = value

    def setting(self, name: str, value: Any) -> None:
        """State one effective setting, in the order in which they were made."""
        self.settings.append({"name": name, "value": value})

    def cannot_express(self, line: str) -> None:
        """State a setting that was asked for and that this version has no word for."""
        self.not_expressible.append(line)

    def outputs(self, arrays: Mapping[str, Any]) -> None:
        """Write the outputs for the job's inputs: tensor name to array, kept as float32."""
        import numpy

        members = {
            name: numpy.ascontiguousarray(array, dtype=numpy.float32) for name, array in arrays.items()
        }  # type: Dict[str, Any]
        temporary = os.path.join(self.folder, "outputs.npz.part")
        with open(temporary, "wb") as stream:
            numpy.savez(stream, **members)
        os.replace(temporary, os.path.join(self.folder, "outputs.npz"))

    def evidence(self, name: str) -> str:
        """Return the path of a file or folder called *name* in the evidence folder, which exists then."""
        folder = os.path.join(self.folder, "evidence")
        if not os.path.isdir(folder):
            os.makedirs(folder)
        return os.path.join(folder, name)

    def write_json(self, name: str, data: Any) -> None:
        """Write *data* as ``evidence/NAME``."""
        _write(self.evidence(name), data)

    def finish(self, status: str, reason: str = "") -> None:
        """Write ``result.json``; nothing may be added afterwards.

        :param status: ``ok``, ``failed``, ``unsupported``; :param reason: one line, empty when ok
        """
        _write(
            os.path.join(self.folder, "result.json"),
            {
                "schema": SCHEMA,
                "status": status,
                "reason": " ".join(reason.split()),
                "facts": self.facts,
                "settings": self.settings,
                "not_expressible": self.not_expressible,
                "slices": self.slices,
            },
        )


def _write(path: str, data: Any) -> None:
    temporary = path + ".part"
    with open(temporary, "w", encoding="utf-8") as stream:
        json.dump(data, stream, default=plain)
    os.replace(temporary, path)
