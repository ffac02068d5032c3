"""Writing of a result folder. ``result.json`` comes last, so that a folder with one is complete."""

import json
import os
import platform
import sys
from typing import Any, Dict, List, Mapping, Sequence  # noqa: F401

from harness.worker.job import PROTOCOL


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
        self.windows = []  # type: List[Dict[str, Any]]

    def fact(self, name: str, value: Any) -> None:
        """State one thing about build or host: a number, a string, or a flat container of them."""
        self.facts[name] = value

    def setting(self, name: str, value: Any) -> None:
        """State one effective setting, in the order in which they were made."""
        self.settings.append({"name": name, "value": value})

    def cannot_express(self, line: str) -> None:
        """State a setting that was asked for and that this version has no word for."""
        self.not_expressible.append(line)

    def add_windows(self, windows: Sequence[Mapping[str, Any]]) -> None:
        """Add the windows of one pass (rows of ``samples.json``, see :mod:`harness.worker.measure`)."""
        self.windows.extend(dict(window) for window in windows)

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
        """Write ``samples.json``, then ``result.json``; nothing may be added afterwards.

        :param status: ``ok``, ``failed``, ``unsupported``; :param reason: one line, empty when ok
        """
        if self.windows:
            _write(os.path.join(self.folder, "samples.json"), {"windows": self.windows})
        _write(
            os.path.join(self.folder, "result.json"),
            {
                "protocol": PROTOCOL,
                "status": status,
                "reason": " ".join(reason.split()),
                "facts": self.facts,
                "settings": self.settings,
                "not_expressible": self.not_expressible,
                "windows": len(self.windows),
            },
        )


def _write(path: str, data: Any) -> None:
    temporary = path + ".part"
    with open(temporary, "w", encoding="utf-8") as stream:
        json.dump(data, stream, default=_plain)
    os.replace(temporary, path)


def _plain(value: Any) -> Any:
    # NumPy numbers and arrays come up among facts; anything else is shown as its own print.
    if hasattr(value, "tolist"):
        return value.tolist()
    return str(value)
