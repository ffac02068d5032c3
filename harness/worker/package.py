"""Reading of the runtime-neutral network package and of the inputs, with NumPy alone."""

import json
import zipfile
from typing import Any, Dict, List, Mapping, Tuple  # noqa: F401

import numpy

from harness.worker.errors import FailedError

SCHEMA = "trtmatrix.network/1"


class Op(object):
    """One source op; fields are those of :class:`harness.networks.graph.SourceOp`."""

    def __init__(self, data: Mapping[str, Any]) -> None:
        self.name = str(data["name"])
        self.kind = str(data["kind"])
        self.op_class = str(data["op_class"])
        self.inputs = tuple(data["inputs"])  # type: Tuple[str, ...]
        self.output = str(data["output"])
        self.attributes = dict(data["attributes"])  # type: Dict[str, Any]
        self.weights = dict(data["weights"])  # type: Dict[str, str]


class Network(object):
    """A network package: ops in execution order, weights by key (float32)."""

    def __init__(self, data: Mapping[str, Any], weights: Mapping[str, Any]) -> None:
        self.name = str(data["name"])
        self.digest = str(data["digest"])
        self.relu6 = str(data["relu6"])
        self.batch = int(data["batch"])
        self.inputs = tuple(data["inputs"])  # type: Tuple[str, ...]
        self.outputs = tuple(data["outputs"])  # type: Tuple[str, ...]
        self.shapes = {name: tuple(shape) for name, shape in data["shapes"].items()}
        self.ops = [Op(op) for op in data["ops"]]
        self.weights = dict(weights)

    def weight(self, op: Op, role: str) -> Any:
        """Return the weights that *op* has in *role* (``kernel``, ``bias`` ...), float32."""
        return self.weights[op.weights[role]]


def read_network(network: str, weights: str) -> Network:
    """Read ``network.json`` and ``weights.npz``.

    :raises FailedError: torn file or another schema
    """
    try:
        with open(network, encoding="utf-8") as stream:
            data = json.load(stream)
        if data.get("schema") != SCHEMA:
            raise FailedError(
                "network package: schema {!r}, this worker reads {}".format(data.get("schema"), SCHEMA)
            )
        return Network(data, read_arrays(weights))
    except (OSError, ValueError, KeyError, AttributeError, TypeError) as error:
        raise FailedError("network package: {}: {}".format(type(error).__name__, error))


def read_arrays(path: str) -> Dict[str, Any]:
    """Return the arrays of an ``.npz`` by name, all float32 and C-contiguous.

    :raises FailedError: the file cannot be read
    """
    try:
        with open(path, "rb") as stream, numpy.load(stream) as archive:
            return {
                name: numpy.ascontiguousarray(archive[name], dtype=numpy.float32) for name in archive.files
            }
    except (OSError, EOFError, ValueError, KeyError, zipfile.BadZipFile) as error:
        raise FailedError("cannot read arrays: {}".format(error))
