"""Cells of the matrix: a version, a network and a treatment, with an id that a person can read."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property

from harness.matrix.treatment import UNKNOWN, Treatment

__all__ = ["CELL_ID", "CELL_ID_RULE", "UNKNOWN", "Cell", "Treatment"]

CELL_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.+-]{0,199}")
"""An id names a folder of the bundle, so it is made of nothing that leaves one."""

CELL_ID_RULE = "use letters, digits, '_', '.', '+' and '-', 200 at most"


@dataclass(frozen=True, order=True)
class Cell:
    """One cell: version x network x treatment, in one environment.

    :param runtime: name of a registered runtime (``tensorrt``, ``onnxruntime`` ...)
    :param version: release as its makers write it (``8.6.0``)
    :param environment: name of a registered environment (``docker``, ``venv``, ``current``, ``recorded``)
    :param repeat: empty, or the label of a second arm of the same cell (``aa`` for an A/A pair, the
        environment's name where one version lives in two)
    """

    network: str
    treatment: Treatment
    runtime: str
    version: str
    environment: str
    repeat: str = ""

    def __hash__(self) -> int:
        """Of strings that are at hand: pytest asks for it nine times a cell while it collects."""
        return hash((self.network, self.treatment.common_label, self.runtime, self.version, self.repeat))

    @cached_property
    def id(self) -> str:
        """Stable, readable and unique within a matrix: ``mobilenet_v2-fp32-b1-clip-openvino-2024.6.0``."""
        parts = [self.network, self.treatment.label, self.runtime, self.version]
        return "-".join(parts + ([self.repeat] if self.repeat else []))

    @cached_property
    def subject(self) -> str:
        """What is compared across versions: network and treatment, without the version."""
        return f"{self.network}-{self.treatment.label}"

    @property
    def without_relu6(self) -> str:
        """The subject without its ReLU6 form: both forms are compared with each other, on one host."""
        label = self.treatment.label.replace(f"-{self.treatment.relu6}", "", 1)
        return f"{self.network}-{label}"

    @property
    def beside(self) -> str:
        """What is measured side by side: the network under one common treatment, in either ReLU6 form.

        What a runtime's own fields add is left out: a graph in NHWC is held against the same one in NCHW, and
        against other runtimes, which know no such field.
        """
        label = self.treatment.common_label.replace(f"-{self.treatment.relu6}", "", 1)
        return f"{self.network}-{label}"

    @property
    def release(self) -> str:
        """Runtime, version and arm, as one column of the matrix: ``openvino 2024.6.0``."""
        return f"{self.runtime} {self.version}" + (f" ({self.repeat})" if self.repeat else "")

    def as_json(self) -> dict[str, object]:
        """Return the JSON form, with the id."""
        return {
            "id": self.id,
            "network": self.network,
            "treatment": self.treatment.as_json(),
            "runtime": self.runtime,
            "version": self.version,
            "environment": self.environment,
            "repeat": self.repeat,
        }

    @classmethod
    def from_json(cls, data: Mapping[str, object]) -> Cell:
        """Read :meth:`as_json`'s form."""
        said = data["treatment"]
        assert isinstance(said, Mapping)
        plain = cls(
            network=str(data["network"]),
            treatment=Treatment.from_json(said),
            runtime=str(data["runtime"]),
            version=str(data["version"]),
            environment=str(data["environment"]),
            repeat=str(data.get("repeat", "")),
        )
        own_label = _own_label(plain, str(data.get("id", plain.id))) if plain.treatment.own else None
        return plain if own_label is None else replace(plain, treatment=Treatment.from_json(said, own_label))


def _own_label(cell: Cell, cell_id: str) -> str | None:
    """Return what a runtime's own fields add to the label of *cell_id*, None where it is another's id.

    How they are shown is known to the plugin that brought them, which may not be here.
    """
    head = f"{cell.network}-{cell.treatment.common_label}"
    tail = f"-{cell.runtime}-{cell.version}" + (f"-{cell.repeat}" if cell.repeat else "")
    if not (cell_id.startswith(head) and cell_id.endswith(tail)):
        return None
    return cell_id[len(head) : len(cell_id) - len(tail)].removeprefix("-")
