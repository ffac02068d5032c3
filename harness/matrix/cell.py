"""Cells of the matrix: a version, a network and a treatment, with an id that a person can read."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields

UNKNOWN = "unknown"


@dataclass(frozen=True, order=True)
class Treatment:
    """How a network is built and run. A value the importer of a recording does not know is ``unknown``.

    :param precision: ``fp32`` (TF32 off), ``tf32``, ``fp16``, ``int8``
    :param batch: images a run, or None where it is unknown
    :param relu6: ``clip`` or ``relu_sub`` (relu(x) - relu(x - 6))
    :param tensor_format: format of network inputs and outputs: ``linear``, ``chw4``, ``hwc8``, ``hwc`` ...
    :param source: how the runtime gets the network: ``api``, ``onnx``, ``uff``; ``auto`` is the runtime's own
    :param batch_mode: ``explicit``, ``implicit``; ``auto`` is explicit where the version knows it
    :param typing: ``weak``, ``strong``; ``auto`` is weak where the version knows it
    :param tactic_sources: ``core``, ``all``, ``default``
    :param timing_cache: ``off`` or ``on`` (one cache shared by the builds of a cell)
    :param cuda_graph: ``off`` or ``on``: end-to-end passes replay a captured graph
    :param l2: ``warm`` or ``cold`` (the cache is flushed before each sample)
    :param copies: ``out`` or ``in``: host-device copies inside the timed region
    """

    precision: str = "fp32"
    batch: int | None = 1
    relu6: str = "clip"
    tensor_format: str = "linear"
    source: str = "auto"
    batch_mode: str = "auto"
    typing: str = "auto"
    tactic_sources: str = "default"
    timing_cache: str = "off"
    cuda_graph: str = "off"
    l2: str = "warm"
    copies: str = "out"

    @property
    def label(self) -> str:
        """The readable part of a cell id: precision, batch and ReLU6 always, the rest where not default."""
        head = [self.precision, f"b{'unknown' if self.batch is None else self.batch}", self.relu6]
        extra = [
            _SHORT[f.name].format(getattr(self, f.name))
            for f in fields(self)
            # What is not known of a recording is no part of its label: it stands beside the measured ones.
            if f.name in _SHORT and getattr(self, f.name) not in (f.default, UNKNOWN)
        ]
        return "-".join(head + extra)

    def as_json(self) -> dict[str, object]:
        """Return the JSON form, every field present."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, object]) -> Treatment:
        """Read :meth:`as_json`'s form; a field that is missing takes its default.

        :raises ValueError: a field of another kind
        """
        known = {f.name for f in fields(cls)}
        said = {k: v for k, v in data.items() if k in known}
        for name, value in said.items():
            if not (value is None or type(value) is int if name == "batch" else isinstance(value, str)):
                raise ValueError(f"a treatment's {name}: found {value!r:.40}")
        return cls(**said)  # type: ignore[arg-type]


_SHORT = {
    "tensor_format": "{}",
    "source": "from_{}",
    "batch_mode": "{}_batch",
    "typing": "{}_typing",
    "tactic_sources": "{}",
    "timing_cache": "timing_cache_{}",
    "cuda_graph": "cuda_graph_{}",
    "l2": "l2_{}",
    "copies": "copies_{}",
}


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

    @property
    def id(self) -> str:
        """Stable, readable and unique within a matrix: ``mobilenet_v2-fp32-b1-clip-openvino-2024.6.0``."""
        parts = [self.network, self.treatment.label, self.runtime, self.version]
        return "-".join(parts + ([self.repeat] if self.repeat else []))

    @property
    def subject(self) -> str:
        """What is compared across versions: network and treatment, without the version."""
        return f"{self.network}-{self.treatment.label}"

    @property
    def without_relu6(self) -> str:
        """The subject without its ReLU6 form: both forms are compared with each other, on one host."""
        label = self.treatment.label.replace(f"-{self.treatment.relu6}", "", 1)
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
        treatment = data["treatment"]
        assert isinstance(treatment, Mapping)
        return cls(
            network=str(data["network"]),
            treatment=Treatment.from_json(treatment),
            runtime=str(data["runtime"]),
            version=str(data["version"]),
            environment=str(data["environment"]),
            repeat=str(data.get("repeat", "")),
        )
