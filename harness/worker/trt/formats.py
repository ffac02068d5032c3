"""The suite of tensor formats: which of them a version accepts at inputs and outputs, and at what cost."""

import copy
from typing import Any, Dict, List, Mapping, Type  # noqa: F401

import numpy

from ..errors import FailedError, UnsupportedError
from .build import Toolbox, build
from .dialect_legacy import Legacy
from .inout import known_formats
from .measuring import Device, describe_engine, open_session, take_profile
from .passes import Passes
from .plan import Plan

ALL = "all"


def try_formats(
    tools: Toolbox, plan: Plan, kind: Type[Legacy], device: Device, inputs: Mapping[str, Any]
) -> None:
    """Build once for each format of the options; write ``formats.json`` after each of them.

    Inputs and outputs have the format and may not be reformatted, in the type of the precision (or
    ``io_type``), linear ones too: formats are compared with each other, not with another type. A format
    is accepted when the engine reports it for every input and output of four axes and its outputs can be
    read; the first one that is accepted gives the outputs the others are compared with. The builds share
    a timing cache where the version has one: most of their layers are the same.
    """
    names = [str(name).upper() for name in plan.options["formats"]]
    if names == [ALL.upper()]:
        names = known_formats(tools.trt)
    tools.result.fact("requested_formats", names)
    rows = []  # type: List[Dict[str, Any]]
    reference = {}  # type: Dict[str, Any]
    tools.result.fact("known_formats", known_formats(tools.trt))
    for name in names:
        row = {"name": name, "accepted": False, "reason": ""}  # type: Dict[str, Any]
        try:
            found = _try(tools, _plan_for(plan, name), kind, device, inputs, row)
            row["accepted"] = True
            if not reference:
                reference = found
                tools.result.outputs(found)
            row["largest_difference"] = max(
                float(numpy.abs(found[key] - reference[key]).max()) for key in found
            )
        except (FailedError, UnsupportedError) as problem:
            row["reason"] = " ".join(str(problem).split())
        rows.append(row)
        tools.result.write_json("formats.json", {"formats": rows})
    tools.result.fact("accepted_formats", [row["name"] for row in rows if row["accepted"]])
    tools.result.fact("refused_formats", [row["name"] for row in rows if not row["accepted"]])


def _plan_for(plan: Plan, name: str) -> Plan:
    one = copy.copy(plan)
    one.tensor_format = name
    one.timing_cache = "on"
    if plan.options["io_type"] == "auto":
        one.io_type = plan.compute_type
    return one


def _try(
    tools: Toolbox,
    plan: Plan,
    kind: Type[Legacy],
    device: Device,
    inputs: Mapping[str, Any],
    row: Dict[str, Any],
) -> Dict[str, Any]:
    dialect = kind(tools.trt, tools.features, plan, tools.result)
    row["io_type"] = plan.io_type
    built = build(tools, plan, dialect, True)
    row["build_seconds"] = round(built.seconds, 3)
    session, _runtime = open_session(tools, dialect, device, built)
    row["engine"] = {tensor.name: tensor.layout for tensor in session.tensors}
    other = sorted({layout for layout in row["engine"].values() if layout != plan.tensor_format})
    if other:
        raise FailedError("built, but with {} instead".format(", ".join(other)))
    session.fill(inputs)
    outputs = session.infer()
    suffix = "." + plan.tensor_format.lower()
    describe_engine(tools, session, suffix)
    passes = Passes(session, device.driver, device.nvml, tools.job.measure, tools.result)
    row.update(passes.run("format_" + plan.tensor_format.lower(), session.enqueue, False, False))
    take_profile(tools, session, tools.job.measure.profile_iterations, suffix)
    return outputs
