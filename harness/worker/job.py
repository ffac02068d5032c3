"""Reading of a job: strict, so that a key nobody reads is an error and not a silent default.

Imports nothing but the standard library: the number of threads of NumPy's BLAS can only be set before
NumPy is imported, and the job says how many.
"""

import json
import os
import re
from typing import Any, Dict, Iterable, List, Mapping, Optional, Tuple  # noqa: F401

from harness.worker.errors import FailedError

SCHEMA = "trtmatrix.job/2"

_REQUIRED = ("schema", "worker_module", "cell", "network", "weights", "inputs", "measure")
_OPTIONAL = {
    "build": 0,
    "seed": 0,
    "onnx": None,
    "engine": None,
    "keep_engine": False,
    "affinity": None,
    "build_affinity": None,
    "threads": 1,
    "device": None,
    "peaks": True,
    "options": {},
}  # type: Dict[str, Any]

# All of them in every job: defaults stand where a matrix is read, and nowhere else.
MEASURE = (
    "warmup_seconds",
    "minimum_samples",
    "maximum_samples",
    "maximum_seconds",
    "relative_half_width",
    "windows",
    "profile_iterations",
    "passes",
)


class Measure(object):
    """How long a pass goes on (see the protocol's ``measure``)."""

    def __init__(self, data: Mapping[str, Any]) -> None:
        _refuse(data, MEASURE, "measure")
        for key in MEASURE:
            if key not in data:
                raise FailedError("job: key 'measure.{}' is missing".format(key))
        self.warmup_seconds = _number(data, "warmup_seconds", 0.0)
        self.minimum_samples = int(_number(data, "minimum_samples", 1))
        self.maximum_samples = int(_number(data, "maximum_samples", 1))
        self.maximum_seconds = _number(data, "maximum_seconds", 0.0)
        self.relative_half_width = _number(data, "relative_half_width", 0.0)
        self.windows = int(_number(data, "windows", 1))
        self.profile_iterations = int(_number(data, "profile_iterations", 0))
        self.passes = tuple(str(name) for name in data["passes"])  # type: Tuple[str, ...]
        if self.maximum_samples < self.minimum_samples:
            raise FailedError("job: measure.maximum_samples is below measure.minimum_samples")


class Job(object):
    """One build of one cell, as the harness asked for it.

    Attributes are the keys of the protocol; ``network``, ``weights``, ``onnx``, ``inputs`` and ``engine`` are
    absolute paths, ``treatment`` is the cell's, ``measure`` a :class:`Measure`.
    """

    def __init__(self, data: Mapping[str, Any], folder: str) -> None:
        _check(data)
        values = dict(_OPTIONAL)
        values.update(data)
        self.folder = folder
        self.worker_module = str(values["worker_module"])
        self.cell = dict(values["cell"])  # type: Dict[str, Any]
        self.treatment = dict(self.cell.get("treatment", {}))  # type: Dict[str, Any]
        self.version = str(self.cell.get("version", ""))
        self.build = int(values["build"])
        self.seed = int(values["seed"])
        self.network = os.path.join(folder, values["network"])
        self.weights = os.path.join(folder, values["weights"])
        self.onnx = None if values["onnx"] is None else os.path.join(folder, values["onnx"])
        self.inputs = os.path.join(folder, values["inputs"])
        self.engine = None if values["engine"] is None else os.path.join(folder, values["engine"])
        self.keep_engine = bool(values["keep_engine"])
        self.measure = Measure(values["measure"])
        self.affinity = values["affinity"]  # type: Optional[List[int]]
        self.build_affinity = values["build_affinity"]  # type: Optional[List[int]]
        self.threads = int(values["threads"])
        self.device = values["device"]  # type: Optional[str]
        self.peaks = bool(values["peaks"])
        self._options = dict(values["options"])  # type: Dict[str, Any]

    def options(self, known: Mapping[str, Any]) -> Dict[str, Any]:
        """Return the runtime-specific options over the defaults *known*.

        :raises FailedError: an option that is not among *known*
        """
        _refuse(self._options, known, "options")
        values = dict(known)
        values.update(self._options)
        return values


def read_job(path: str) -> Job:
    """Read ``job.json``.

    :raises FailedError: no JSON, another protocol, a key that is missing or unknown
    """
    try:
        with open(path, encoding="utf-8") as stream:
            data = json.load(stream)
    except (OSError, ValueError) as error:
        raise FailedError("job: cannot read {}: {}".format(os.path.basename(path), error))
    if not isinstance(data, dict):
        raise FailedError("job: expected an object")
    return Job(data, os.path.dirname(os.path.abspath(path)))


def _check(data: Mapping[str, Any]) -> None:
    # The schema first: another one may well have other keys.
    if data.get("schema") != SCHEMA:
        raise FailedError("job: schema {!r}, this worker reads {}".format(data.get("schema"), SCHEMA))
    known = dict(_OPTIONAL)
    known.update((key, None) for key in _REQUIRED)
    _refuse(data, known, "")
    for key in _REQUIRED:
        if key not in data:
            raise FailedError("job: key '{}' is missing".format(key))
    for key in ("cell", "measure", "options"):
        if not isinstance(data.get(key, {}), dict):
            raise FailedError("job: '{}' must be an object".format(key))
    if re.match(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*\Z", str(data["worker_module"])) is None:
        raise FailedError("job: '{}' is no worker module".format(data["worker_module"]))


def _refuse(data: Mapping[str, Any], known: Iterable[str], where: str) -> None:
    names = sorted(known)
    unknown = sorted(key for key in data if key not in names)
    if unknown:
        place = "job: {}.".format(where) if where else "job: "
        raise FailedError("{}{} is unknown; known: {}".format(place, unknown[0], ", ".join(names) or "none"))


def _number(values: Mapping[str, Any], key: str, minimum: float) -> float:
    value = values[key]
    if isinstance(value, bool) or not isinstance(value, (int, float)) or value < minimum:
        raise FailedError(
            "job: measure.{} is {!r}, expected a number not below {}".format(key, value, minimum)
        )
    return value
