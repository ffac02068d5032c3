"""The suite of tensor formats: which of them a version accepts at inputs and outputs, and at what cost."""

import copy
from typing import Any, Callable, Dict, List, Mapping, Optional, Type  # noqa: F401

import numpy

from harness.worker.errors import FailedError, UnsupportedError
from harness.worker.measure import Pass

from .build import Toolbox, build
from .dialect_legacy import Legacy
from .inout import known_formats
from .layouts import physical_shape
from .measuring import Device, describe_engine, layer_profile, open_session, take_profile
from .passes import Passes, medians
from .plan import Plan
from .profile import LayerProfile  # noqa: F401

ALL = "all"


class FormatTrials(object):
    """One engine after the other, each with another format; ``formats.json`` is written after each of them.

    Every input and output has the format, in the type of the precision (or ``io_type``); before them stands
    what a network has that says nothing: linear, FP32. A format is accepted when the engine reports it for
    every input and output and its outputs can be read; the first one that is accepted gives the outputs the
    others are compared with. Whether the builder reformats behind it is in the engine's layers. The builds
    share a timing cache where the version has one: most of their layers are the same.
    """

    def __init__(
        self, tools: Toolbox, plan: Plan, kind: Type[Legacy], device: Device, inputs: Mapping[str, Any]
    ) -> None:
        self.tools, self.kind, self.device, self.inputs = tools, kind, device, inputs
        known = known_formats(tools.trt)
        names = [str(name).upper() for name in plan.options["formats"]]
        self.names = known if names == [ALL.upper()] else names
        tools.result.fact("requested_formats", self.names)
        tools.result.fact("known_formats", known)
        self._plans = _plans(plan, self.names)
        self._rows = []  # type: List[Dict[str, Any]]
        self._reference = {}  # type: Dict[str, Any]
        self._trial = None  # type: Optional[Trial]

    @property
    def more(self) -> bool:
        """Whether formats are left."""
        return len(self._rows) < len(self._plans)

    def build(self) -> None:
        """Build the engine of the next format; a refusal is its row's reason."""
        self._settle()
        one = self._plans[len(self._rows)]
        row = {"name": one.tensor_format, "io_type": one.io_type, "accepted": False, "reason": ""}
        self._rows.append(row)
        trial = Trial(self.tools, one, self.kind, self.device, row)
        if self._tried(lambda: trial.build(self.inputs)):
            self._trial = trial

    def load(self) -> List[Pass]:
        """Open a session over the engine, compare its outputs, and return the passes; none if refused."""
        trial = self._trial
        if trial is None or not self._tried(lambda: trial.load(self.inputs)):
            self._trial = None
            return []
        if not self._reference:
            self._reference = trial.outputs
            self.tools.result.outputs(trial.outputs)
        trial.row["accepted"] = True
        trial.row["relative_difference"] = relative_difference(trial.outputs, self._reference)
        return trial.passes

    def profile(self, iterations: int) -> None:
        """Profile layer by layer, where the format was accepted."""
        trial = self._trial
        if trial is not None and not self._tried(lambda: trial.profile(iterations)):
            trial.row["accepted"] = False

    def close(self) -> None:
        """Write what came of all formats."""
        self._settle()
        accepted = {row["name"] for row in self._rows if row["accepted"]}
        self.tools.result.fact("accepted_formats", [name for name in self.names if name in accepted])
        self.tools.result.fact("refused_formats", [name for name in self.names if name not in accepted])

    def _tried(self, step: Callable[[], None]) -> bool:
        try:
            step()
        except (FailedError, UnsupportedError) as problem:
            self._rows[-1]["reason"] = " ".join(str(problem).split())
            self._write()
            return False
        return True

    def _settle(self) -> None:
        """Put the medians of the last format into its row, and let go of its engine."""
        if self._trial is not None:
            self._trial.settle()
            self._trial = None
            self._write()

    def _write(self) -> None:
        self.tools.result.write_json("formats.json", {"formats": self._rows})


class Trial(object):
    """The engine of one format; what it comes to stands in *row*."""

    def __init__(
        self, tools: Toolbox, plan: Plan, kind: Type[Legacy], device: Device, row: Dict[str, Any]
    ) -> None:
        self.tools, self.plan, self.device, self.row = tools, plan, device, row
        self.suffix = ".{}-{}".format(plan.tensor_format, plan.io_type).lower()
        self.outputs = {}  # type: Dict[str, Any]
        self.passes = []  # type: List[Pass]
        self._kind = kind
        self._profile = None  # type: Optional[LayerProfile]

    def build(self, inputs: Mapping[str, Any]) -> None:
        """Build the engine.

        :raises UnsupportedError: nobody could read outputs in this format, or the version has it not
        :raises FailedError: the builder refused
        """
        tools, plan = self.tools, self.plan
        for tensor, shape in tools.package.shapes.items():
            if tensor in inputs:
                physical_shape(shape, plan.tensor_format)  # before a build whose outputs nobody could read
        self.dialect = self._kind(tools.trt, tools.features, plan, tools.result)
        self.row["direct_io"] = bool(plan.options["direct_io"])
        self._built = build(tools, plan, self.dialect, True)
        self.row["build_seconds"] = round(self._built.seconds, 3)

    def load(self, inputs: Mapping[str, Any]) -> None:
        """Open a session, run it, and make its passes.

        :raises FailedError: the engine has other formats than it was built with
        """
        tools, device = self.tools, self.device
        session, self._runtime = open_session(tools, self.dialect, device, self._built)
        self.session = session
        self.row["engine"] = {tensor.name: tensor.layout for tensor in session.tensors}
        other = sorted(
            {layout for layout in self.row["engine"].values() if layout != self.plan.tensor_format}
        )
        if other:
            raise FailedError("built, but with {} instead".format(", ".join(other)))
        session.fill(inputs)
        self.outputs = session.infer()
        describe_engine(tools, session, self.suffix)
        self._passes = Passes(session, device.driver, device.nvml, (), tools.result)
        self._passes.add("format_" + self.suffix[1:], session.enqueue, False, False)
        self._passes.add_graph("format_graph_" + self.suffix[1:])
        self.passes = self._passes.made

    def profile(self, iterations: int) -> None:
        """Profile layer by layer."""
        if self._profile is None:
            self._profile = layer_profile(self.tools, self.session, self.suffix)
        take_profile(self.tools, self._profile, iterations, self.suffix)

    def settle(self) -> None:
        """Put the medians of the passes into the row."""
        self._passes.state()
        own = self.passes[0]
        self.row.update(medians(own))
        graph = medians(self.passes[1]) if len(self.passes) > 1 else {}
        self.row["cuda_graph_ms"] = graph.get("latency_ms")


def relative_difference(found: Mapping[str, Any], reference: Mapping[str, Any]) -> float:
    """Return the largest difference of any output over the largest absolute value of its reference."""
    return max(
        float(
            numpy.abs(found[key] - reference[key]).max() / max(float(numpy.abs(reference[key]).max()), 1e-30)
        )
        for key in found
    )


def _plans(plan: Plan, names: List[str]) -> List[Plan]:
    """Return a plan for each build: as networks are by themselves, then each format in its own type."""
    asked = [("LINEAR", "fp32")] + [(name, plan.compute_type) for name in names]
    if plan.options["io_type"] != "auto":
        asked = [(name, plan.io_type) for name in names]
    found = []
    for name, io_type in [pair for i, pair in enumerate(asked) if pair not in asked[:i]]:
        one = copy.copy(plan)
        one.tensor_format, one.io_type, one.timing_cache = name, io_type, "on"
        found.append(one)
    return found
