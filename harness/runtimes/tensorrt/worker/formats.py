"""The suite of tensor formats: which of them a version accepts at inputs and outputs, and at what cost."""

import copy
from typing import Any, Dict, List, Mapping, Type

import numpy

from harness.worker.errors import FailedError, UnsupportedError

from .build import Toolbox, build
from .dialect_legacy import Legacy
from .inout import known_formats
from .layouts import physical_shape
from .measuring import Device, describe_engine, open_session, take_profile
from .passes import Passes
from .plan import Plan

ALL = "all"


def try_formats(
    tools: Toolbox, plan: Plan, kind: Type[Legacy], device: Device, inputs: Mapping[str, Any]
) -> None:
    """Build once for each format of the options; write ``formats.json`` after each of them.

    Every input and output has the format, in the type of the precision (or ``io_type``); before them stands
    what a network has that says nothing: linear, FP32. A format is accepted when the engine reports it for
    every input and output and its outputs can be read; the first one that is accepted gives the outputs the
    others are compared with. Whether the builder reformats behind it is in the engine's layers. The builds
    share a timing cache where the version has one: most of their layers are the same.
    """
    known = known_formats(tools.trt)
    names = [str(name).upper() for name in plan.options["formats"]]
    if names == [ALL.upper()]:
        names = known
    tools.result.fact("requested_formats", names)
    tools.result.fact("known_formats", known)
    rows = []  # type: List[Dict[str, Any]]
    reference = {}  # type: Dict[str, Any]
    for one in _plans(plan, names):
        row = {"name": one.tensor_format, "io_type": one.io_type, "accepted": False, "reason": ""}
        try:
            found = _try(tools, one, kind, device, inputs, row)
            row["accepted"] = True
            if not reference:
                reference = found
                tools.result.outputs(found)
            row["relative_difference"] = relative_difference(found, reference)
        except (FailedError, UnsupportedError) as problem:
            row["reason"] = " ".join(str(problem).split())
        rows.append(row)
        tools.result.write_json("formats.json", {"formats": rows})
    accepted = {row["name"] for row in rows if row["accepted"]}
    tools.result.fact("accepted_formats", [name for name in names if name in accepted])
    tools.result.fact("refused_formats", [name for name in names if name not in accepted])


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


def _try(
    tools: Toolbox,
    plan: Plan,
    kind: Type[Legacy],
    device: Device,
    inputs: Mapping[str, Any],
    row: Dict[str, Any],
) -> Dict[str, Any]:
    for tensor, shape in tools.package.shapes.items():
        if tensor in inputs:
            physical_shape(shape, plan.tensor_format)  # before a build whose outputs nobody could read
    dialect = kind(tools.trt, tools.features, plan, tools.result)
    row["direct_io"] = bool(plan.options["direct_io"])
    built = build(tools, plan, dialect, True)
    row["build_seconds"] = round(built.seconds, 3)
    session, _runtime = open_session(tools, dialect, device, built)
    row["engine"] = {tensor.name: tensor.layout for tensor in session.tensors}
    other = sorted({layout for layout in row["engine"].values() if layout != plan.tensor_format})
    if other:
        raise FailedError("built, but with {} instead".format(", ".join(other)))
    session.fill(inputs)
    outputs = session.infer()
    suffix = ".{}-{}".format(plan.tensor_format, plan.io_type).lower()
    describe_engine(tools, session, suffix)
    passes = Passes(session, device.driver, device.nvml, tools.job.measure, tools.result)
    row.update(passes.run("format_" + suffix[1:], session.enqueue, False, False))
    row["cuda_graph_ms"] = passes.graph_median("format_graph_" + suffix[1:])
    take_profile(tools, session, tools.job.measure.profile_iterations, suffix)
    return outputs
