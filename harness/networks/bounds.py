"""How far a build's outputs may lie from the FP32 reference, fixed before any build is looked at.

A bound is the error of the precision's emulated rounding (:mod:`harness.networks.emulation`) on the network's
own probe inputs, times a safety factor: runtimes add in other orders, fuse, and pick algorithms with
more rounding than the plain sum. Errors are relative to the reference's largest absolute value.

============ ====== ===========================================================================
precision    factor why
============ ====== ===========================================================================
``fp32``     32     a single order of sums was emulated; Winograd and FFT convolutions round more
``tf32``     4      the rounding itself dominates, whatever the order of sums
``bf16``     4      as tf32
``fp16``     4      as tf32; accumulation in half precision is in the emulation
``int8``     2      the coarse steps dominate, but which tensors stay in float differs
============ ====== ===========================================================================

A MobileNet whose ReLU6 lost the upper bound everywhere is wrong by ten times its largest value and more, far
outside of every bound; lost in a single layer, it is wrong by 10 to 30 %, which ``int8`` cannot always tell.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from harness.networks.emulation import emulate, relative_error
from harness.networks.graph import FloatArray, Graph
from harness.networks.inputs import probe_inputs
from harness.networks.kernels import Array
from harness.networks.reference import probe_reference

SAFETY_FACTORS: Mapping[str, float] = {"fp32": 32.0, "tf32": 4.0, "bf16": 4.0, "fp16": 4.0, "int8": 2.0}

UNIT_ROUNDOFF: Mapping[str, float] = {
    "fp32": 2.0**-24,
    "tf32": 2.0**-11,
    "bf16": 2.0**-8,
    "fp16": 2.0**-11,
    "int8": 1 / 254,
}
"""The least error a bound is made of: a small network may by chance be emulated without any."""


@dataclass(frozen=True)
class Bound:
    """What is allowed for one network and precision.

    :param emulated: relative error of the emulated rounding, at least that of one value
    :param factor: safety factor
    """

    precision: str
    emulated: float
    factor: float

    @property
    def value(self) -> float:
        """The largest error allowed, relative to the reference's largest absolute value."""
        return self.emulated * self.factor


@dataclass(frozen=True)
class OutputComparison:
    """How outputs compare with the reference.

    :param error: largest absolute difference over the reference's largest absolute value, infinite where
        an output is missing, has another shape or is not finite
    :param bound: what was allowed
    :param top1: share of items with the reference's first class, of those whose margin allows the
        question; None where none does or the output is no classifier's
    :param reason: what is wrong, empty when valid
    """

    valid: bool
    error: float
    bound: float
    top1: float | None = None
    reason: str = ""


_bounds: dict[tuple[str, str], Bound] = {}


def error_bound(graph: Graph, precision: str) -> Bound:
    """Return the bound of *graph* in *precision* (kept for the process; a batch does not change it).

    The emulation runs on the first item of the graph's probe inputs.

    :raises UsageError: no such precision, or an op of the network has no reference
    """
    key = (graph.digest, precision)
    if not graph.digest or key not in _bounds:
        one = replace(graph, batch=1, shapes={name: (1, *shape[1:]) for name, shape in graph.shapes.items()})
        emulated = relative_error(emulate(one, probe_inputs(one), precision), probe_reference(one))
        _bounds[key] = Bound(precision, max(emulated, UNIT_ROUNDOFF[precision]), SAFETY_FACTORS[precision])
    return _bounds[key]


def check_outputs(
    outputs: Mapping[str, Array], reference: Mapping[str, FloatArray], bound: Bound
) -> OutputComparison:
    """Compare a build's *outputs* with the *reference* of the same inputs; axes of length 1 do not matter."""
    problem = _problem(outputs, reference)
    if problem:
        return OutputComparison(False, float("inf"), bound.value, None, problem)
    shaped = {name: np.asarray(outputs[name]).reshape(array.shape) for name, array in reference.items()}
    error = relative_error(shaped, reference)
    top1 = _top1(shaped, reference, bound.value)
    if error > bound.value:
        reason = f"outputs differ by {error:.3g} of the largest value, {bound.value:.3g} is allowed"
        return OutputComparison(False, error, bound.value, top1, reason)
    if top1 is not None and top1 < 1.0:
        reason = f"only {top1:.1%} of the items have the reference's first class"
        return OutputComparison(False, error, bound.value, top1, reason)
    return OutputComparison(True, error, bound.value, top1)


def _problem(outputs: Mapping[str, Array], reference: Mapping[str, FloatArray]) -> str:
    for name, expected in reference.items():
        if name not in outputs:
            return f"the output '{name}' is missing"
        found = np.asarray(outputs[name])
        if _long_axes(found.shape) != _long_axes(expected.shape):
            return f"output '{name}' has shape {found.shape}, expected {expected.shape}"
        if not np.isfinite(found).all():
            return f"output '{name}' holds values that are not finite"
    return ""


def _long_axes(shape: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(size for size in shape if size != 1)


def _top1(outputs: Mapping[str, Array], reference: Mapping[str, FloatArray], bound: float) -> float | None:
    agreed: list[bool] = []
    for name, expected in reference.items():
        if expected.ndim < 2 or expected.shape[1] < 2 or any(size != 1 for size in expected.shape[2:]):
            continue  # not one row of class scores an item
        wanted = expected.reshape(len(expected), -1)
        found = outputs[name].reshape(wanted.shape)
        ranked = np.sort(wanted, axis=1)
        asked = ranked[:, -1] - ranked[:, -2] > bound * float(np.abs(expected).max())
        agreed += list((wanted.argmax(axis=1) == found.argmax(axis=1))[asked])
    return float(np.mean(agreed)) if agreed else None
