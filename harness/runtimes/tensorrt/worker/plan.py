"""What a job asks of TensorRT: the treatment and the options, checked and without ``auto``."""

from typing import Any, Dict, Mapping  # noqa: F401

from harness.worker.errors import FailedError, UnsupportedError

from .features import Features

OPTIONS = {
    "workspace_mib": 1024,  # scratch memory a layer may use
    "optimization_level": None,  # of the builder, 8.6 and later; None is the version's own
    "io_type": "auto",  # type of network inputs and outputs: fp32 where linear, else that of the precision
    "direct_io": False,  # inputs and outputs have their format without a reformat, or the build fails
    "dialect": "auto",  # a letter forces an older dialect where the version still has its calls
    "memory": "auto",  # pycuda, ctypes
    "formats": [],  # the formats to try, each in a build of its own; no latency is measured then
    "timing_cache_file": None,  # a serialized timing cache, relative to the job
    "disable_timing_cache": False,  # off inside a build, too: every layer is timed itself
}  # type: Dict[str, Any]

_VALUES = {
    "precision": ("fp32", "tf32", "fp16", "int8"),
    "source": ("auto", "api", "onnx"),
    "batch_mode": ("auto", "explicit", "implicit"),
    "typing": ("auto", "weak", "strong"),
    "tactic_sources": ("default", "core", "all"),
    "timing_cache": ("off", "on"),
    "cuda_graph": ("off", "on"),
    "l2": ("warm", "cold"),
    "copies": ("out", "in"),
}

_DEFAULTS = {"precision": "fp32", "tactic_sources": "default", "timing_cache": "off"}


class Plan(object):
    """A treatment for one version. Attributes are the treatment's fields; none of them is ``auto``.

    :param treatment: the cell's treatment; a field that is missing takes its default
    :param options: :data:`OPTIONS`, filled in
    :raises FailedError: a value that no treatment has
    :raises UnsupportedError: this version cannot do it in any dialect
    """

    def __init__(self, treatment: Mapping[str, Any], options: Mapping[str, Any], features: Features) -> None:
        values = {name: _value(treatment, name) for name in _VALUES}
        self.precision = values["precision"]
        self.source = "api" if values["source"] == "auto" else values["source"]
        self.tactic_sources = values["tactic_sources"]
        self.timing_cache = values["timing_cache"]
        self.cuda_graph = values["cuda_graph"] == "on"
        self.cold_l2 = values["l2"] == "cold"
        self.copies = values["copies"] == "in"
        self.tensor_format = str(treatment.get("tensor_format", "linear")).upper()
        self.batch = int(treatment.get("batch", 1))
        self.implicit = _implicit(values["batch_mode"], features)
        self.strong = _strong(values["typing"], features)
        self.options = dict(options)
        if self.strong and self.implicit:
            raise UnsupportedError("strong typing has no implicit batch")
        if self.options["io_type"] not in ("auto", "fp32", "fp16", "int8"):
            raise FailedError("job: options.io_type is none of auto, fp32, fp16, int8")
        self.io_type = self._io_type(str(self.options["io_type"]))

    def _io_type(self, asked: str) -> str:
        if asked != "auto":
            return asked
        linear = self.tensor_format == "LINEAR"
        return "fp32" if linear or self.precision in ("fp32", "tf32") else self.precision

    @property
    def compute_type(self) -> str:
        """Type in which layers are asked to compute, as the flags or the graph say it."""
        return "fp32" if self.precision == "tf32" else self.precision


def _value(treatment: Mapping[str, Any], name: str) -> str:
    value = str(treatment.get(name, _DEFAULTS.get(name, _VALUES[name][0])))
    if value not in _VALUES[name]:
        raise FailedError("cell: {} '{}' is none of {}".format(name, value, ", ".join(_VALUES[name])))
    return value


def _implicit(asked: str, features: Features) -> bool:
    if asked == "explicit" and not features.explicit_batch and not features.config:
        raise UnsupportedError("this version has no explicit batch")
    if asked == "implicit" and not features.execute_batch:
        raise UnsupportedError("this version has no implicit batch any more")
    return asked == "implicit" or not features.config


def _strong(asked: str, features: Features) -> bool:
    only = features.config and not features.weak_typing
    if asked == "weak" and only:
        raise UnsupportedError("this version has no weak typing any more")
    if asked == "strong" and not only and not features.strongly_typed:
        raise UnsupportedError("this version has no strong typing yet")
    return asked == "strong" or only
